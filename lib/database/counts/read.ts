import type { Kysely } from 'kysely'

import type { CountReader } from '../../../contracts/counts.js'
import { MAX_LATEST, MAX_TOTALS } from '../../counts/memory-counts.js'
import { fromColumnText, toColumnText } from '../column-text.js'
import type { ListReads } from '../list/reads.js'
import type { DatabaseSchema } from '../schema.js'
import { ofAllIds, ofOneId, subjects, sums } from './selections.js'
import { idOf, subjectOf, subjectsOf } from './subject.js'

interface Sums {
  outcome: string
  events: string
  bytes: string
}

/**
 * Reads all tables of counts in one statement, so that a concurrent `foldCounts` hides and doubles nothing. Totals
 * of one id run on the connections of requests, other reads on those of lists.
 */
export function sqlCountReader (db: Kysely<DatabaseSchema>, lists: ListReads): CountReader {
  return {
    async series (orgId, filter, interval) {
      const { sql } = await import('kysely')
      const at = interval === 'hour' ? sql`hour` : sql`date_trunc('day', hour, 'UTC')`
      const statement = sql<Sums & { at: Date }>`
        with ${filter.id === undefined ? sums(sql, orgId, filter) : ofOneId(sql, orgId, filter, filter.id)}
        select ${at} as at, outcome, sum(events)::text as events, sum(bytes)::text as bytes
        from selected group by 1, 2 order by 1, 2`
      const { rows } = await lists.read((connection) => statement.execute(connection))
      return rows.map((row) => ({ at: row.at.getTime(), ...toSums(row) }))
    },

    async totals (orgId, filter) {
      const { sql } = await import('kysely')
      const statement = sql<Sums & { subject: string, last_at: Date }>`
        with recursive ${filter.id === undefined ? ofAllIds(sql, orgId, filter) : ofOneId(sql, orgId, filter, filter.id)}
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
      const own = sql`org_id = ${orgId} and subject >= ${first} and subject < ${end} and outcome = ${wanted}`
      const ofDay = sql`select subject, last_at from count_days where ${own} and kind = ${kind}`
      // If the last two days have enough subjects, none of the others is later.
      const isShort = sql` and (select count(*) from recent) < ${sql.lit(MAX_LATEST)}`
      const statement = sql<{ subject: string, last_at: Date }>`
        with recursive days as materialized (
          select max(day) as newest from count_days where org_id = ${orgId} and kind = ${kind}
        ), recent as materialized (
          select subject, max(last_at) as last_at from (
            ${ofDay} and day = (select newest from days)
            union all ${ofDay} and day = (select newest - interval '1 day' from days)
          ) of_days group by 1
        ), ${subjects(sql, orgId, first, end, isShort)}, latest as (
          select subject, last_at from recent
          union all
          select name as subject, last_at from subjects, lateral (
            select last_at from counts where org_id = ${orgId} and subject = name and outcome = ${wanted}
            order by hour desc limit 1
          ) newest
          union all
          select subject, last_at from count_deltas where ${own}
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
