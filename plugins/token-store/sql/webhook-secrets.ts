import type { Kysely } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { inTurn } from './in-turn.js'

/** Bound to its webhook and its row: copied to another one it does not open. */
export function sealWebhookSecret (box: SecretBox, webhookId: string, id: string, value: Buffer): string {
  return box.seal(value, contextOf(webhookId, id))
}

export function openWebhookSecret (box: SecretBox, webhookId: string, id: string, sealed: string): Buffer {
  return box.open(sealed, contextOf(webhookId, id))
}

/** Brings every secret under the current key, so that the previous ones can be dropped. */
export async function sealWebhooksAgain (db: Kysely<DatabaseSchema>, box: SecretBox): Promise<void> {
  const rows = await db.selectFrom('webhook_secrets').select(['id', 'webhook_id', 'sealed']).execute()
  await inTurn(rows.filter((row) => !box.isCurrent(row.sealed)).map(({ id, webhook_id, sealed }) => async () => {
    const fresh = sealWebhookSecret(box, webhook_id, id, openWebhookSecret(box, webhook_id, id, sealed))
    await db.updateTable('webhook_secrets').set({ sealed: fresh }).where('id', '=', id).where('sealed', '=', sealed).execute()
  }))
}

function contextOf (webhookId: string, id: string): string {
  return `webhook_secrets.sealed ${webhookId} ${id}`
}
