import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction, Updateable } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import { generateWebhookId } from '../../../signing/webhooks/index.js'
import { toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { Webhook, Webhooks } from '../../../contracts/token-store/index.js'
import {
  canBeWebhook, patchedWebhook, webhookSecretBytes, webhookSecretPrefix,
  webhookSettingsOf
} from '../webhook-settings.js'
import type { Caches } from './caches.js'
import { afterCursor, readPage } from './pages.js'
import { assertRoomForWebhook } from './quotas.js'
import { toDate } from './times.js'
import { selectWebhooks, toWebhook, toWebhookColumns } from './webhook-rows.js'
import { sealAgain, sealSecret } from './sealed-secrets.js'

type Tx = Transaction<DatabaseSchema>
type WebhookColumns = Updateable<DatabaseSchema['webhooks']>

export function sqlWebhooks (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  box: SecretBox,
  caches: Caches,
  now: () => number
): Webhooks & { sweep(): Promise<void> } {
  let isSealed = false

  function select (from: Kysely<DatabaseSchema>, orgId: string, sourceId: string, id: string) {
    return selectWebhooks(from).where('webhooks.id', '=', toColumnText(id))
      .where('webhooks.source_id', '=', toColumnText(sourceId)).where('sources.org_id', '=', toColumnText(orgId))
  }

  /** Locks and changes a webhook; resolves with the changed webhook, `null` if the source has none with this id. */
  async function change (
    orgId: string,
    sourceId: string,
    id: string,
    work: (tx: Tx, webhook: Webhook) => Promise<WebhookColumns>
  ): Promise<Webhook | null> {
    try {
      return await db.transaction().execute(async (tx) => {
        const row = await select(tx, orgId, sourceId, id).forUpdate('webhooks').executeTakeFirst()
        if (row === undefined) return null
        const columns = await work(tx, toWebhook(row))
        await tx.updateTable('webhooks').set({ ...columns, updated_at: toDate(now()) }).where('id', '=', row.id)
          .execute()
        return toWebhook(await select(tx, orgId, sourceId, id).executeTakeFirstOrThrow())
      })
    } finally {
      caches.webhookChanged(id)
    }
  }

  /** Whether the organisation has the source. `lock` prevents its deletion until the transaction ends. */
  async function hasSource (
    from: Kysely<DatabaseSchema>,
    orgId: string,
    sourceId: string,
    lock: boolean
  ): Promise<boolean> {
    const query = from.selectFrom('sources').select('id').where('id', '=', toColumnText(sourceId)).where(
      'org_id',
      '=',
      toColumnText(orgId)
    )
    return await (lock ? query.forKeyShare() : query).executeTakeFirst() !== undefined
  }

  async function addSecret (tx: Tx, webhookId: string, value: Buffer): Promise<void> {
    const id = randomUUID()
    await tx.insertInto('webhook_secrets').values({
      id,
      webhook_id: webhookId,
      sealed: sealSecret(box, { table: 'webhook_secrets', ownerId: webhookId, id }, value),
      expires_at: null
    }).execute()
  }

  return {
    async create (orgId, sourceId, fresh) {
      const value = webhookSecretBytes(fresh.provider, fresh.secret)
      const id = generateWebhookId()
      const at = toDate(now())
      try {
        return await db.transaction().execute(async (tx) => {
          if (!await hasSource(tx, orgId, sourceId, true)) return null
          await assertRoomForWebhook(tx, orgId, fresh.quota)
          await tx.insertInto('webhooks').values({
            id,
            source_id: toColumnText(sourceId),
            provider: fresh.provider,
            ...toWebhookColumns(webhookSettingsOf(fresh)),
            secret_prefix: toColumnText(webhookSecretPrefix(fresh.secret)),
            created_at: at,
            updated_at: at
          }).execute()
          await addSecret(tx, id, value)
          return toWebhook(await select(tx, orgId, sourceId, id).executeTakeFirstOrThrow())
        })
      } finally {
        caches.webhookChanged(id)
      }
    },

    async get (orgId, sourceId, id) {
      const row = await select(db, orgId, sourceId, id).executeTakeFirst()
      return row === undefined ? null : toWebhook(row)
    },

    async list (orgId, sourceId, page) {
      const after = afterCursor(page)
      if (!await lists.read((reader) => hasSource(reader, orgId, sourceId, false), page.signal)) return null
      let query = selectWebhooks(db).where('webhooks.source_id', '=', toColumnText(sourceId))
        .orderBy('webhooks.created_at', 'desc').orderBy('webhooks.seq', 'desc').limit(page.limit + 1)
      if (after !== null) {
        query = query.where((eb) =>
          eb(eb.refTuple('webhooks.created_at', 'webhooks.seq'), '<', eb.tuple(after.date, after.seq))
        )
      }
      return readPage(lists, query, page, toWebhook)
    },

    async update (orgId, sourceId, id, patch) {
      return await change(orgId, sourceId, id, async (_tx, webhook) => toWebhookColumns(patchedWebhook(webhook, patch)))
    },

    async delete (orgId, sourceId, id) {
      try {
        return await db.transaction().execute(async (tx) => {
          const row = await select(tx, orgId, sourceId, id).forUpdate('webhooks').executeTakeFirst()
          if (row === undefined) return false
          await tx.deleteFrom('webhooks').where('id', '=', row.id).execute()
          return true
        })
      } finally {
        caches.webhookChanged(id)
      }
    },

    async rotateSecret (orgId, sourceId, id, { secret, overlapUntil }) {
      return await change(orgId, sourceId, id, async (tx, { provider }) => {
        const value = webhookSecretBytes(provider, secret)
        const old = tx.deleteFrom('webhook_secrets').where('webhook_id', '=', id)
        if (overlapUntil <= now()) {
          await old.execute()
        } else {
          await old.where('expires_at', 'is not', null).execute()
          await tx.updateTable('webhook_secrets').set({ expires_at: toDate(overlapUntil) }).where('webhook_id', '=', id)
            .execute()
        }
        await addSecret(tx, id, value)
        return { secret_prefix: toColumnText(webhookSecretPrefix(secret)) }
      })
    },

    resolve: (id) => canBeWebhook(id) ? caches.webhooks.get(id) : null,

    async sweep () {
      await db.deleteFrom('webhook_secrets').where('expires_at', '<=', toDate(now())).execute()
      if (isSealed) return
      await sealAgain(db, box, 'webhook_secrets')
      isSealed = true
    }
  }
}
