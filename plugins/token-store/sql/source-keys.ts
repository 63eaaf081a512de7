import type { Kysely, Transaction } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { EXPIRED_KEYS_KEPT_FOR } from '../limits.js'
import {
  assertFreeName, assertNamed, assertNotExpired, assertRoomForKey, newSourceKeyId,
  patchedKey
} from '../source-key-rules.js'
import type { SourceKey, SourceKeys } from '../../../contracts/token-store/index.js'
import type { Caches } from './caches.js'
import { RETIRED, loadKeys, replaceKey, takeKey, toDateOrNull, toDomains } from './source-key-rows.js'
import { toDate } from './times.js'

type Tx = Transaction<DatabaseSchema>

export function sqlSourceKeys (
  db: Kysely<DatabaseSchema>,
  caches: Caches,
  now: () => number
): SourceKeys & { sweep(): Promise<void> } {
  /** Runs `work` while the source is locked; `null` if the organisation has no such source. */
  async function inSource<Result> (
    orgId: string,
    sourceId: string,
    work: (tx: Tx, keys: SourceKey[]) => Promise<Result>
  ): Promise<Result | null> {
    return await db.transaction().execute(async (tx) => {
      const source = await tx.selectFrom('sources').select('id').where('id', '=', toColumnText(sourceId))
        .where('org_id', '=', toColumnText(orgId)).forUpdate().executeTakeFirst()
      return source === undefined ? null : await work(tx, await loadKeys(tx, sourceId, now()))
    })
  }

  /** The same for one key. Resolves with the changed key. */
  async function change (
    orgId: string,
    sourceId: string,
    id: string,
    work: (tx: Tx, key: SourceKey, keys: SourceKey[]) => Promise<void>,
    pipelineKey?: string
  ): Promise<SourceKey | null> {
    try {
      return await inSource(orgId, sourceId, async (tx, keys) => {
        const key = keys.find((key) => key.id === id)
        if (key === undefined) return null
        await work(tx, key, keys)
        return (await loadKeys(tx, sourceId, now())).find((key) => key.id === id) ?? key
      })
    } finally {
      caches.sourceChanged(sourceId, pipelineKey)
    }
  }

  async function list (orgId: string, sourceId: string): Promise<SourceKey[] | null> {
    const source = await db.selectFrom('sources').select('id').where('id', '=', toColumnText(sourceId))
      .where('org_id', '=', toColumnText(orgId)).executeTakeFirst()
    return source === undefined ? null : await loadKeys(db, sourceId, now())
  }

  return {
    list,

    async get (orgId, sourceId, id) {
      return (await list(orgId, sourceId))?.find((key) => key.id === id) ?? null
    },

    async create (orgId, sourceId, fresh) {
      const { pipelineKey, quota: _quota, ...named } = fresh
      const id = newSourceKeyId()
      try {
        return await inSource(orgId, sourceId, async (tx, keys) => {
          assertRoomForKey(keys, fresh)
          await takeKey(tx, { pipelineKey, orgId, sourceId, id, named, createdAt: now() }, now())
          return (await loadKeys(tx, sourceId, now())).find((key) => key.id === id) ?? null
        })
      } finally {
        caches.sourceChanged(sourceId, pipelineKey)
      }
    },

    async update (orgId, sourceId, id, patch) {
      return await change(orgId, sourceId, id, async (tx, key, keys) => {
        assertNamed(key)
        const next = patchedKey(key, patch)
        if (next.name !== null && next.name !== key.name) assertFreeName(keys, next.name, id)
        const columns = {
          name: next.name === null ? null : toColumnText(next.name),
          domains: toDomains(next.domains),
          enabled: next.enabled
        }
        const expires = toDateOrNull(next.expiresAt)
        await tx.updateTable('pipeline_keys').set({ ...columns, expires_at: expires }).where('id', '=', id).execute()
        await tx.updateTable('pipeline_keys')
          .set(({ fn, ref, val }) => ({
            ...columns, expires_at: expires === null ? ref('expires_at') : fn<Date>('least', ['expires_at', val(expires)])
          }))
          .where('source_id', '=', toColumnText(sourceId)).where('id', 'is', null)
          .where('name', '=', toColumnText(key.name)).execute()
      })
    },

    async rotate (orgId, sourceId, id, { pipelineKey, overlapUntil }) {
      return await change(orgId, sourceId, id, async (tx, key) => {
        assertNotExpired(key, now())
        await replaceKey(tx, orgId, key, { pipelineKey, overlapUntil }, now())
        if (key.name !== null) return
        await tx.updateTable('sources').set({ updated_at: toDate(now()) }).where('id', '=', toColumnText(sourceId))
          .execute()
      }, pipelineKey)
    },

    async delete (orgId, sourceId, id) {
      return await change(orgId, sourceId, id, async (tx, key) => {
        assertNamed(key)
        await tx.updateTable('pipeline_keys').set(RETIRED).where('source_id', '=', toColumnText(sourceId))
          .where('name', '=', toColumnText(key.name)).execute()
      })
    },

    async touch (uses) {
      if (uses.length === 0) return
      const { sql } = await import('kysely')
      const latest = new Map<string, number>()
      for (const { pipelineKey, at } of uses) latest.set(pipelineKey, Math.max(latest.get(pipelineKey) ?? at, at))
      // In the order of keys, as concurrent calls that lock the same rows in different orders would deadlock.
      const ordered = [...latest].sort(([one], [other]) => one < other ? -1 : 1)
      const keys = sql.join(ordered.map(([key]) => sql`${toColumnText(key)}`))
      const times = sql.join(ordered.map(([, at]) => sql`${toDate(at)}`))
      await sql`with used as (
        select pipeline_keys.key, uses.at from pipeline_keys
        join unnest(array[${keys}]::text[], array[${times}]::timestamptz[]) as uses (key, at)
          on uses.key = pipeline_keys.key
        where last_used_at is null or last_used_at < uses.at
        order by pipeline_keys.key for update of pipeline_keys
      ) update pipeline_keys set last_used_at = used.at from used where used.key = pipeline_keys.key`.execute(db)
    },

    async ending ({ orgId, before, limit }) {
      let query = db.selectFrom('pipeline_keys').innerJoin('sources', 'sources.id', 'pipeline_keys.source_id')
        .select(['pipeline_keys.org_id', 'source_id', 'sources.name as source_name', 'pipeline_keys.name',
          'pipeline_keys.id', 'expires_at'])
        .where('pipeline_keys.enabled', '=', true).where('expires_at', '>', toDate(now()))
        .where('expires_at', '<=', toDate(before)).orderBy('expires_at').orderBy('key').limit(limit)
      if (orgId !== undefined) query = query.where('pipeline_keys.org_id', '=', toColumnText(orgId))
      return (await query.execute()).flatMap((row) =>
        row.source_id === null || row.expires_at === null
          ? []
          : [{
              orgId: fromColumnText(row.org_id),
              sourceId: fromColumnText(row.source_id),
              sourceName: fromColumnText(row.source_name),
              name: row.name === null ? null : fromColumnText(row.name),
              replaced: row.id === null,
              expiresAt: row.expires_at.getTime()
            }]
      )
    },

    async sweep () {
      await db.updateTable('pipeline_keys').set(RETIRED).where('name', 'is not', null)
        .where('expires_at', '<=', toDate(now() - EXPIRED_KEYS_KEPT_FOR)).execute()
    }
  }
}
