import type { Kysely, SelectQueryBuilder, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../database/column-text.js'
import type { DatabaseSchema } from '../../database/schema.js'
import type { AuditEntry, AuditTrail } from '../store.js'
import { afterCursor, toPage } from './pages.js'
import { toDate, toMilliseconds } from './times.js'

// A statement holds 65 535 parameters at most; an entry takes eleven.
const ENTRIES_A_STATEMENT = 1_000

export function sqlAudit (db: Kysely<DatabaseSchema>): AuditTrail & { sweep (olderThan: number): Promise<void> } {
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

    async list (orgId, { action, actions, userId, resourceType, resourceId, from, to }, page) {
      let query = db.selectFrom('audit_log').selectAll().where('org_id', '=', toColumnText(orgId))
        .orderBy('timestamp', 'desc').orderBy('seq', 'desc').limit(page.limit + 1)
      if (action !== undefined) query = query.where('action', '=', toColumnText(action))
      if (userId !== undefined) query = query.where('user_id', '=', toColumnText(userId))
      if (resourceType !== undefined) query = query.where('resource_type', '=', toColumnText(resourceType))
      if (resourceId !== undefined) query = query.where('resource_id', '=', toColumnText(resourceId))
      if (from !== undefined) query = query.where('timestamp', '>=', toDate(from))
      if (to !== undefined) query = query.where('timestamp', '<=', toDate(to))
      const after = afterCursor(page)
      if (after !== null) query = query.where((eb) => eb(eb.refTuple('timestamp', 'seq'), '<', eb.tuple(after.date, after.seq)))
      const rows = actions === undefined ? await query.execute() : await newestOfAny(db, query, actions, page.limit + 1)
      return toPage(rows, page, toEntry, (row) => ({ timestamp: toMilliseconds(row.timestamp), sequence: Number(row.seq) }))
    },

    async sweep (olderThan) {
      await db.deleteFrom('audit_log').where('timestamp', '<', toDate(olderThan)).execute()
    }
  }
}

type EntryQuery = SelectQueryBuilder<DatabaseSchema, 'audit_log', Selectable<DatabaseSchema['audit_log']>>

/** The newest of each action, by the index, and of those the newest: one scan for all of them would read all that is newer than the rarest. */
async function newestOfAny (db: Kysely<DatabaseSchema>, query: EntryQuery, actions: readonly string[], limit: number) {
  // Imported here so that this module loads where kysely, an optional package, is not installed; `openDatabase` then says what to install.
  const { sql } = await import('kysely')
  const wanted = sql<{ action: string }>`unnest(${Array.from(new Set(actions), toColumnText)}::text[])`.as<'wanted'>(sql`wanted (action)`)
  return await db.selectFrom(wanted)
    .innerJoinLateral(query.where('audit_log.action', '=', sql<string>`wanted.action`).as('entry'), (join) => join.onTrue())
    .selectAll('entry').orderBy('entry.timestamp', 'desc').orderBy('entry.seq', 'desc').limit(limit).execute()
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

function toEntry (row: Selectable<DatabaseSchema['audit_log']>): AuditEntry {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    action: fromColumnText(row.action),
    userId: textOrNull(row.user_id, fromColumnText),
    userEmail: textOrNull(row.user_email, fromColumnText),
    resourceType: textOrNull(row.resource_type, fromColumnText),
    resourceId: textOrNull(row.resource_id, fromColumnText),
    changes: row.changes,
    ipAddress: textOrNull(row.ip_address, fromColumnText),
    userAgent: textOrNull(row.user_agent, fromColumnText),
    timestamp: toMilliseconds(row.timestamp)
  }
}

function textOrNull (text: string | null, convert: (text: string) => string): string | null {
  return text === null ? null : convert(text)
}
