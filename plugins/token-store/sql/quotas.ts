import type { Transaction } from 'kysely'

import { toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { overQuota } from '../limits.js'

type Tx = Transaction<DatabaseSchema>

/** First half of the advisory lock's key; the second half is a hash of the organisation. */
const LOCK_CLASS = 0x71756f74

/** Throws `CONFLICT` if the organisation has `quota` sources; else prevents new ones until this transaction ends. */
export async function assertRoomForSource (tx: Tx, orgId: string, quota: number | undefined): Promise<void> {
  if (quota === undefined) return
  await lockQuotas(tx, orgId)
  const last = await tx.selectFrom('sources').select('id').where('org_id', '=', toColumnText(orgId)).limit(1).offset(
    quota - 1
  ).executeTakeFirst()
  if (last !== undefined) throw overQuota('sources', quota)
}

/** Does the same for the webhooks of all sources of the organisation. */
export async function assertRoomForWebhook (tx: Tx, orgId: string, quota: number | undefined): Promise<void> {
  if (quota === undefined) return
  await lockQuotas(tx, orgId)
  const last = await tx.selectFrom('webhooks').innerJoin('sources', 'sources.id', 'webhooks.source_id').select(
    'webhooks.id'
  )
    .where('sources.org_id', '=', toColumnText(orgId)).limit(1).offset(quota - 1).executeTakeFirst()
  if (last !== undefined) throw overQuota('webhooks', quota)
}

/** Does the same for the API keys of the organisation that expire after `at` or never. */
export async function assertRoomForApiKey (tx: Tx, orgId: string, quota: number | undefined, at: Date): Promise<void> {
  if (quota === undefined) return
  await lockQuotas(tx, orgId)
  const last = await tx.selectFrom('api_keys').select('id').where('org_id', '=', toColumnText(orgId))
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
    .limit(1).offset(quota - 1).executeTakeFirst()
  if (last !== undefined) throw overQuota('API keys', quota)
}

const THINGS = { identity_providers: 'identity providers', sso_domains: 'domains', scim_groups: 'groups' } as const

/** Does the same for the identity providers, the email domains or the groups of the organisation. */
export async function assertRoom (
  tx: Tx,
  table: keyof typeof THINGS,
  orgId: string,
  quota: number | undefined
): Promise<void> {
  if (quota === undefined) return
  await lockQuotas(tx, orgId)
  const last = await tx.selectFrom(table).select('id').where('org_id', '=', toColumnText(orgId)).limit(1)
    .offset(quota - 1).executeTakeFirst()
  if (last !== undefined) throw overQuota(THINGS[table], quota)
}

// A separate statement: the following count must see rows that were committed while this one waited.
async function lockQuotas (tx: Tx, orgId: string): Promise<void> {
  await tx.selectNoFrom(({ fn, lit, val }) =>
    fn('pg_advisory_xact_lock', [lit(LOCK_CLASS), fn('hashtext', [val(toColumnText(orgId))])]).as('locked')
  )
    .execute()
}
