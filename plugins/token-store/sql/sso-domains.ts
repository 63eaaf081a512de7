import type { Kysely, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { SsoDomain, SsoDomains } from '../../../contracts/token-store/index.js'
import { domainProvedElsewhere, domainTaken, newDomainId } from '../limits.js'
import { afterCursor, readPage } from './pages.js'
import { assertRoom } from './quotas.js'
import { toDate, toMilliseconds } from './times.js'

export function sqlSsoDomains (db: Kysely<DatabaseSchema>, lists: ListReads, now: () => number): SsoDomains {
  function select (orgId: string, id: string) {
    return db.selectFrom('sso_domains').selectAll().where('org_id', '=', toColumnText(orgId))
      .where('id', '=', toColumnText(id))
  }

  return {
    async add ({ orgId, domain, token, quota }) {
      return await db.transaction().execute(async (tx) => {
        await assertRoom(tx, 'sso_domains', orgId, quota)
        const row = await tx.insertInto('sso_domains').values({
          id: newDomainId(),
          org_id: toColumnText(orgId),
          domain: toColumnText(domain.toLowerCase()),
          token: toColumnText(token),
          created_at: toDate(now())
        }).onConflict((conflict) => conflict.columns(['org_id', 'domain']).doNothing()).returningAll()
          .executeTakeFirst()
        if (row === undefined) throw domainTaken()
        return toDomain(row)
      })
    },

    async get (orgId, id) {
      const row = await select(orgId, id).executeTakeFirst()
      return row === undefined ? null : toDomain(row)
    },

    async list (orgId, page) {
      let query = db.selectFrom('sso_domains').selectAll().where('org_id', '=', toColumnText(orgId))
        .orderBy('created_at', 'desc').orderBy('seq', 'desc').limit(page.limit + 1)
      const after = afterCursor(page)
      if (after !== null) {
        query = query.where((eb) => eb(eb.refTuple('created_at', 'seq'), '<', eb.tuple(after.date, after.seq)))
      }
      return readPage(lists, query, page, toDomain)
    },

    async verify (orgId, id) {
      try {
        const row = await db.updateTable('sso_domains')
          .set((eb) => ({ verified_at: eb.fn.coalesce('verified_at', eb.val(toDate(now()))) }))
          .where('org_id', '=', toColumnText(orgId)).where('id', '=', toColumnText(id)).returningAll()
          .executeTakeFirst()
        return row === undefined ? null : toDomain(row)
      } catch (error) {
        // The unique index of proved domains refuses the second organisation.
        throw isUniqueViolation(error) ? domainProvedElsewhere() : error
      }
    },

    async update (orgId, id, { sso }) {
      const row = await db.updateTable('sso_domains').set({ sso }).where('org_id', '=', toColumnText(orgId))
        .where('id', '=', toColumnText(id)).returningAll().executeTakeFirst()
      return row === undefined ? null : toDomain(row)
    },

    async remove (orgId, id) {
      const row = await db.deleteFrom('sso_domains').where('org_id', '=', toColumnText(orgId))
        .where('id', '=', toColumnText(id)).returningAll().executeTakeFirst()
      return row === undefined ? null : toDomain(row)
    },

    async findVerified (domain) {
      const row = await db.selectFrom('sso_domains').select(['org_id', 'sso'])
        .where('domain', '=', toColumnText(domain.toLowerCase())).where('verified_at', 'is not', null)
        .executeTakeFirst()
      return row === undefined ? null : { orgId: fromColumnText(row.org_id), sso: row.sso }
    }
  }
}

function isUniqueViolation (error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === '23505'
}

function toDomain (row: Selectable<DatabaseSchema['sso_domains']>): SsoDomain {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    domain: fromColumnText(row.domain),
    token: fromColumnText(row.token),
    verifiedAt: toMilliseconds(row.verified_at),
    sso: row.sso,
    createdAt: toMilliseconds(row.created_at)
  }
}
