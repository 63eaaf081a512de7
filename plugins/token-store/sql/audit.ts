import type { Kysely, RawBuilder, SelectQueryBuilder, Selectable, Sql } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import { ListPage } from '../../../lib/database/list/page.js'
import type { RowRequest } from '../../../lib/database/list/page.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { AuditEntry, AuditFilter, AuditTrail } from '../../../contracts/token-store/index.js'
import { expireAudit } from './expire-audit.js'
import { toDate, toMilliseconds } from './times.js'

/** Bounds the memory and the time of one statement. */
const ENTRIES_PER_STATEMENT = 1_000

export function sqlAudit (
  db: Kysely<DatabaseSchema>,
  lists: ListReads
): AuditTrail & { sweep(olderThan: number): Promise<void> } {
  return {
    /** Leaves entries that are already stored unchanged: a caller without a confirmation appends again. */
    async append (entries) {
      const { sql } = await import('kysely')
      for (let at = 0; at < entries.length; at += ENTRIES_PER_STATEMENT) {
        await insertion(sql, entries.slice(at, at + ENTRIES_PER_STATEMENT)).execute(db)
      }
    },

    async addRepeats (id, repeats) {
      const key = toColumnText(id)
      await db.transaction().execute(async (tx) => {
        const row = await tx.selectFrom('audit_log').select('changes').where('id', '=', key).forUpdate()
          .executeTakeFirst()
        if (row === undefined) return
        await tx.updateTable('audit_log').set({ changes: JSON.stringify({ ...row.changes, repeats }) }).where(
          'id',
          '=',
          key
        ).execute()
      })
    },

    async list (orgId, filter, request) {
      const { sql } = await import('kysely')
      const page = new ListPage<EntryRow>(
        lists,
        request,
        (row) => ({ timestamp: toMilliseconds(row.timestamp), sequence: Number(row.seq) })
      )
      await page.fill((rows) => toScan(sql, db, toColumnText(orgId), filter, rows), { showsAll: showsAll(filter) })
      return page.page(toEntry)
    },

    sweep: (olderThan) => expireAudit(db, olderThan)
  }
}

type EntryRow = Omit<Selectable<DatabaseSchema['audit_log']>, 'changes'> & { changes: string | null }

const COLUMNS = ['id', 'seq', 'org_id', 'action', 'user_id', 'user_email', 'resource_type', 'resource_id', 'ip_address',
  'user_agent', 'timestamp'] as const

/** Whether every row that `toScan` selects matches the filter. */
function showsAll ({ action, actions, userId, resourceType, resourceId }: AuditFilter): boolean {
  return resourceType === undefined &&
    [action ?? actions, userId, resourceId].filter((value) => value !== undefined).length <= 1
}

/** Returns the scan of one index: of the resource, the user, the action, or all entries of the organisation. */
function toScan (
  sql: Sql,
  db: Kysely<DatabaseSchema>,
  orgId: string,
  { action, actions, userId, resourceType, resourceId, from, to }: AuditFilter,
  { before, scanLimit }: RowRequest
) {
  const names = action === undefined ? actions : actions?.filter((other) => other === action) ?? [action]
  const [user, type, resource] = [userId, resourceType, resourceId].map((value) =>
    value === undefined ? undefined : toColumnText(value)
  )
  let rows = db.selectFrom('audit_log').selectAll().where('org_id', '=', orgId).orderBy('timestamp', 'desc').orderBy(
    'seq',
    'desc'
  ).limit(scanLimit)
  if (from !== undefined) rows = rows.where('timestamp', '>=', toDate(from))
  if (to !== undefined) rows = rows.where('timestamp', '<=', toDate(to))
  if (before !== null) {
    rows = rows.where((eb) =>
      eb(eb.refTuple('timestamp', 'seq'), '<', eb.tuple(toDate(before.timestamp), String(before.sequence)))
    )
  }
  const conditions: Array<RawBuilder<unknown>> = [sql`true`]
  if (names !== undefined) conditions.push(sql`action = any (${Array.from(names, toColumnText)}::text[])`)
  if (user !== undefined) conditions.push(sql`user_id = ${user}`)
  if (type !== undefined) conditions.push(sql`resource_type = ${type}`)
  if (resource !== undefined) conditions.push(sql`resource_id = ${resource}`)
  const condition = sql.join(conditions, sql` and `)
  const rest = { filter: condition, time: 'timestamp', columns: COLUMNS, jsonColumns: ['changes'] }
  if (resource !== undefined) return { ...rest, rows: rows.where('resource_id', '=', resource) }
  if (user !== undefined) return { ...rest, rows: rows.where('user_id', '=', user) }
  return { ...rest, rows: names === undefined ? rows : newestOfAny(sql, db, rows, names, scanLimit) }
}

type EntryQuery = SelectQueryBuilder<DatabaseSchema, 'audit_log', Selectable<DatabaseSchema['audit_log']>>

/** Selects the newest rows per action by the index: one scan for all would read every row newer than the rarest. */
function newestOfAny (
  sql: Sql,
  db: Kysely<DatabaseSchema>,
  query: EntryQuery,
  actions: readonly string[],
  limit: number
) {
  const wanted = sql<{ action: string }>`unnest(${Array.from(new Set(actions), toColumnText)}::text[])`.as<'wanted'>(
    sql`wanted (action)`
  )
  return db.selectFrom(wanted)
    .innerJoinLateral(
      query.where('audit_log.action', '=', sql<string>`wanted.action`).as('entry'),
      (join) => join.onTrue()
    )
    .selectAll('entry').orderBy('entry.timestamp', 'desc').orderBy('entry.seq', 'desc').limit(limit)
}

/** One parameter per column: one per value would take several times as long to build, to send and to parse. */
function insertion (sql: Sql, entries: readonly AuditEntry[]): RawBuilder<unknown> {
  const text = (read: (entry: AuditEntry) => string | null) =>
    sql`${entries.map((entry) => convertOrNull(read(entry), toColumnText))}::text[]`
  const changes = entries.map((entry) => entry.changes === null ? null : JSON.stringify(entry.changes))
  return sql`insert into audit_log (id, org_id, action, user_id, user_email, resource_type, resource_id, ip_address,
      user_agent, changes, timestamp)
    select id, org_id, action, user_id, user_email, resource_type, resource_id, ip_address, user_agent, changes::json, at
    from unnest(
      ${text(({ id }) => id)},
      ${text(({ orgId }) => orgId)},
      ${text(({ action }) => action)},
      ${text(({ userId }) => userId)},
      ${text(({ userEmail }) => userEmail)},
      ${text(({ resourceType }) => resourceType)},
      ${text(({ resourceId }) => resourceId)},
      ${text(({ ipAddress }) => ipAddress)},
      ${text(({ userAgent }) => userAgent)},
      ${changes}::text[],
      ${entries.map(({ timestamp }) => toDate(timestamp))}::timestamptz[]
    ) with ordinality as entry (id, org_id, action, user_id, user_email, resource_type, resource_id, ip_address,
      user_agent, changes, at, position)
    order by position
    on conflict (id) do nothing`
}

function toEntry (row: EntryRow): AuditEntry {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    action: fromColumnText(row.action),
    userId: convertOrNull(row.user_id, fromColumnText),
    userEmail: convertOrNull(row.user_email, fromColumnText),
    resourceType: convertOrNull(row.resource_type, fromColumnText),
    resourceId: convertOrNull(row.resource_id, fromColumnText),
    changes: row.changes === null ? null : JSON.parse(row.changes) as AuditEntry['changes'],
    ipAddress: convertOrNull(row.ip_address, fromColumnText),
    userAgent: convertOrNull(row.user_agent, fromColumnText),
    timestamp: toMilliseconds(row.timestamp)
  }
}

function convertOrNull (value: string | null, convert: (value: string) => string): string | null {
  return value === null ? null : convert(value)
}
