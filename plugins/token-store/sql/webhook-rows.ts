import type { Kysely, Selectable } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { ResolvedWebhook, Webhook, WebhookSettings } from '../../../contracts/token-store/index.js'
import { freezeWebhook } from '../webhook-settings.js'
import { selectSources, toSource } from './source-rows.js'
import { toDate, toMilliseconds } from './times.js'
import { openSecret } from './sealed-secrets.js'

/** A row of `webhooks` with the organisation of its source. */
export type WebhookRow = Omit<Selectable<DatabaseSchema['webhooks']>, 'seq'> & { org_id: string }

export function toWebhook (row: WebhookRow): Webhook {
  return {
    id: row.id,
    orgId: fromColumnText(row.org_id),
    sourceId: fromColumnText(row.source_id),
    name: fromColumnText(row.name),
    provider: row.provider,
    secretPrefix: fromColumnText(row.secret_prefix),
    url: row.url === null ? null : fromColumnText(row.url),
    custom: row.custom,
    mapping: row.mapping,
    enabled: row.enabled,
    createdAt: toMilliseconds(row.created_at),
    updatedAt: toMilliseconds(row.updated_at)
  }
}

/** Converts settings to columns. */
export function toWebhookColumns ({ name, url, custom, mapping, enabled }: WebhookSettings) {
  return {
    name: toColumnText(name),
    url: url === null ? null : toColumnText(url),
    custom: custom === null ? null : JSON.stringify(custom),
    mapping: mapping === null ? null : JSON.stringify(mapping),
    enabled
  }
}

/** Selects webhooks with the organisation of their source. */
export function selectWebhooks (db: Kysely<DatabaseSchema>) {
  return db.selectFrom('webhooks').innerJoin('sources', 'sources.id', 'webhooks.source_id').selectAll('webhooks')
    .select('sources.org_id')
}

/** Loads a webhook with its source in one query, which returns one row per valid secret. */
export async function loadWebhook (
  db: Kysely<DatabaseSchema>,
  box: SecretBox,
  id: string,
  at: number
): Promise<ResolvedWebhook | null> {
  const rows = await selectSources(db)
    .innerJoin('webhooks', 'webhooks.source_id', 'sources.id')
    .leftJoin('webhook_secrets', (join) =>
      join.onRef('webhook_secrets.webhook_id', '=', 'webhooks.id')
        .on((eb) =>
          eb.or([eb('webhook_secrets.expires_at', 'is', null), eb('webhook_secrets.expires_at', '>', toDate(at))])
        ))
    .select([
      'webhooks.name as webhook_name',
      'webhooks.provider',
      'webhooks.secret_prefix',
      'webhooks.url',
      'webhooks.custom',
      'webhooks.mapping',
      'webhooks.enabled as webhook_enabled',
      'webhooks.created_at as webhook_created_at',
      'webhooks.updated_at as webhook_updated_at',
      'webhook_secrets.id as secret_id',
      'webhook_secrets.sealed',
      'webhook_secrets.expires_at as secret_expires_at'
    ])
    .where('webhooks.id', '=', id)
    .orderBy('webhook_secrets.seq', 'desc')
    .execute()

  const [first] = rows
  if (first === undefined) return null
  const webhook = toWebhook({
    ...first,
    id,
    source_id: first.id,
    name: first.webhook_name,
    enabled: first.webhook_enabled,
    created_at: first.webhook_created_at,
    updated_at: first.webhook_updated_at
  })
  const secrets = rows.flatMap(({ secret_id, sealed, secret_expires_at }) =>
    secret_id === null || sealed === null
      ? []
      : [{
          value: openSecret(box, { table: 'webhook_secrets', ownerId: id, id: secret_id }, sealed),
          expiresAt: toMilliseconds(secret_expires_at)
        }]
  )
  return freezeWebhook(webhook, toSource(first), secrets)
}
