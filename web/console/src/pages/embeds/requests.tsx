import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { useRefresh } from '../../api/use-refresh.ts'
import { useParameters } from '../../api/use-parameters.ts'
import { Button } from '../../ui/button.tsx'
import { Filters, useFilters } from '../../ui/filters.tsx'
import type { Filter } from '../../ui/filters.tsx'
import { Badge } from '../../ui/layout.tsx'
import { Empty } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { PRODUCTS, meaningOf } from './meanings.ts'
import type { Decision } from './meanings.ts'
import { RequestDetail } from './request-detail.tsx'

/** Milliseconds. */
const REFRESH_EVERY = 5_000

/** The requests that the embedding routes granted and refused, newest first. */
export function Requests () {
  const { query: { entry: opened }, hrefOf, set } = useParameters()
  const cursor = useCursor()
  const query = useFilters(filters())
  const found = useQuery(`embeds ${JSON.stringify(query)} ${cursor ?? ''}`, (signal) =>
    filledPage((next) => call('get', 'embeds', {
      query: { ...query, ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal
    }), cursor))
  // Requests arrive while the page is open; an older page stays as it is.
  useRefresh(() => { if (cursor === undefined) found.reload() }, REFRESH_EVERY)
  const open = found.data?.data.find(({ id }) => id === opened)
  return (
    <>
      <Filters label='Filters of requests' filters={filters()} />
      <List
        caption='Requests for embeds' query={found} keyOf={({ id }) => id}
        columns={columnsOf(hrefOf, (user) => set({ revoke: 'user', subject: user }))}
        empty={Object.keys(query).length > 0
          ? <Empty icon='search' title='No request matches'>Requests are kept for 90 days, unless your server sets another time.</Empty>
          : (
            <Empty icon='embed' title='Nobody has asked for an embed yet'>
              Each dashboard or chart that a page embeds appears here, and each refusal with its cause.
            </Empty>
            )}
      />
      {open === undefined ? null : <RequestDetail decision={open} />}
    </>
  )
}

function filters (): readonly Filter[] {
  return [
    // Below admin the API refuses to search for a person.
    ...may('admin') ? [{ name: 'user_id', label: 'User id', maxLength: 256 }] : [],
    { name: 'product', label: 'Product', choices: [['', 'All products'], ...Object.entries(PRODUCTS)] },
    { name: 'outcome', label: 'Outcome', choices: [['', 'All outcomes'], ['granted', 'Granted'], ['refused', 'Refused']] },
    { name: 'from', label: 'From', isTime: true, isRare: true },
    { name: 'to', label: 'Until', isTime: true, isRare: true }
  ]
}

function columnsOf (
  hrefOf: (changes: Record<string, string>) => string,
  revoke: (user: string) => void
): ReadonlyArray<Column<Decision>> {
  const person: ReadonlyArray<Column<Decision>> = [{
    title: 'User',
    cell: ({ id, user_id: user, user_email: email }) => (
      <a class='row-link wrap' href={hrefOf({ entry: id })}>{email ?? user ?? 'No user'}</a>
    )
  }]
  const actions: ReadonlyArray<Column<Decision>> = [{
    title: 'Actions',
    kind: 'actions',
    cell: ({ user_id: user }) => user === null
      ? null
      : <Button kind='ghost' class='above' aria-label={`Revoke ${user}`} onClick={() => revoke(user)}>Revoke…</Button>
  }]
  const product: Column<Decision> = {
    title: 'Product',
    cell: ({ id, product }) => may('admin')
      ? PRODUCTS[product]
      : <a class='row-link' href={hrefOf({ entry: id })}>{PRODUCTS[product]}</a>
  }
  return [
    ...may('admin') ? person : [],
    product,
    { title: 'Outcome', cell: (decision) => <Outcome decision={decision} /> },
    { title: 'Time', cell: ({ timestamp }) => <Time at={timestamp} /> },
    ...may('admin') ? actions : []
  ]
}

export function Outcome ({ decision }: { decision: Decision }) {
  return (
    <span class='outcome'>
      {decision.outcome === 'granted' ? <Badge tone='good'>Granted</Badge> : <Badge tone='bad'>Refused</Badge>}
      <small>{meaningOf(decision)}</small>
    </span>
  )
}
