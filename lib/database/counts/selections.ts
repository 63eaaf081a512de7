import type { RawBuilder, Sql } from 'kysely'

import type { CountFilter, CountKind } from '../../../contracts/counts.js'
import { DAY, hourOf } from '../../counts/count-table.js'
import { toColumnText } from '../column-text.js'
import { subjectOf, subjectsOf } from './subject.js'

/** Kinds with a subject for each source, of which an organisation may have many thousands. */
const MANY_SUBJECTS: ReadonlySet<CountKind> = new Set(['stored', 'source'])

/** Returns the common table expression `selected`: the counts of one id. */
export function ofOneId (sql: Sql, orgId: string, filter: CountFilter, id: string): RawBuilder<unknown> {
  const own = sql`${orgOf(sql, orgId)} and subject = ${subjectOf(filter.kind, id)} and ${rangeOf(sql, filter)}`
  return sql`selected as (
    select ${columns(sql)} from counts where ${own} union all select ${columns(sql)} from count_deltas where ${own}
  )`
}

/** Returns the common table expression `selected`: the sums of all ids by hour. */
export function sums (sql: Sql, orgId: string, filter: CountFilter): RawBuilder<unknown> {
  const own = sql`${orgOf(sql, orgId)} and ${rangeOf(sql, filter)}`
  return sql`selected as (
    select hour, outcome, events, bytes from count_hours where kind = ${filter.kind} and ${own}
    union all
    select hour, outcome, events, bytes from count_deltas where ${ofKind(sql, filter.kind)} and ${own}
  )`
}

/**
 * Returns the common table expressions up to `selected`: the counts of all ids. Those of many subjects are read by day,
 * and by the index of hours at the ends of the range; each of few subjects is looked up in the primary key.
 */
export function ofAllIds (sql: Sql, orgId: string, filter: CountFilter): RawBuilder<unknown> {
  const { kind } = filter
  const [first, end] = subjectsOf(kind)
  const range = rangeOf(sql, filter)
  const deltas = sql`select subject, outcome, events, bytes, last_at from count_deltas
    where ${orgOf(sql, orgId)} and ${ofKind(sql, kind)} and ${range}`
  if (!MANY_SUBJECTS.has(kind)) {
    return sql`${subjects(sql, toColumnText(orgId), first, end)}, selected as (
      select subject, outcome, events, bytes, last_at from subjects, lateral (
        select * from counts where ${orgOf(sql, orgId)} and subject = subjects.name and ${range}
      ) folded
      union all ${deltas}
    )`
  }
  const hours = sql`select subject, outcome, events, bytes, last_at from counts
    where ${orgOf(sql, orgId)} and ${ofKind(sql, kind)} and ${range}`
  return sql`${wholeDays(sql, orgId, filter)}, selected as (
    select subject, outcome, events, bytes, last_at from count_days
    where ${orgOf(sql, orgId)} and kind = ${kind}${ofOutcome(sql, filter)}
      and day >= (select since from days) and day < (select until from days)
    union all ${hours} and hour < (select since from days)
    union all ${hours} and hour >= (select until from days)
    union all ${deltas}
  )`
}

/**
 * Returns the common table expression `days`: the days of a range that can be read as a whole. A day that the range
 * cuts is one of them if its other hours have no counts, as on the current day; the hours of any other are read.
 */
function wholeDays (sql: Sql, orgId: string, { kind, from, to }: CountFilter): RawBuilder<unknown> {
  const start = hourOf(from)
  const end = Math.max(start, to)
  const [firstDay, lastDay] = [Math.floor(start / DAY) * DAY, Math.ceil(end / DAY) * DAY]
  const isEmpty = (since: RawBuilder<Date>, until: RawBuilder<Date>) =>
    sql`not exists (select from count_hours where ${orgOf(sql, orgId)} and kind = ${kind}
      and hour >= ${since} and hour < ${until})`
  const date = (time: number) => dateOf(sql, time)
  return sql`whole as materialized (
    select case when ${isEmpty(date(firstDay), date(start))} then ${date(firstDay)}
        else ${date(Math.ceil(start / DAY) * DAY)} end as since,
      case when ${isEmpty(date(end), date(lastDay))} then ${date(lastDay)}
        else ${date(Math.floor(end / DAY) * DAY)} end as until
  ), days as materialized (
    select case when since < until then since else ${date(end)} end as since,
      case when since < until then until else ${date(end)} end as until from whole
  )`
}

/**
 * Returns the common table expression `subjects`: the subjects from `first` to `end`, one look-up for each. It is empty
 * unless the condition `and` is true.
 */
export function subjects (
  sql: Sql,
  orgId: string,
  first: string,
  end: string,
  and: RawBuilder<unknown> = sql``
): RawBuilder<unknown> {
  return sql`subjects as (
    (select subject as name from counts where org_id = ${orgId} and subject >= ${first} and subject < ${end}${and}
      order by subject limit 1)
    union all
    select (select subject from counts where org_id = ${orgId} and subject > subjects.name and subject < ${end}
      order by subject limit 1)
    from subjects where subjects.name is not null
  )`
}

const columns = (sql: Sql) => sql`subject, outcome, hour, events, bytes, last_at`
const orgOf = (sql: Sql, orgId: string) => sql`org_id = ${toColumnText(orgId)}`
const dateOf = (sql: Sql, time: number) => sql<Date>`${toDate(time)}::timestamptz`

function ofKind (sql: Sql, kind: CountKind): RawBuilder<boolean> {
  const [first, end] = subjectsOf(kind)
  return sql`subject >= ${first} and subject < ${end}`
}

function ofOutcome (sql: Sql, { outcome }: CountFilter): RawBuilder<unknown> {
  return outcome === undefined ? sql`` : sql` and outcome = ${toColumnText(outcome)}`
}

function rangeOf (sql: Sql, filter: CountFilter): RawBuilder<boolean> {
  return sql`hour >= ${toDate(hourOf(filter.from))} and hour < ${toDate(filter.to)}${ofOutcome(sql, filter)}`
}

/** A time beyond the range of JavaScript's dates becomes its last or first date. */
function toDate (milliseconds: number): Date {
  return new Date(Math.max(-62e12, Math.min(milliseconds, 8.64e15)))
}
