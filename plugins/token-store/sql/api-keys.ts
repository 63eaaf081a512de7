import type { Kysely, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { EXPIRED_KEYS_KEPT_FOR, newApiKeyId } from '../limits.js'
import type { ApiKey, ApiKeyAccess, ApiKeys } from '../../../contracts/token-store/index.js'
import type { Caches } from './caches.js'
import { afterCursor, readPage } from './pages.js'
import { assertRoomForApiKey } from './quotas.js'
import { toDate, toMilliseconds } from './times.js'

export function sqlApiKeys (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  caches: Caches,
  now: () => number
): ApiKeys & { sweep(): Promise<void> } {
  return {
    async create ({ digest, quota, ...key }) {
      const id = newApiKeyId()
      const at = toDate(now())
      try {
        return await db.transaction().execute(async (tx) => {
          await assertRoomForApiKey(tx, key.orgId, quota, at)
          const row = await tx.insertInto('api_keys').values({
            id,
            org_id: toColumnText(key.orgId),
            name: toColumnText(key.name),
            prefix: toColumnText(key.prefix),
            role: key.role,
            permissions: key.permissions === null ? null : JSON.stringify(key.permissions),
            expires_at: key.expiresAt === null ? null : toDate(key.expiresAt),
            created_by: toColumnText(key.createdBy),
            created_at: at
          }).returningAll().executeTakeFirstOrThrow()
          await tx.insertInto('api_key_digests').values({ digest: toColumnText(digest), key_id: id }).execute()
          return toApiKey(row)
        })
      } finally {
        caches.apiKeyChanged(id, digest)
      }
    },

    async get (orgId, id) {
      const row = await db.selectFrom('api_keys').selectAll().where('org_id', '=', toColumnText(orgId))
        .where('id', '=', toColumnText(id)).executeTakeFirst()
      return row === undefined ? null : toApiKey(row)
    },

    async list (orgId, page) {
      let query = db.selectFrom('api_keys').selectAll().where('org_id', '=', toColumnText(orgId))
        .orderBy('created_at', 'desc').orderBy('seq', 'desc').limit(page.limit + 1)
      const after = afterCursor(page)
      if (after !== null) {
        query = query.where((eb) => eb(eb.refTuple('created_at', 'seq'), '<', eb.tuple(after.date, after.seq)))
      }
      return readPage(lists, query, page, toApiKey)
    },

    async rename (orgId, id, name) {
      const row = await db.updateTable('api_keys').set({ name: toColumnText(name) })
        .where('org_id', '=', toColumnText(orgId)).where('id', '=', toColumnText(id)).returningAll().executeTakeFirst()
      return row === undefined ? null : toApiKey(row)
    },

    async rotate (orgId, id, { digest, prefix, overlapUntil }) {
      const keyId = toColumnText(id)
      const at = toDate(now())
      try {
        return await db.transaction().execute(async (tx) => {
          // The update locks the key, so that of two concurrent rotations the second ends the digest of the first.
          const row = await tx.updateTable('api_keys').set({ prefix: toColumnText(prefix) })
            .where('org_id', '=', toColumnText(orgId)).where('id', '=', keyId)
            .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
            .returningAll().executeTakeFirst()
          if (row === undefined) return null
          const old = tx.deleteFrom('api_key_digests').where('key_id', '=', keyId)
          if (overlapUntil <= now()) {
            await old.execute()
          } else {
            await old.where('expires_at', 'is not', null).execute()
            await tx.updateTable('api_key_digests').set({ expires_at: toDate(overlapUntil) })
              .where('key_id', '=', keyId).execute()
          }
          await tx.insertInto('api_key_digests').values({ digest: toColumnText(digest), key_id: keyId }).execute()
          return toApiKey(row)
        })
      } finally {
        caches.apiKeyChanged(id, digest)
      }
    },

    async revoke (orgId, id) {
      try {
        const row = await db.deleteFrom('api_keys').where('org_id', '=', toColumnText(orgId))
          .where('id', '=', toColumnText(id)).returningAll().executeTakeFirst()
        return row === undefined ? null : toApiKey(row)
      } finally {
        caches.apiKeyChanged(id)
      }
    },

    resolve: (digest) => caches.apiKeys.get(digest),

    async touch (uses) {
      if (uses.length === 0) return
      const { sql } = await import('kysely')
      // In the order of ids, as concurrent calls that lock the same rows in different orders would deadlock.
      const latest = [...latestById(uses)].sort(([one], [other]) => one < other ? -1 : 1)
      const ids = sql.join(latest.map(([id]) => sql`${toColumnText(id)}`))
      const times = sql.join(latest.map(([, at]) => sql`${toDate(at)}`))
      await sql`with used as (
        select key.id, uses.at from api_keys as key
        join unnest(array[${ids}]::text[], array[${times}]::timestamptz[]) as uses (id, at) on uses.id = key.id
        order by key.id for update of key
      ) update api_keys set last_used_at = greatest(last_used_at, used.at) from used where used.id = api_keys.id`
        .execute(db)
    },

    async sweep () {
      await db.deleteFrom('api_keys').where('expires_at', '<=', toDate(now() - EXPIRED_KEYS_KEPT_FOR)).execute()
      await db.deleteFrom('api_key_digests').where('expires_at', '<=', toDate(now())).execute()
    }
  }
}

/** Loads the access data of a key for the cache. */
export async function loadApiKey (
  db: Kysely<DatabaseSchema>,
  digest: string,
  at: number
): Promise<ApiKeyAccess | null> {
  const row = await db.selectFrom('api_key_digests').innerJoin('api_keys', 'api_keys.id', 'api_key_digests.key_id')
    .select(({ fn }) => ['api_keys.id', 'org_id', 'role', 'permissions',
      fn<Date | null>('least', ['api_keys.expires_at', 'api_key_digests.expires_at']).as('ends_at')])
    .where('digest', '=', toColumnText(digest)).executeTakeFirst()
  if (row === undefined || (row.ends_at !== null && row.ends_at.getTime() <= at)) return null
  return Object.freeze({
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    role: row.role,
    permissions: row.permissions === null ? null : Object.freeze(row.permissions),
    endsAt: toMilliseconds(row.ends_at)
  })
}

function latestById (uses: ReadonlyArray<{ id: string, at: number }>): Map<string, number> {
  const latest = new Map<string, number>()
  for (const { id, at } of uses) latest.set(id, Math.max(latest.get(id) ?? at, at))
  return latest
}

function toApiKey (row: Selectable<DatabaseSchema['api_keys']>): ApiKey {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    name: fromColumnText(row.name),
    prefix: fromColumnText(row.prefix),
    role: row.role,
    permissions: row.permissions,
    expiresAt: toMilliseconds(row.expires_at),
    lastUsedAt: toMilliseconds(row.last_used_at),
    createdBy: fromColumnText(row.created_by),
    createdAt: toMilliseconds(row.created_at)
  }
}
