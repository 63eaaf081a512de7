import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { may } from '../../api/session.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Page } from '../../ui/layout.tsx'
import { inFull } from '../../ui/number.ts'
import { Empty } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { Domains, State } from './state.tsx'
import type { Source } from './state.tsx'

type Counts = Reply<'get', 'stats'>['sources'][number]

/** The model of a page with a list: query, columns, empty state, and an action that leads to a form. */
export default function SourcesPage () {
  const cursor = useCursor()
  const query = useQuery(`sources ${cursor ?? ''}`, (signal) =>
    filledPage((next) => call('get', 'sources', { query: { ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal }), cursor))
  // The list is useful without the counts, so their error is not shown.
  const stats = useQuery('counts of sources', (signal) => call('get', 'stats', { query: {}, signal }))
  const create = may('editor')
    ? <ButtonLink kind='primary' icon='plus' href={at('sources/new')}>New source</ButtonLink>
    : undefined

  return (
    <Page title='Sources' lead='A source is a site, an app or a server that sends events.' actions={create}>
      <List
        caption='Sources' columns={columnsOf(stats.data?.sources)} query={query} keyOf={({ id }) => id}
        empty={
          <Empty icon='source' title='No source yet' action={create}>
            Create a source to get a pipeline key, then put it into your site or server.
          </Empty>
        }
      />
    </Page>
  )
}

/** The counts are of the last 24 hours; `undefined` while they are not known. */
function columnsOf (counts: readonly Counts[] | undefined): ReadonlyArray<Column<Source>> {
  const countsOf = ({ id }: Source) => counts?.find(({ source_id: source }) => source === id)
  const number = (source: Source, name: 'accepted' | 'refused') =>
    counts === undefined ? '' : inFull(countsOf(source)?.[name] ?? 0)
  return [
    { title: 'Name', cell: ({ id, name }) => <a class='row-link' href={at('sources/:id', { id })}>{name}</a> },
    { title: 'State', cell: (source) => <State source={source} /> },
    { title: 'Domains', cell: (source) => <Domains source={source} /> },
    { title: 'Events, 24 h', kind: 'number', cell: (source) => number(source, 'accepted') },
    { title: 'Refused, 24 h', kind: 'number', cell: (source) => number(source, 'refused') },
    {
      title: 'Last event',
      cell: (source) => counts === undefined ? '' : <Time at={countsOf(source)?.last_event_at} />
    }
  ]
}
