import type { Kysely, RawBuilder, Sql } from 'kysely'

import type { CountFilter, CountKind, CountReader } from '../../../contracts/counts.js'
import { hourOf } from '../../counts/count-table.js'
import { MAX_LATEST, MAX_TOTALS } from '../../counts/memory-counts.js'
import { fromColumnText, toColumnText } from '../column-text.js'
import type { ListReads } from '../list/reads.js'
import type { DatabaseSchema } from '../schema.js'
import { idOf, subjectOf, subjectsOf } from './subject.js'

interface Sums {
  outcome: string
  events: string
  bytes: string
}

/**
 * Reads the counts of both tables in one statement, so that a concurrent `foldCounts` hides and doubles nothing. Totals
 * of one id run on the connections of requests, other reads on those of lists.
 */
export function sqlCountReader (db: Kysely<DatabaseSchema>, lists: ListReads): CountReader {
  return {
    async series (orgId, filter, interval) {
      const { sql } = await import('kysely')
      const at = interval === 'hour' ? sql`hour` : sql`date_trunc('day', hour, 'UTC')`
      const statement = sql<Sums & { at: Date }>`
        with recursive ${selected(sql, orgId, filter)}
        select ${at} as at, outcome, sum(events)::text as events, sum(bytes)::text as bytes
        from selected group by 1, 2 order by 1, 2`
      const { rows } = await lists.read((connection) => statement.execute(connection))
      return rows.map((row) => ({ at: row.at.getTime(), ...toSums(row) }))
    },

    async totals (orgId, filter) {
      const { sql } = await import('kysely')
      const statement = sql<Sums & { subject: string, last_at: Date }>`
        with recursive ${selected(sql, orgId, filter)}
        select subject, outcome, sum(events)::text as events, sum(bytes)::text as bytes, max(last_at) as last_at
        from selected group by 1, 2 order by sum(events) desc, 1, 2 limit ${sql.lit(MAX_TOTALS)}`
      const { rows } = filter.id === undefined
        ? await lists.read((connection) => statement.execute(connection))
        : await statement.execute(db)
      return rows.map((row) => ({ id: idOf(row.subject), ...toSums(row), lastAt: row.last_at.getTime() }))
    },

    async latest (org, { kind, id, outcome }) {
      const { sql } = await import('kysely')
      const [first, end] = id === undefined ? subjectsOf(kind) : [subjectOf(kind, id), `${subjectOf(kind, id)}\u0001`]
      const [orgId, wanted] = [toColumnText(org), toColumnText(outcome)]
      const statement = sql<{ subject: string, last_at: Date }>`
        with recursive ${subjects(sql, orgId, first, end)}, latest as (
          select name as subject, last_at from subjects, lateral (
            select last_at from counts where org_id = ${orgId} and subject = name and outcome = ${wanted}
            order by hour desc limit 1
          ) newest
          union all
          select subject, last_at from count_deltas
          where org_id = ${orgId} and subject >= ${first} and subject < ${end} and outcome = ${wanted}
        )
        select subject, max(last_at) as last_at from latest group by 1 order by 2 desc, 1 limit ${sql.lit(MAX_LATEST)}`
      const { rows } = await lists.read((connection) => statement.execute(connection))
      return rows.map((row) => ({ id: idOf(row.subject), lastAt: row.last_at.getTime() }))
    }
  }
}

function toSums ({ outcome, events, bytes }: Sums) {
  return { outcome: fromColumnText(outcome), events: Number(events), bytes: Number(bytes) }
}

/** Kinds with a subject for each source, of which an organisation may have many thousands. */
const MANY_SUBJECTS: ReadonlySet<CountKind> = new Set(['stored', 'source'])

/**
 * Returns the common table expression `selected`. Counts of many subjects are read by the index of hours. Of few
 * subjects, each is looked up in the primary key, and only the hours that are asked for are read.
 */
function selected (sql: Sql, org: string, { kind, id, outcome, from, to }: CountFilter): RawBuilder<unknown> {
  const orgId = toColumnText(org)
  const [first, end] = subjectsOf(kind)
  const rest = sql`hour >= ${toDate(hourOf(from))} and hour < ${toDate(to)}${
    outcome === undefined ? sql`` : sql` and outcome = ${toColumnText(outcome)}`}`
  const columns = sql`subject, outcome, hour, events, bytes, last_at`
  if (id !== undefined) {
    const own = sql`org_id = ${orgId} and subject = ${subjectOf(kind, id)} and ${rest}`
    return sql`selected as (
      select ${columns} from counts where ${own} union all select ${columns} from count_deltas where ${own}
    )`
  }
  const all = sql`org_id = ${orgId} and subject >= ${first} and subject < ${end} and ${rest}`
  const deltas = sql`select ${columns} from count_deltas where ${all}`
  if (MANY_SUBJECTS.has(kind)) {
    return sql`selected as (select ${columns} from counts where ${all} union all ${deltas})`
  }
  return sql`${subjects(sql, orgId, first, end)}, selected as (
    select ${columns} from subjects, lateral (
      select * from counts where org_id = ${orgId} and subject = subjects.name and ${rest}
    ) folded
    union all ${deltas}
  )`
}

/** Returns the common table expression `subjects`: the subjects from `first` to `end`, one look-up for each. */
function subjects (sql: Sql, orgId: string, first: string, end: string): RawBuilder<unknown> {
  return sql`subjects as (
    (select subject as name from counts where org_id = ${orgId} and subject >= ${first} and subject < ${end}
      order by subject limit 1)
    union all
    select (select subject from counts where org_id = ${orgId} and subject > subjects.name and subject < ${end}
      order by subject limit 1)
    from subjects where subjects.name is not null
  )`
}

/** A time beyond the range of JavaScript's dates becomes its last or first date. */
function toDate (milliseconds: number): Date {
  return new Date(Math.max(-62e12, Math.min(milliseconds, 8.64e15)))
}
