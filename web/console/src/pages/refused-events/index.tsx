import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { may } from '../../api/session.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { useRefresh } from '../../api/use-refresh.ts'
import { useSources } from '../../api/use-sources.ts'
import type { Source } from '../../api/use-sources.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Export } from '../../ui/export.tsx'
import { Filters, useFilters } from '../../ui/filters.tsx'
import type { Filter } from '../../ui/filters.tsx'
import { Badge, Page } from '../../ui/layout.tsx'
import { Empty } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { PERIOD_FILTERS, TYPE_FILTER, sourceFilter } from '../events/stored-event.ts'
import { KEPT_CAUSES, titleOf } from '../refusal-codes.ts'
import { NotKept } from './not-kept.tsx'
import { ReplayAll } from './replay-all.tsx'

export type RefusedEvent = Reply<'get', 'refused-events/{id}'>
/** Milliseconds. */
const REFRESH_EVERY = 5_000

type Sources = ReadonlyMap<string, Source> | undefined

/** The refused events that sources keep: why they were refused, and a way to accept them after all. */
export default function RefusedEventsPage () {
  const [dialog, setDialog] = useState<'export' | 'replay'>()
  const { data: sources, reload: reloadSources } = useSources()
  const cursor = useCursor()
  const query = useFilters(filtersOf(undefined, undefined))
  const found = useQuery(`refused ${JSON.stringify(query)} ${cursor ?? ''}`, (signal) =>
    filledPage((next) => call('get', 'refused-events', {
      query: { ...query, ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal
    }), cursor))
  const { reload } = found
  // Events are refused while the page is open; an older page stays as it is.
  useRefresh(() => { if (cursor === undefined && dialog === undefined) reload() }, REFRESH_EVERY)
  const close = () => setDialog(undefined)
  const isEmpty = found.data?.data.length === 0
  const notKept = [...sources?.values() ?? []].filter(({ id, keep_refused: isKept }) =>
    !isKept && (query['source_id'] ?? id) === id)

  return (
    <Page
      title='Refused events' lead='What your sources refused and keep for a while. Mend the cause, then replay.'
      actions={
        <>
          <Button icon='download' onClick={() => setDialog('export')}>Export…</Button>
          {may('editor') && !isEmpty && query['replayed'] !== 'true'
            ? <Button kind='primary' icon='replay' onClick={() => setDialog('replay')}>Replay all…</Button>
            : null}
        </>
      }
    >
      <Filters label='Filters of refused events' filters={filtersOf(sources, query['source_id'])} />
      <List
        caption='Refused events' columns={columnsOf(sources)} query={found} keyOf={({ id }) => id}
        empty={<Nothing isFiltered={Object.keys(query).length > 0} isKept={notKept.length === 0} />}
      />
      <NotKept sources={notKept} onChange={reloadSources} />
      {dialog === 'export'
        ? <Export path='refused-events/export' what='refused events' query={query} onClose={close} />
        : null}
      {dialog === 'replay'
        ? <ReplayAll query={query} sources={sources} onClose={close} onChange={reload} />
        : null}
    </Page>
  )
}

function Nothing ({ isFiltered, isKept }: { isFiltered: boolean, isKept: boolean }) {
  if (!isKept) {
    return (
      <Empty icon='refused' title='No refused event is kept'>
        Not every source keeps what it refuses, see below. What was refused before that cannot be shown.
      </Empty>
    )
  }
  return isFiltered
    ? <Empty icon='search' title='No refused event matches'>Events are kept for 7 days, unless your server sets another time.</Empty>
    : <Empty icon='check' title='Nothing was refused'>All events that arrived in the last days were accepted.</Empty>
}

function filtersOf (sources: Sources, chosen: string | undefined): readonly Filter[] {
  const codes = Object.entries(KEPT_CAUSES).map(([code, { title }]) => [code, title] as const)
  return [
    sourceFilter(sources, chosen),
    { name: 'code', label: 'Cause', choices: [['', 'All causes'], ...codes] },
    { name: 'replayed', label: 'Replayed', choices: [['', 'All'], ['false', 'Not replayed'], ['true', 'Replayed']] },
    { name: 'origin', label: 'Origin', maxLength: 1_000 },
    { ...TYPE_FILTER, isRare: true },
    { name: 'message_id', label: 'Message id', maxLength: 100, isRare: true },
    ...PERIOD_FILTERS
  ]
}

function columnsOf (sources: Sources): ReadonlyArray<Column<RefusedEvent>> {
  return [
    {
      title: 'Cause',
      cell: ({ id, code }) => <a class='row-link' href={at('refused-events/:id', { id })}>{titleOf(code)}</a>
    },
    { title: 'Event', cell: ({ event, type }) => event ?? type ?? <span class='soft'>Unknown</span> },
    { title: 'From', cell: (event) => <span class='wrap'>{event.origin ?? event.ip}</span> },
    { title: 'Source', cell: ({ source_id: source }) => sources?.get(source)?.name ?? source },
    { title: 'State', cell: (event) => <State event={event} /> },
    { title: 'Received', cell: ({ received_at: received }) => <Time at={received} /> }
  ]
}

export function State ({ event: { replayed_at: replayed, replayable } }: { event: RefusedEvent }) {
  if (replayed !== null) return <Badge tone='good'>Replayed</Badge>
  return replayable ? <Badge tone='warning'>Refused</Badge> : <Badge>Cannot be replayed</Badge>
}
