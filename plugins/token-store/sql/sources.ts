import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction, Updateable } from 'kysely'

import { isPipelineKey } from '../../../signing/datafly/pipeline-key.js'
import type { SecretBox } from '../../../signing/secret-box.js'
import { toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { CONFLICT } from '../../../lib/errors.js'
import { assertKey, patched, serverSecretBytes, serverSecretPrefix, settingsOf } from '../source-settings.js'
import type { Source, Sources } from '../../../contracts/token-store/index.js'
import type { Caches } from './caches.js'
import { afterCursor, readPage } from './pages.js'
import { assertRoomForSource } from './quotas.js'
import { sealAgain, sealSecret } from './sealed-secrets.js'
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

  /** Assigns a key to a source. The key must be new, or have expired in the same organisation. */
  async function takeKey (tx: Tx, pipelineKey: string, orgId: string, sourceId: string): Promise<void> {
    assertKey(pipelineKey)
    const owner = { org_id: toColumnText(orgId), source_id: sourceId, expires_at: null }
    const row = await tx.insertInto('pipeline_keys').values({ key: toColumnText(pipelineKey), ...owner })
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet(owner)
          .where('pipeline_keys.org_id', '=', owner.org_id)
          .where((eb) =>
            eb.or([eb('pipeline_keys.source_id', 'is', null), eb('pipeline_keys.expires_at', '<=', toDate(now()))])
          )
      )
      .returning('key').executeTakeFirst()
    if (row === undefined) throw new CONFLICT({ message: 'This pipeline key is taken' })
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
          await takeKey(tx, fresh.pipelineKey, fresh.orgId, id)
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
      let query = selectSources(db).where('sources.org_id', '=', toColumnText(orgId)).orderBy('created_at', 'desc')
        .orderBy('seq', 'desc').limit(page.limit + 1)
      const after = afterCursor(page)
      if (after !== null) {
        query = query.where((eb) => eb(eb.refTuple('created_at', 'seq'), '<', eb.tuple(after.date, after.seq)))
      }
      return readPage(lists, query, page, toSource)
    },

    async update (orgId, id, patch) {
      return await change(orgId, id, async (_tx, source) => toColumns(patched(source, patch)))
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

    async rotateKey (orgId, id, { pipelineKey, overlapUntil }) {
      const key = toColumnText(id)
      return await change(orgId, id, async (tx) => {
        await takeKey(tx, pipelineKey, orgId, key)
        const others = tx.updateTable('pipeline_keys').where('source_id', '=', key).where(
          'key',
          '!=',
          toColumnText(pipelineKey)
        )
        if (overlapUntil <= now()) {
          await others.set({ source_id: null }).execute()
        } else {
          await others.where('expires_at', 'is not', null).set({ source_id: null }).execute()
          await others.set({ expires_at: toDate(overlapUntil) }).execute()
        }
        return {}
      }, pipelineKey)
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
