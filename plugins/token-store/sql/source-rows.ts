import type { Kysely, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { Source, SourceSettings } from '../../../contracts/token-store/index.js'
import { toMilliseconds } from './times.js'

/** A row of `sources` with its current key. */
export type SourceRow = Selectable<DatabaseSchema['sources']> & { pipeline_key: string }

export function toSource (row: SourceRow): Source {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    name: fromColumnText(row.name),
    environment: row.environment,
    pipelineKey: fromColumnText(row.pipeline_key),
    serverSecretPrefix: fromColumnText(row.server_secret_prefix),
    domains: row.domains,
    allowAnyOrigin: row.allow_any_origin,
    allowNullOrigin: row.allow_null_origin,
    requireSignature: row.require_signature,
    requireTimestamp: row.require_timestamp,
    enabled: row.enabled,
    rateLimit: row.rate_limit,
    pixelTypes: row.pixel_types,
    bots: row.bots,
    signedRepeats: row.signed_repeats,
    keepRefused: row.keep_refused,
    dailyQuota: toNumber(row.daily_quota),
    monthlyQuota: toNumber(row.monthly_quota),
    createdAt: toMilliseconds(row.created_at),
    updatedAt: toMilliseconds(row.updated_at)
  }
}

/** Converts a bigint, which `pg` returns as a string. */
function toNumber (value: string | number | null): number | null {
  return value === null ? null : Number(value)
}

/** Converts settings to columns. */
export function toColumns (settings: SourceSettings) {
  return {
    name: toColumnText(settings.name),
    environment: settings.environment,
    domains: JSON.stringify(settings.domains),
    allow_any_origin: settings.allowAnyOrigin,
    allow_null_origin: settings.allowNullOrigin,
    require_signature: settings.requireSignature,
    require_timestamp: settings.requireTimestamp,
    enabled: settings.enabled,
    rate_limit: settings.rateLimit,
    pixel_types: JSON.stringify(settings.pixelTypes),
    bots: settings.bots,
    signed_repeats: settings.signedRepeats,
    keep_refused: settings.keepRefused,
    daily_quota: settings.dailyQuota,
    monthly_quota: settings.monthlyQuota
  }
}

/** Selects sources with their current key, which has no name and does not expire. */
export function selectSources (db: Kysely<DatabaseSchema>) {
  return db.selectFrom('sources')
    .innerJoin(
      'pipeline_keys as current',
      (join) =>
        join.onRef('current.source_id', '=', 'sources.id').on('current.expires_at', 'is', null)
          .on('current.name', 'is', null)
    )
    .selectAll('sources').select('current.key as pipeline_key')
}
