import type { NewSourceKey, SourceKey, SourceKeyPatch } from '../../../../contracts/token-store/index.js'
import type { NewSourceKeyBody, SourceKeyItem, SourceKeyPatchBody } from '../../../../schemas/source-key.js'
import { environmentOf, generatePipelineKey } from '../../../../signing/datafly/pipeline-key.js'
import type { Environment } from '../../../../signing/datafly/pipeline-key.js'
import { assertDomain, invalidField } from './fields.js'

export function viewSourceKey (key: SourceKey): SourceKeyItem {
  const { previous } = key
  return {
    id: key.id,
    pipeline_key: key.pipelineKey,
    name: key.name,
    domains: key.domains,
    enabled: key.enabled,
    expires_at: toTime(key.expiresAt),
    last_used_at: toTime(key.lastUsedAt),
    created_at: toTime(key.createdAt),
    previous: previous === null
      ? null
      : {
          pipeline_key: previous.pipelineKey,
          expires_at: new Date(previous.expiresAt).toISOString(),
          last_used_at: toTime(previous.lastUsedAt)
        }
  }
}

/** Returns the new key of a body. Generates its value if it has none. Throws `INVALID_REQUEST`. */
export function newSourceKeyOf (
  environment: Environment,
  { name, domains = null, enabled = true, expires_at: time = null, pipeline_key: pipelineKey }: NewSourceKeyBody,
  now: number
): NewSourceKey {
  domains?.forEach(assertDomain)
  if (pipelineKey !== undefined && environmentOf(pipelineKey) !== environment) {
    throw invalidField(
      'pipeline_key',
      `must be dk_${environment}_ and 6 to 128 letters, digits, "_" or "-", as the environment of the source is ` +
        environment
    )
  }
  const expiresAt = expiryOf(time, now)
  return { name, domains, enabled, expiresAt, pipelineKey: pipelineKey ?? generatePipelineKey(environment) }
}

/** Returns the settings of a body as the store names them. Throws `INVALID_REQUEST`. */
export function keyPatchOf ({ expires_at: time, ...patch }: SourceKeyPatchBody, now: number): SourceKeyPatch {
  patch.domains?.forEach(assertDomain)
  return time === undefined ? patch : { ...patch, expiresAt: expiryOf(time, now) }
}

/** Returns the differences between two states of a key for the audit trail. */
export function keyChanges (before: SourceKey, after: SourceKey): Record<string, { from: unknown, to: unknown }> {
  const [old, now] = [viewSourceKey(before), viewSourceKey(after)]
  const names = ['name', 'domains', 'enabled', 'expires_at'] as const
  return Object.fromEntries(names.flatMap((name) =>
    JSON.stringify(old[name]) === JSON.stringify(now[name]) ? [] : [[name, { from: old[name], to: now[name] }]]
  ))
}

function expiryOf (time: string | null, now: number): number | null {
  if (time === null) return null
  const expiresAt = Date.parse(time)
  // The schema's date-time format accepts a leap second, which Date.parse does not.
  if (Number.isNaN(expiresAt)) throw invalidField('expires_at', 'must be an ISO-8601 time')
  if (expiresAt <= now) throw invalidField('expires_at', 'must be in the future')
  return expiresAt
}

function toTime (time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
