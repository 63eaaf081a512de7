import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction, Updateable } from 'kysely'

import { isPipelineKey } from '../../../signing/datafly/pipeline-key.js'
import type { SecretBox } from '../../../signing/secret-box.js'
import { toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { newSourceKeyId } from '../source-key-rules.js'
import { patched, serverSecretBytes, serverSecretPrefix, settingsOf } from '../source-settings.js'
import type { Source, Sources } from '../../../contracts/token-store/index.js'
import type { Caches } from './caches.js'
import { afterCursor, readPage } from './pages.js'
import { assertRoomForSource } from './quotas.js'
import { sealAgain, sealSecret } from './sealed-secrets.js'
import { RETIRED, loadKeys, replaceKey, takeKey } from './source-key-rows.js'
import { selectSources, toColumns, toSource } from './source-rows.js'
import { toDate } from './times.js'

type Tx = Transaction<DatabaseSchema>
type SourceColumns = Updateable<DatabaseSchema['sources']>

export function sqlSources (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  box: SecretBox,
  caches: Caches,
  now: () => number
): Sources & { sweep(): Promise<void> } {
  let isSealed = false

  /** Locks and changes a source; resolves with the changed source, `null` if the organisation has none with this id. */
  async function change (
    orgId: string,
    id: string,
    work: (tx: Tx, source: Source) => Promise<SourceColumns>,
    pipelineKey?: string
  ): Promise<Source | null> {
    const key = toColumnText(id)
    try {
      return await db.transaction().execute(async (tx) => {
        const row = await selectSources(tx).where('sources.id', '=', key).where(
          'sources.org_id',
          '=',
          toColumnText(orgId)
        ).forUpdate('sources').executeTakeFirst()
        if (row === undefined) return null
        const columns = await work(tx, toSource(row))
        await tx.updateTable('sources').set({ ...columns, updated_at: toDate(now()) }).where('id', '=', key).execute()
        return toSource(await selectSources(tx).where('sources.id', '=', key).executeTakeFirstOrThrow())
      })
    } finally {
      caches.sourceChanged(id, pipelineKey)
    }
  }

  async function addSecret (tx: Tx, sourceId: string, value: Buffer): Promise<void> {
    const id = randomUUID()
    await tx.insertInto('server_secrets').values({
      id,
      source_id: sourceId,
      sealed: sealSecret(box, { table: 'server_secrets', ownerId: sourceId, id }, value),
      expires_at: null
    }).execute()
  }

  return {
    async create (fresh) {
      const id = randomUUID()
      const value = serverSecretBytes(fresh)
      const at = toDate(now())
      try {
        return await db.transaction().execute(async (tx) => {
          await assertRoomForSource(tx, fresh.orgId, fresh.quota)
          await tx.insertInto('sources').values({
            id,
            org_id: toColumnText(fresh.orgId),
            ...toColumns(settingsOf(fresh)),
            server_secret_prefix: toColumnText(serverSecretPrefix(fresh.serverSecret)),
            created_at: at,
            updated_at: at
          }).execute()
          const { pipelineKey, orgId } = fresh
          const key = { pipelineKey, orgId, sourceId: id, id: newSourceKeyId(), createdAt: now() }
          await takeKey(tx, key, now())
          await addSecret(tx, id, value)
          return toSource(await selectSources(tx).where('sources.id', '=', id).executeTakeFirstOrThrow())
        })
      } finally {
        caches.sourceChanged(id, fresh.pipelineKey)
      }
    },

    async get (orgId, id) {
      const row = await selectSources(db).where('sources.id', '=', toColumnText(id)).where(
        'sources.org_id',
        '=',
        toColumnText(orgId)
      ).executeTakeFirst()
      return row === undefined ? null : toSource(row)
    },

    async list (orgId, page) {
      let query = selectSources(db).where('sources.org_id', '=', toColumnText(orgId)).orderBy('sources.created_at', 'desc')
        .orderBy('sources.seq', 'desc').limit(page.limit + 1)
      const after = afterCursor(page)
      if (after !== null) {
        query = query.where((eb) =>
          eb(eb.refTuple('sources.created_at', 'sources.seq'), '<', eb.tuple(after.date, after.seq))
        )
      }
      return readPage(lists, query, page, toSource)
    },

    async update (orgId, id, patch) {
      return await change(orgId, id, async (tx, source) => {
        const settings = patched(source, patch)
        if (settings.environment !== source.environment) {
          await tx.updateTable('pipeline_keys').set(RETIRED).where('source_id', '=', toColumnText(id))
            .where('name', 'is not', null).execute()
        }
        return toColumns(settings)
      })
    },

    async delete (orgId, id) {
      try {
        const row = await db.deleteFrom('sources').where('id', '=', toColumnText(id)).where(
          'org_id',
          '=',
          toColumnText(orgId)
        ).returning('id').executeTakeFirst()
        return row !== undefined
      } finally {
        caches.sourceChanged(id)
      }
    },

    async rotateKey (orgId, id, next) {
      return await change(orgId, id, async (tx) => {
        const own = (await loadKeys(tx, toColumnText(id), now())).find(({ name }) => name === null)
        if (own !== undefined) await replaceKey(tx, orgId, own, next, now())
        return {}
      }, next.pipelineKey)
    },

    async rotateSecret (orgId, id, next) {
      const { serverSecret, overlapUntil } = next
      const key = toColumnText(id)
      return await change(orgId, id, async (tx) => {
        const value = serverSecretBytes(next)
        const old = tx.deleteFrom('server_secrets').where('source_id', '=', key)
        if (overlapUntil <= now()) {
          await old.execute()
        } else {
          await old.where('expires_at', 'is not', null).execute()
          await tx.updateTable('server_secrets').set({ expires_at: toDate(overlapUntil) }).where('source_id', '=', key)
            .execute()
        }
        await addSecret(tx, key, value)
        return { server_secret_prefix: toColumnText(serverSecretPrefix(serverSecret)) }
      })
    },

    resolve: (pipelineKey) => isPipelineKey(pipelineKey) ? caches.sources.get(pipelineKey) : null,

    origins: () => caches.origins(),

    async sweep () {
      const at = toDate(now())
      await db.deleteFrom('server_secrets').where('expires_at', '<=', at).execute()
      if (isSealed) return
      await sealAgain(db, box, 'server_secrets')
      isSealed = true
    }
  }
}
