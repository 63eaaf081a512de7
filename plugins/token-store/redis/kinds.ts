import { SOURCE_DEFAULTS, resolvedUntil } from '../source-settings.js'
import type {
  ApiKeyAccess, Cutoff, GuestToken, ResolvedSource, ResolvedWebhook, SessionAccess,
  Source, SourceOrigins
} from '../../../contracts/token-store/index.js'
import { webhookResolvedUntil } from '../webhook-settings.js'
import type { Change } from './changes.js'
import type { SharedKind } from './shared-cache.js'

/** The tag of the origins of all sources. */
const ORIGINS = 'origins'

export const sourceKind: SharedKind<ResolvedSource> = {
  name: 'source',
  tagsOf: ({ source }) => [tagOf(['source', source.id])],
  endsAt: resolvedUntil,
  encode: encodeWithSecrets,
  decode: (json) => deepFreeze(withAllSettings(decodeWithSecrets<ResolvedSource>(json)))
}

export const webhookKind: SharedKind<ResolvedWebhook> = {
  name: 'webhook',
  tagsOf: ({ webhook, source }) => [tagOf(['webhook', webhook.id]), tagOf(['source', source.id])],
  endsAt: webhookResolvedUntil,
  encode: encodeWithSecrets,
  decode: (json) => deepFreeze(withAllSettings(decodeWithSecrets<ResolvedWebhook>(json)))
}

export const accessKind: SharedKind<SessionAccess> = {
  name: 'access',
  tagsOf: ({ userId, orgId }, sessionId) =>
    [tagOf(['session', sessionId]), tagOf(['user', userId]), tagOf(['organisation', orgId])],
  endsAt: ({ endsAt }) => endsAt,
  encode: JSON.stringify,
  decode: (json) => deepFreeze(JSON.parse(json))
}

/** The key is the digest of an API key. */
export const apiKeyKind: SharedKind<ApiKeyAccess> = {
  name: 'apiKey',
  tagsOf: ({ id }) => [tagOf(['apiKey', id])],
  endsAt: ({ endsAt }) => endsAt ?? Infinity,
  encode: JSON.stringify,
  decode: (json) => deepFreeze(JSON.parse(json))
}

export const guestTokenKind: SharedKind<GuestToken> = {
  name: 'guest',
  tagsOf: ({ clientId }, key) => [tagOf(['guestToken', key]), tagOf(['client', clientId])],
  endsAt: ({ expiresAt }) => expiresAt,
  encode: JSON.stringify,
  decode: (json) => deepFreeze(JSON.parse(json))
}

/** The key is a revocation's `subjectKey`. */
export const cutoffKind: SharedKind<Cutoff> = {
  name: 'cutoff',
  tagsOf: (_cutoff, key) => [tagOf(['revocation', key])],
  encode: JSON.stringify,
  decode: (json) => deepFreeze(JSON.parse(json))
}

export const originsKind: SharedKind<readonly SourceOrigins[]> = {
  name: 'origins',
  tagsOf: () => [ORIGINS],
  encode: JSON.stringify,
  decode: (json) => deepFreeze(JSON.parse(json))
}

/** Returns the tags that a change invalidates. */
export function tagsOf (change: Change): string[] {
  return change[0] === 'source' ? [tagOf(change), ORIGINS] : [tagOf(change)]
}

function tagOf ([kind, id]: Change): string {
  return `${kind} ${id}`
}

interface WithSecrets {
  readonly secrets: ResolvedSource['secrets']
}

function encodeWithSecrets (value: WithSecrets): string {
  return JSON.stringify({
    ...value,
    secrets: value.secrets.map(({ value: bytes, expiresAt }) => ({ value: bytes.toString('base64'), expiresAt }))
  })
}

function decodeWithSecrets<Value extends WithSecrets> (json: string): Value {
  const value = JSON.parse(json) as Omit<Value, 'secrets'> & {
    secrets: Array<{ value: string, expiresAt: number | null }>
  }
  return {
    ...value,
    secrets: value.secrets.map(({ value: bytes, expiresAt }) => ({ value: Buffer.from(bytes, 'base64'), expiresAt }))
  } as unknown as Value
}

/** Adds the defaults of settings that an instance of an earlier version, which has stored the value, does not know. */
function withAllSettings<Value extends { readonly source: Readonly<Source> }> (value: Value): Value {
  return { ...value, source: { ...SOURCE_DEFAULTS, ...value.source } }
}

/** Freezes a value deeply, as values from the database are; buffers cannot be frozen. */
function deepFreeze<Value> (value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  for (const property of Object.values(value)) deepFreeze(property)
  return Object.freeze(value)
}
