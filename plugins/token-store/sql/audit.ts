import type { Kysely, RawBuilder, SelectQueryBuilder, Selectable, Sql } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import { ListPage } from '../../../lib/database/list/page.js'
import type { RowRequest } from '../../../lib/database/list/page.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { AuditEntry, AuditFilter, AuditTrail } from '../../../contracts/token-store/index.js'
import { toDate, toMilliseconds } from './times.js'

// A statement holds 65 535 parameters at most; an entry takes eleven.
const ENTRIES_A_STATEMENT = 1_000

export function sqlAudit (db: Kysely<DatabaseSchema>, lists: ListReads): AuditTrail & { sweep (olderThan: number): Promise<void> } {
  return {
    /** What was stored before is left as it is: a caller that could not know repeats itself. */
    async append (entries) {
      for (let at = 0; at < entries.length; at += ENTRIES_A_STATEMENT) {
        await db.insertInto('audit_log').values(entries.slice(at, at + ENTRIES_A_STATEMENT).map(toRow))
          .onConflict((conflict) => conflict.column('id').doNothing()).execute()
      }
    },

    async addRepeats (id, repeats) {
      const key = toColumnText(id)
      await db.transaction().execute(async (tx) => {
        const row = await tx.selectFrom('audit_log').select('changes').where('id', '=', key).forUpdate().executeTakeFirst()
        if (row === undefined) return
        await tx.updateTable('audit_log').set({ changes: JSON.stringify({ ...row.changes, repeats }) }).where('id', '=', key).execute()
      })
    },

    async list (orgId, filter, request) {
      const { sql } = await import('kysely')
      const page = new ListPage<EntryRow>(lists, request, (row) => ({ timestamp: toMilliseconds(row.timestamp), sequence: Number(row.seq) }))
      await page.fill((rows) => toScan(sql, db, toColumnText(orgId), filter, rows), { showsAll: showsAll(filter) })
      return page.page(toEntry)
    },

    async sweep (olderThan) {
      await db.deleteFrom('audit_log').where('timestamp', '<', toDate(olderThan)).execute()
    }
  }
}

type EntryRow = Omit<Selectable<DatabaseSchema['audit_log']>, 'changes'> & { changes: string | null }

const COLUMNS = ['id', 'seq', 'org_id', 'action', 'user_id', 'user_email', 'resource_type', 'resource_id', 'ip_address', 'user_agent', 'timestamp'] as const

/** Whether the rows that `toScan` goes through are those that the filter shows. */
function showsAll ({ action, actions, userId, resourceType, resourceId }: AuditFilter): boolean {
  return resourceType === undefined && [action ?? actions, userId, resourceId].filter((value) => value !== undefined).length <= 1
}

/** The rows of one index: that of the resource, of the user, of the action, or of all entries of the organisation. */
function toScan (
  sql: Sql, db: Kysely<DatabaseSchema>, orgId: string, { action, actions, userId, resourceType, resourceId, from, to }: AuditFilter, { before, scanLimit }: RowRequest
) {
  const names = action === undefined ? actions : actions?.filter((other) => other === action) ?? [action]
  const [user, type, resource] = [userId, resourceType, resourceId].map((value) => value === undefined ? undefined : toColumnText(value))
  let rows = db.selectFrom('audit_log').selectAll().where('org_id', '=', orgId).orderBy('timestamp', 'desc').orderBy('seq', 'desc').limit(scanLimit)
  if (from !== undefined) rows = rows.where('timestamp', '>=', toDate(from))
  if (to !== undefined) rows = rows.where('timestamp', '<=', toDate(to))
  if (before !== null) rows = rows.where((eb) => eb(eb.refTuple('timestamp', 'seq'), '<', eb.tuple(toDate(before.timestamp), String(before.sequence))))
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

/** The newest of each action, by the index, and of those the newest: one scan for all of them would read all that is newer than the rarest. */
function newestOfAny (sql: Sql, db: Kysely<DatabaseSchema>, query: EntryQuery, actions: readonly string[], limit: number) {
  const wanted = sql<{ action: string }>`unnest(${Array.from(new Set(actions), toColumnText)}::text[])`.as<'wanted'>(sql`wanted (action)`)
  return db.selectFrom(wanted)
    .innerJoinLateral(query.where('audit_log.action', '=', sql<string>`wanted.action`).as('entry'), (join) => join.onTrue())
    .selectAll('entry').orderBy('entry.timestamp', 'desc').orderBy('entry.seq', 'desc').limit(limit)
}

function toRow (entry: AuditEntry) {
  return {
    id: toColumnText(entry.id),
    org_id: toColumnText(entry.orgId),
    action: toColumnText(entry.action),
    user_id: textOrNull(entry.userId, toColumnText),
    user_email: textOrNull(entry.userEmail, toColumnText),
    resource_type: textOrNull(entry.resourceType, toColumnText),
    resource_id: textOrNull(entry.resourceId, toColumnText),
    changes: entry.changes === null ? null : JSON.stringify(entry.changes),
    ip_address: textOrNull(entry.ipAddress, toColumnText),
    user_agent: textOrNull(entry.userAgent, toColumnText),
    timestamp: toDate(entry.timestamp)
  }
}

function toEntry (row: EntryRow): AuditEntry {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    action: fromColumnText(row.action),
    userId: textOrNull(row.user_id, fromColumnText),
    userEmail: textOrNull(row.user_email, fromColumnText),
    resourceType: textOrNull(row.resource_type, fromColumnText),
    resourceId: textOrNull(row.resource_id, fromColumnText),
    changes: row.changes === null ? null : JSON.parse(row.changes) as AuditEntry['changes'],
    ipAddress: textOrNull(row.ip_address, fromColumnText),
    userAgent: textOrNull(row.user_agent, fromColumnText),
    timestamp: toMilliseconds(row.timestamp)
  }
}

function textOrNull (text: string | null, convert: (text: string) => string): string | null {
  return text === null ? null : convert(text)
}
