import { resolvedUntil } from '../source-settings.js'
import type { Cutoff, GuestToken, ResolvedSource, ResolvedWebhook, SessionAccess, SourceOrigins } from '../../../contracts/token-store/index.js'
import { webhookResolvedUntil } from '../webhook-settings.js'
import type { Change } from './changes.js'
import type { SharedKind } from './shared-cache.js'

/** Of all sources together. */
const ORIGINS = 'origins'

export const sourceKind: SharedKind<ResolvedSource> = {
  name: 'source',
  tagsOf: ({ source }) => [tagOf(['source', source.id])],
  endsAt: resolvedUntil,
  encode: withSecretsAsText,
  decode: (text) => frozen(secretsFromText<ResolvedSource>(text))
}

export const webhookKind: SharedKind<ResolvedWebhook> = {
  name: 'webhook',
  tagsOf: ({ webhook, source }) => [tagOf(['webhook', webhook.id]), tagOf(['source', source.id])],
  endsAt: webhookResolvedUntil,
  encode: withSecretsAsText,
  decode: (text) => frozen(secretsFromText<ResolvedWebhook>(text))
}

export const accessKind: SharedKind<SessionAccess> = {
  name: 'access',
  tagsOf: ({ userId }, sessionId) => [tagOf(['session', sessionId]), tagOf(['user', userId])],
  endsAt: ({ endsAt }) => endsAt,
  encode: JSON.stringify,
  decode: (text) => frozen(JSON.parse(text))
}

export const guestTokenKind: SharedKind<GuestToken> = {
  name: 'guest',
  tagsOf: ({ clientId }, key) => [tagOf(['guestToken', key]), tagOf(['client', clientId])],
  endsAt: ({ expiresAt }) => expiresAt,
  encode: JSON.stringify,
  decode: (text) => frozen(JSON.parse(text))
}

/** By a revocation's `subjectKey`. */
export const cutoffKind: SharedKind<Cutoff> = {
  name: 'cutoff',
  tagsOf: (_cutoff, key) => [tagOf(['revocation', key])],
  encode: JSON.stringify,
  decode: (text) => frozen(JSON.parse(text))
}

export const originsKind: SharedKind<readonly SourceOrigins[]> = {
  name: 'origins',
  tagsOf: () => [ORIGINS],
  encode: JSON.stringify,
  decode: (text) => frozen(JSON.parse(text))
}

/** The tags that a change touches. */
export function tagsOf (change: Change): string[] {
  return change[0] === 'source' ? [tagOf(change), ORIGINS] : [tagOf(change)]
}

function tagOf ([kind, id]: Change): string {
  return `${kind} ${id}`
}

interface WithSecrets { readonly secrets: ResolvedSource['secrets'] }

function withSecretsAsText (value: WithSecrets): string {
  return JSON.stringify({ ...value, secrets: value.secrets.map(({ value: bytes, expiresAt }) => ({ value: bytes.toString('base64'), expiresAt })) })
}

function secretsFromText<Value extends WithSecrets> (text: string): Value {
  const value = JSON.parse(text) as Omit<Value, 'secrets'> & { secrets: Array<{ value: string, expiresAt: number | null }> }
  return { ...value, secrets: value.secrets.map(({ value: bytes, expiresAt }) => ({ value: Buffer.from(bytes, 'base64'), expiresAt })) } as unknown as Value
}

/** As what comes from the database is; bytes can't be frozen. */
function frozen<Value> (value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}
