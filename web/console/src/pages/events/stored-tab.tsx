import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Source } from '../../api/use-sources.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Export } from '../../ui/export.tsx'
import { Filters, useFilters } from '../../ui/filters.tsx'
import type { Filter } from '../../ui/filters.tsx'
import { Badge } from '../../ui/layout.tsx'
import { Empty } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { PERIOD_FILTERS, TYPE_FILTER, sourceFilter, text, titleOf, userOf } from './stored-event.ts'
import type { StoredEvent } from './stored-event.ts'

type Sources = ReadonlyMap<string, Source> | undefined

/** Finds stored events. */
export function StoredTab ({ sources }: { sources: Sources }) {
  const [isExporting, setExporting] = useState(false)
  const cursor = useCursor()
  const query = useFilters(filtersOf(undefined, undefined))
  const filters = filtersOf(sources, query['source_id'])
  const isFiltered = Object.keys(query).length > 0
  const found = useQuery(`events ${JSON.stringify(query)} ${cursor ?? ''}`, (signal) =>
    filledPage<StoredEvent>((next) => call('get', 'events', {
      query: { ...query, ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal
    }), cursor))

  return (
    <div class='stack'>
      <div class='filter-bar'>
        <Filters label='Find stored events' filters={filters} />
        <Button icon='download' onClick={() => setExporting(true)}>Export…</Button>
      </div>
      <List
        caption='Stored events' columns={columnsOf(sources)} query={found} keyOf={(event) => text(event, 'id') ?? ''}
        empty={isFiltered
          ? <Empty icon='search' title='No event matches'>Names and ids are compared exactly, upper and lower case too.</Empty>
          : <Empty icon='events' title='No event is stored yet'>Events appear here as soon as a source has sent the first one.</Empty>}
      />
      {isExporting
        ? <Export path='events/export' what='events' query={query} onClose={() => setExporting(false)} />
        : null}
    </div>
  )
}

function filtersOf (sources: Sources, chosen: string | undefined): readonly Filter[] {
  return [
    sourceFilter(sources, chosen),
    TYPE_FILTER,
    { name: 'event', label: 'Event name', maxLength: 1_000 },
    { name: 'user_id', label: 'User id', maxLength: 512 },
    { name: 'anonymous_id', label: 'Anonymous id', maxLength: 512, isRare: true },
    { name: 'message_id', label: 'Message id', maxLength: 100, isRare: true },
    ...PERIOD_FILTERS
  ]
}

function columnsOf (sources: Sources): ReadonlyArray<Column<StoredEvent>> {
  return [
    {
      title: 'Event',
      cell: (event) => <a class='row-link' href={at('events/:id', { id: text(event, 'id') ?? '' })}>{titleOf(event)}</a>
    },
    { title: 'Type', cell: (event) => <Badge>{text(event, 'type') ?? '–'}</Badge> },
    { title: 'User', cell: (event) => <User event={event} /> },
    { title: 'Source', cell: (event) => nameOf(sources, text(event, 'sourceId')) },
    { title: 'Received', cell: (event) => <Time at={text(event, 'receivedAt')} /> }
  ]
}

function User ({ event }: { event: StoredEvent }) {
  const user = text(event, 'userId')
  if (user !== undefined) return <span>{user}</span>
  return <span class='soft'>{userOf(event) ?? 'Unknown'}</span>
}

function nameOf (sources: Sources, id = ''): string {
  return sources?.get(id)?.name ?? id
}
