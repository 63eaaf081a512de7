import { at } from '../../shell/paths.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Badge, Section } from '../../ui/layout.tsx'
import { inFull, share } from '../../ui/number.ts'
import { Table } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Meter } from '../../ui/tiles.tsx'
import { Time } from '../../ui/time.tsx'
import type { Source } from './data.ts'
import type { Stats } from './period.ts'

const MAX_ROWS = 8

interface Row {
  id: string
  /** `undefined`: the source was deleted. */
  source: Source | undefined
  accepted: number
  refused: number
  lastAt: string | null
}

/** The sources with the most events of the period. */
export function SourceTable ({ stats, sources }: { stats: Stats, sources: readonly Source[] }) {
  const rows = rowsOf(stats, sources)
  const total = stats.events.totals.accepted
  const columns: ReadonlyArray<Column<Row>> = [
    { title: 'Source', cell: (row) => <Name row={row} /> },
    { title: 'Accepted', kind: 'number', cell: ({ accepted }) => inFull(accepted) },
    {
      title: 'Share',
      kind: 'number',
      cell: ({ accepted }) => <span class='share'><Meter part={accepted} total={total} />{share(accepted, total)}</span>
    },
    {
      title: 'Refused',
      kind: 'number',
      cell: ({ refused }) => refused === 0 ? <span class='soft'>0</span> : <span class='refused'>{inFull(refused)}</span>
    },
    { title: 'Last event', cell: ({ lastAt }) => <Time at={lastAt} /> }
  ]
  return (
    <Section
      title='Sources'
      actions={rows.length <= MAX_ROWS
        ? undefined
        : <ButtonLink kind='ghost' href={at('sources')}>All {inFull(sources.length)} sources</ButtonLink>}
    >
      <Table caption='Events by source' columns={columns} rows={rows.slice(0, MAX_ROWS)} keyOf={({ id }) => id} />
    </Section>
  )
}

/** The sources of the statistics, which are in order, then those that never sent an event. */
function rowsOf (stats: Stats, sources: readonly Source[]): Row[] {
  const byId = new Map(sources.map((source) => [source.id, source]))
  const counted = stats.sources.map(({ source_id: id, accepted, refused, last_event_at: lastAt }) =>
    ({ id, source: byId.get(id), accepted, refused, lastAt }))
  const known = new Set(counted.map(({ id }) => id))
  const silent = sources.filter(({ id }) => !known.has(id))
    .map((source) => ({ id: source.id, source, accepted: 0, refused: 0, lastAt: null }))
  // A deleted source matters only while the period has events of it.
  const shown = counted.filter(({ source, accepted, refused }) => source !== undefined || accepted + refused > 0)
  return [...shown, ...silent]
}

function Name ({ row: { id, source } }: { row: Row }) {
  if (source === undefined) return <span class='soft' title={id}>Deleted source</span>
  return (
    <span class='badges'>
      <a class='row-link' href={at('sources/:id', { id })}>{source.name}</a>
      {source.enabled ? null : <Badge tone='bad'>Disabled</Badge>}
      {source.environment === 'test' ? <Badge>Test</Badge> : null}
    </span>
  )
}
