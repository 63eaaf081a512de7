import type { RawBuilder } from 'kysely'

import { toColumnText } from '../../../lib/database/column-text.js'
import type { RowRequest } from '../../../lib/database/list/page.js'
import type { ListScan } from '../../../lib/database/list/scan.js'
import type { Database } from '../../../lib/database/open-database.js'
import { importOptional } from '../../../lib/optional-package.js'
import type { EventFilter } from '../../../contracts/event-sink.js'
import { keyOf } from './keys.js'
import { LOOKUPS, lookupOf } from './lookup-index.js'
import type { LookupName } from './lookup-index.js'

const COLUMNS = ['seq', 'org_id', 'source_id', 'message_id', 'type', 'auth_method', 'received_at', 'timestamp', 'ip',
  'user_agent'] as const
const JSON_COLUMNS = ['payload', 'additions'] as const
const KEY_COLUMNS = {
  messageId: 'message_key', event: 'event_key', userId: 'user_key', anonymousId: 'anonymous_key'
} as const satisfies Partial<Record<keyof EventFilter, string>>
const NAMES = Object.keys(KEY_COLUMNS) as Array<keyof typeof KEY_COLUMNS>
/** Strings that JSON may contain unescaped. */
const PLAIN = /^[^"\\\p{Cc}\p{Cs}]+$/u

/** Events received from `since`, inclusive, to `until`, exclusive; epoch milliseconds. */
export interface Span {
  since: number
  until: number
}

export type ScanOf = (
  orgId: string,
  filter: EventFilter,
  span: Span,
  request: RowRequest
) => Omit<ListScan, keyof RowRequest> & Pick<RowRequest, 'scanLimit'>

/** Whether a filter needs the columns at the end of the index, as no other index is in their order. */
export function isSearch (filter: EventFilter): boolean {
  return filter.timestampFrom !== undefined || filter.timestampTo !== undefined ||
    NAMES.some((name) => filter[name] !== undefined)
}

/**
 * `plain`: reads the index of the source, of the type, or of all events of the organisation. `keys`: compares the keys
 * in the index of all events. `lookup`: reads one of `LOOKUPS`. All events of the span of the last two have their keys.
 */
export type ScanKind = 'plain' | 'keys' | 'lookup'

/** Creates the functions that return the scan of one index. */
export async function eventScans ({ db }: Database): Promise<Record<ScanKind, ScanOf>> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')

  function scan (kind: ScanKind): ScanOf {
    return (orgId, filter, { since, until }, { before, scanLimit }) => {
      const { sourceId, type, from, to } = filter
      const lookup = kind === 'lookup' ? lookupOf(filter) : null
      let rows = db.selectFrom('events').select([...COLUMNS, ...JSON_COLUMNS, ...Object.values(KEY_COLUMNS)])
        .orderBy('received_at', 'desc').orderBy('seq', 'desc').limit(scanLimit)
      if (lookup !== null) {
        const { expression, where } = LOOKUPS[lookup]
        rows = rows.where(sql.raw<string>(expression), '=', lookedUp(orgId, filter, lookup))
        if (where !== null) rows = rows.where(sql.raw<boolean>(where))
        if (lookup === 'timestamp') for (const condition of conditionsOnTime(filter)) rows = rows.where(condition)
      } else if (kind === 'keys') {
        rows = rows.where('org_id', '=', orgId)
        for (const [column, key] of keysIn(filter)) rows = rows.where(column, '=', key)
        for (const condition of conditionsOnTime(filter)) rows = rows.where(condition)
      } else if (sourceId !== undefined) {
        rows = rows.where(hashOf('source_id'), '=', hash(orgId, toColumnText(sourceId)))
      } else if (type !== undefined && type !== 'track') {
        // The second condition is the predicate of the partial index.
        rows = rows.where(hashOf('type'), '=', hash(orgId, type)).where('type', '<>', sql.lit('track'))
      } else {
        rows = rows.where('org_id', '=', orgId)
      }
      const first = Math.max(since, from ?? -Infinity)
      const last = Math.min(before?.timestamp ?? Infinity, to ?? Infinity)
      if (first !== -Infinity) rows = rows.where('received_at', '>=', new Date(first))
      if (last !== Infinity) rows = rows.where('received_at', '<=', new Date(last))
      if (until !== Infinity) rows = rows.where('received_at', '<', new Date(until))
      if (before !== null) {
        rows = rows.where((eb) =>
          eb(eb.refTuple('received_at', 'seq'), '<', eb.tuple(new Date(before.timestamp), String(before.sequence)))
        )
      }
      const condition = sql<boolean>`${sql.join(conditionsOf(orgId, filter, kind), sql` and `)}`
      return { rows, filter: condition, time: 'received_at', columns: COLUMNS, jsonColumns: JSON_COLUMNS, scanLimit }
    }
  }

  /** The conditions on each scanned row. */
  function conditionsOf (orgId: string, filter: EventFilter, kind: ScanKind): Array<RawBuilder<boolean>> {
    const { sourceId, type, messageId, event, userId, anonymousId } = filter
    const conditions = [sql<boolean>`org_id = ${orgId}`]
    if (sourceId !== undefined) conditions.push(sql`source_id = ${toColumnText(sourceId)}`)
    if (type !== undefined) conditions.push(sql`type = ${type}`)
    if (messageId !== undefined) conditions.push(sql`message_id = ${toColumnText(messageId)}`)
    if (kind === 'keys') return conditions
    if (kind === 'lookup') {
      for (const [column, key] of keysIn(filter)) conditions.push(sql`${sql.ref(column)} = ${key}`)
    } else {
      for (const value of [event, userId, anonymousId]) if (value !== undefined) conditions.push(mayContain(value))
    }
    return [...conditions, ...conditionsOnTime(filter)]
  }

  function conditionsOnTime ({ timestampFrom, timestampTo }: EventFilter): Array<RawBuilder<boolean>> {
    const conditions: Array<RawBuilder<boolean>> = []
    if (timestampFrom !== undefined) conditions.push(sql`"timestamp" >= ${new Date(timestampFrom)}`)
    if (timestampTo !== undefined) conditions.push(sql`"timestamp" <= ${new Date(timestampTo)}`)
    return conditions
  }

  /**
   * Whether the JSON of an event contains a string, perhaps escaped. An exact comparison in SQL would fail on events
   * with escapes that PostgreSQL cannot decode, such as \u0000.
   */
  function mayContain (value: string): RawBuilder<boolean> {
    const within = (part: string) =>
      sql`strpos(payload::text, ${part}) > 0 or strpos(additions::text, ${part}) > 0`
    return PLAIN.test(value) ? sql`(${within(value)} or ${within('\\')})` : sql`(${within('\\')})`
  }

  /** The value of the expression of a look-up's index. */
  function lookedUp (orgId: string, filter: EventFilter, lookup: LookupName) {
    if (lookup === 'timestamp') return sql<string>`hashtextextended(${orgId}::text, 0)`
    const { messageId = '', sourceId = '', type = '' } = filter
    if (lookup === 'messageId') return hash(orgId, toColumnText(messageId))
    if (lookup === 'sourceAndType') return hash(orgId, `${toColumnText(sourceId)}\n${type}`)
    return sql<string>`hashtextextended(${orgId}::text, ${keyOf(filter[lookup] ?? '')}::bigint)`
  }

  /** The expression that the indexes by source and by type use in place of the ids. */
  function hashOf (column: 'source_id' | 'type') {
    return sql<string>`hashtextextended(org_id || E'\n' || ${sql.ref(column)}, 0)`
  }

  function hash (orgId: string, value: string) {
    return sql<string>`hashtextextended(${`${orgId}\n${value}`}::text, 0)`
  }

  return { plain: scan('plain'), keys: scan('keys'), lookup: scan('lookup') }
}

function keysIn (filter: EventFilter): Array<[column: typeof KEY_COLUMNS[keyof typeof KEY_COLUMNS], key: number]> {
  return NAMES.flatMap((name) => {
    const value = filter[name]
    return value === undefined ? [] : [[KEY_COLUMNS[name], keyOf(value)]]
  })
}
