import type { Kysely, RawBuilder, Selectable, Sql } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import { ListPage } from '../../../lib/database/list/page.js'
import type { RowRequest } from '../../../lib/database/list/page.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type {
  RefusedEvent, RefusedEventFilter, RefusedEventLimits, RefusedEvents, RefusedReplay
} from '../../../contracts/token-store/index.js'
import { toDate, toMilliseconds } from './times.js'

/** A statement has at most 65 535 parameters; an event takes twenty. */
const EVENTS_PER_STATEMENT = 500
/** Maximum number of events that one statement of a sweep deletes. */
const SWEPT_PER_STATEMENT = 1_000

const COLUMNS = ['id', 'seq', 'org_id', 'source_id', 'code', 'reason', 'origin', 'ip', 'user_agent', 'path',
  'content_type', 'signed', 'type', 'event', 'message_id', 'received_at', 'bytes', 'truncated', 'replayed_at'] as const

export function sqlRefusedEvents (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  now: () => number
): RefusedEvents & { sweep(olderThan: number): Promise<void> } {
  return {
    async append (events, limits) {
      for (let at = 0; at < events.length; at += EVENTS_PER_STATEMENT) {
        await insert(db, events.slice(at, at + EVENTS_PER_STATEMENT))
      }
      if (events.length > 0) await trim(db, new Set(events.map(({ sourceId }) => toColumnText(sourceId))), limits)
    },

    async get (orgId, id) {
      const row = await db.selectFrom('refused_events').selectAll().where('id', '=', toColumnText(id))
        .where('org_id', '=', toColumnText(orgId)).executeTakeFirst()
      return row === undefined ? null : toEvent(row)
    },

    async list (orgId, filter, request) {
      const { sql } = await import('kysely')
      const page = new ListPage<ListedRow>(
        lists,
        request,
        (row) => ({ timestamp: toMilliseconds(row.received_at), sequence: Number(row.seq) })
      )
      await page.fill((rows) => toScan(sql, db, toColumnText(orgId), filter, rows), { showsAll: showsAll(filter) })
      return page.page(({ replay, ...row }) =>
        toEvent({ ...row, replay: replay === null ? null : JSON.parse(replay) as RefusedReplay })
      )
    },

    async delete (orgId, id) {
      const row = await db.deleteFrom('refused_events').where('id', '=', toColumnText(id))
        .where('org_id', '=', toColumnText(orgId)).returning('id').executeTakeFirst()
      return row !== undefined
    },

    async claim (orgId, ids, { claim, lease }) {
      const at = now()
      const rows = await db
        .with('free', (free) =>
          free.selectFrom('refused_events').select(['id', 'claim as previous'])
            .where('id', '=', ({ fn, val }) => fn.any(val(ids.map(toColumnText)))).where('org_id', '=', toColumnText(orgId))
            .where('replayed_at', 'is', null)
            .where((eb) => eb.or([eb('claimed_until', 'is', null), eb('claimed_until', '<=', toDate(at))]))
            .forUpdate().skipLocked())
        .updateTable('refused_events').from('free').whereRef('refused_events.id', '=', 'free.id')
        .set({ claim: toColumnText(claim), claimed_until: toDate(at + lease) })
        .returningAll('refused_events').returning('free.previous').execute()
      return rows.map(({ previous, ...row }) => ({ event: toEvent(row), again: previous !== null }))
    },

    async settle (orgId, ids) {
      await db.updateTable('refused_events').set({ replayed_at: toDate(now()) })
        .where('id', '=', ({ fn, val }) => fn.any(val(ids.map(toColumnText)))).where('org_id', '=', toColumnText(orgId))
        .where('replayed_at', 'is', null).execute()
    },

    async release (orgId, claim) {
      await db.updateTable('refused_events').set({ claimed_until: toDate(now()) })
        .where('org_id', '=', toColumnText(orgId)).where('claim', '=', toColumnText(claim))
        .where('replayed_at', 'is', null).execute()
    },

    async sweep (olderThan) {
      const { sql } = await import('kysely')
      let deleted = SWEPT_PER_STATEMENT
      while (deleted === SWEPT_PER_STATEMENT) {
        const { numAffectedRows } = await sql`
          delete from refused_events where id in (
            select id from refused_events where received_at < ${toDate(olderThan)}
            order by received_at limit ${sql.lit(SWEPT_PER_STATEMENT)} for update skip locked
          )`.execute(db)
        deleted = Number(numAffectedRows)
      }
    }
  }
}

/** Inserts events; a lock keeps their sources from being deleted at the same time. */
async function insert (db: Kysely<DatabaseSchema>, events: readonly RefusedEvent[]): Promise<void> {
  const ids = Array.from(new Set(events.map(({ sourceId }) => toColumnText(sourceId))))
  await db.transaction().execute(async (tx) => {
    const sources = await tx.selectFrom('sources').select(['id', 'org_id']).where('id', 'in', ids).forKeyShare().execute()
    const orgs = new Map(sources.map(({ id, org_id: orgId }) => [id, orgId]))
    const rows = events.map(toRow).filter((row) => orgs.get(row.source_id) === row.org_id)
    if (rows.length === 0) return
    await tx.insertInto('refused_events').values(rows).onConflict((conflict) => conflict.column('id').doNothing())
      .execute()
  })
}

/** Deletes the oldest events beyond the limits. Skips events that another instance deletes at the same time. */
async function trim (
  db: Kysely<DatabaseSchema>,
  sourceIds: ReadonlySet<string>,
  { maxRows, maxBytes }: RefusedEventLimits
): Promise<void> {
  const { sql } = await import('kysely')
  await sql`
    delete from refused_events where id in (
      select id from refused_events where id in (
        select id from (
          select id, row_number() over newest as place, sum(bytes) over newest as total
          from refused_events where source_id = any (${Array.from(sourceIds)}::text[])
          window newest as (partition by source_id order by received_at desc, seq desc)
        ) ranked where place > ${maxRows}::bigint or total > ${maxBytes}::bigint
      ) for update skip locked
    )`.execute(db)
}

type Row = Selectable<DatabaseSchema['refused_events']>
type ListedRow = Omit<Row, 'replay'> & { replay: string | null }

/** Whether every row that `toScan` selects matches the filter. */
function showsAll ({ code, origin, type, messageId, replayed }: RefusedEventFilter): boolean {
  return [code, origin, type, messageId, replayed].every((value) => value === undefined)
}

/** Returns the scan of the index of the source, or of the organisation. */
function toScan (
  sql: Sql,
  db: Kysely<DatabaseSchema>,
  orgId: string,
  { sourceId, code, origin, type, messageId, replayed, from, to }: RefusedEventFilter,
  { before, scanLimit }: RowRequest
) {
  let rows = db.selectFrom('refused_events').selectAll().where('org_id', '=', orgId)
    .orderBy('received_at', 'desc').orderBy('seq', 'desc').limit(scanLimit)
  if (sourceId !== undefined) rows = rows.where('source_id', '=', toColumnText(sourceId))
  if (from !== undefined) rows = rows.where('received_at', '>=', toDate(from))
  if (to !== undefined) rows = rows.where('received_at', '<=', toDate(to))
  if (before !== null) {
    rows = rows.where((eb) =>
      eb(eb.refTuple('received_at', 'seq'), '<', eb.tuple(toDate(before.timestamp), String(before.sequence)))
    )
  }
  const conditions: Array<RawBuilder<unknown>> = [sql`true`]
  for (const [column, value] of Object.entries({ code, origin, type, message_id: messageId })) {
    if (value !== undefined) conditions.push(sql`${sql.ref(column)} = ${toColumnText(value)}`)
  }
  if (replayed !== undefined) conditions.push(replayed ? sql`replayed_at is not null` : sql`replayed_at is null`)
  return {
    rows,
    filter: sql.join(conditions, sql` and `),
    time: 'received_at',
    columns: COLUMNS,
    jsonColumns: ['payload', 'replay']
  }
}

function toRow (event: RefusedEvent) {
  return {
    id: toColumnText(event.id),
    org_id: toColumnText(event.orgId),
    source_id: toColumnText(event.sourceId),
    code: toColumnText(event.code),
    reason: toColumnText(event.reason),
    origin: convertOrNull(event.origin, toColumnText),
    ip: toColumnText(event.ip),
    user_agent: convertOrNull(event.userAgent, toColumnText),
    path: toColumnText(event.path),
    content_type: convertOrNull(event.contentType, toColumnText),
    signed: event.signed,
    type: convertOrNull(event.type, toColumnText),
    event: convertOrNull(event.event, toColumnText),
    message_id: convertOrNull(event.messageId, toColumnText),
    received_at: toDate(event.receivedAt),
    bytes: event.bytes,
    payload: toColumnText(event.payload),
    truncated: event.truncated,
    replay: event.replay === null ? null : JSON.stringify(event.replay),
    replayed_at: event.replayedAt === null ? null : toDate(event.replayedAt)
  }
}

function toEvent (row: Omit<Row, 'seq' | 'claim' | 'claimed_until'>): RefusedEvent {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    sourceId: fromColumnText(row.source_id),
    code: fromColumnText(row.code),
    reason: fromColumnText(row.reason),
    origin: convertOrNull(row.origin, fromColumnText),
    ip: fromColumnText(row.ip),
    userAgent: convertOrNull(row.user_agent, fromColumnText),
    path: fromColumnText(row.path),
    contentType: convertOrNull(row.content_type, fromColumnText),
    signed: row.signed,
    type: convertOrNull(row.type, fromColumnText),
    event: convertOrNull(row.event, fromColumnText),
    messageId: convertOrNull(row.message_id, fromColumnText),
    receivedAt: toMilliseconds(row.received_at),
    bytes: row.bytes,
    payload: fromColumnText(row.payload),
    truncated: row.truncated,
    replay: row.replay,
    replayedAt: toMilliseconds(row.replayed_at)
  }
}

function convertOrNull (value: string | null, convert: (value: string) => string): string | null {
  return value === null ? null : convert(value)
}
