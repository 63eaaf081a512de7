import { INVALID_REQUEST } from '../../../../lib/errors.js'
import type { PublicError } from '../../../../lib/errors.js'
import { parseDomain } from '../../../../lib/cors/domain.js'
import { SOURCE_DEFAULTS } from '../../../../plugins/token-store/source-settings.js'
import type { NewSource, Source, SourcePatch } from '../../../../contracts/token-store/index.js'
import type { NewSourceBody, SourceItem, SourcePatchBody } from '../../../../schemas/source.js'
import { environmentOf, generatePipelineKey } from '../../../../signing/datafly/pipeline-key.js'
import { generateServerSecret, serverSecretWeakness } from '../../../../signing/datafly/server-secret.js'

export function viewSource (source: Source): SourceItem {
  return {
    id: source.id,
    name: source.name,
    environment: source.environment,
    pipeline_key: source.pipelineKey,
    server_secret_prefix: source.serverSecretPrefix,
    domains: source.domains,
    allow_any_origin: source.allowAnyOrigin,
    allow_null_origin: source.allowNullOrigin,
    require_signature: source.requireSignature,
    require_timestamp: source.requireTimestamp,
    enabled: source.enabled,
    rate_limit: source.rateLimit,
    pixel_types: source.pixelTypes as SourceItem['pixel_types'],
    bots: source.bots,
    signed_repeats: source.signedRepeats,
    keep_refused: source.keepRefused,
    daily_quota: source.dailyQuota,
    monthly_quota: source.monthlyQuota,
    created_at: new Date(source.createdAt).toISOString(),
    updated_at: new Date(source.updatedAt).toISOString()
  }
}

/** Returns the settings of a body as the store names them. Throws `INVALID_REQUEST` for an invalid domain. */
export function patchOf (body: SourcePatchBody): SourcePatch {
  const {
    name,
    environment,
    domains,
    allow_any_origin,
    allow_null_origin,
    require_signature,
    require_timestamp,
    enabled,
    rate_limit,
    pixel_types,
    bots,
    signed_repeats,
    keep_refused,
    daily_quota,
    monthly_quota
  } = body
  domains?.forEach(assertDomain)
  const patch = {
    name,
    environment,
    domains,
    allowAnyOrigin: allow_any_origin,
    allowNullOrigin: allow_null_origin,
    requireSignature: require_signature,
    requireTimestamp: require_timestamp,
    enabled,
    rateLimit: rate_limit,
    pixelTypes: pixel_types,
    bots,
    signedRepeats: signed_repeats,
    keepRefused: keep_refused,
    dailyQuota: daily_quota,
    monthlyQuota: monthly_quota
  }
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as SourcePatch
}

/** Returns the new source of a body. Generates the key and the secret if they are missing. Throws `INVALID_REQUEST`. */
export function newSourceOf (
  orgId: string,
  allowWeakSecret: boolean,
  { pipeline_key, server_secret, ...settings }: NewSourceBody
): NewSource {
  const keyEnvironment = pipeline_key === undefined ? null : environmentOf(pipeline_key)
  if (pipeline_key !== undefined && keyEnvironment === null) {
    throw invalidField('pipeline_key', 'must be dk_live_ or dk_test_ and 6 to 128 letters, digits, "_" or "-"')
  }
  const environment = settings.environment ?? keyEnvironment ?? SOURCE_DEFAULTS.environment
  if (keyEnvironment !== null && keyEnvironment !== environment) {
    throw invalidField('pipeline_key', "must have the prefix of the source's environment")
  }
  if (server_secret !== undefined) assertServerSecret(server_secret, allowWeakSecret)
  return {
    ...SOURCE_DEFAULTS,
    ...patchOf(settings) as SourcePatch & { name: string },
    environment,
    orgId,
    pipelineKey: pipeline_key ?? generatePipelineKey(environment),
    serverSecret: server_secret ?? generateServerSecret(),
    allowWeakSecret
  } as NewSource
}

/** Returns the differences between two states of a source, without its key, for the audit trail. */
export function changesOf (before: Source, after: Source): Record<string, { from: unknown, to: unknown }> {
  const [old, now] = [viewSource(before), viewSource(after)]
  const changes: Record<string, { from: unknown, to: unknown }> = {}
  for (const name of Object.keys(old) as Array<keyof SourceItem>) {
    if (name !== 'updated_at' && name !== 'pipeline_key' && JSON.stringify(old[name]) !== JSON.stringify(now[name])) {
      changes[name] = { from: old[name], to: now[name] }
    }
  }
  return changes
}

/** Throws `INVALID_REQUEST` for an entry of `domains` that is no origin, host or wildcard. */
export function assertDomain (domain: string, index: number): void {
  if (parseDomain(domain) !== null) return
  throw invalidField(
    `domains/${index}`,
    'must be an exact origin such as https://shop.example.com or capacitor://localhost, a host, or *. and a host'
  )
}

function assertServerSecret (secret: string, allowWeakSecret: boolean): void {
  let weakness: string | null
  try {
    weakness = serverSecretWeakness(secret)
  } catch {
    throw invalidField('server_secret', 'must be a non-empty string, or hex: or base64: with valid data')
  }
  if (weakness !== null && !allowWeakSecret) throw invalidField('server_secret', weakness)
}

export function invalidField (field: string, message: string): InstanceType<PublicError> {
  return new INVALID_REQUEST({ details: [{ path: `/${field}`, message }] })
}
