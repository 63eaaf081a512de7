import { randomBase62 } from '../base62.js'
import { assertKnownOptions } from '../known-options.js'
import type { KnownOptions } from '../known-options.js'
import { generateServerSecret, parseServerSecret } from '../datafly/server-secret.js'
import { verifyCustom } from './custom.js'
import type { CustomSignature } from './custom.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'
import { verifyHubSpot } from './hubspot.js'
import type { WebhookProvider } from './providers.js'
import { verifyShopify } from './shopify.js'
import { generateStandardSecret, standardKey, verifyStandard } from './standard.js'
import { verifyStripe } from './stripe.js'

export { isSignedTemplate } from './custom.js'
export { WEBHOOK_PROVIDERS } from './providers.js'
export { webhookSecretError } from './secret-form.js'
export type { CustomSignature } from './custom.js'
export type { WebhookDelivery, WebhookVerdict } from './delivery.js'
export type { WebhookProvider } from './providers.js'

interface Scheme {
  verify: (delivery: WebhookDelivery, secrets: readonly Buffer[], custom: CustomSignature | null) => WebhookVerdict
  /** Returns the bytes of the signing key. Throws a TypeError for an invalid secret. */
  key: (secret: string) => Buffer
  /** Creates a secret; `null` if only the provider creates secrets. */
  generate: (() => string) | null
}

const SCHEMES: Readonly<Record<WebhookProvider, Scheme>> = {
  stripe: { verify: verifyStripe, key: utf8Key, generate: null },
  shopify: { verify: verifyShopify, key: utf8Key, generate: null },
  hubspot: { verify: verifyHubSpot, key: utf8Key, generate: null },
  standard: { verify: verifyStandard, key: standardKey, generate: generateStandardSecret },
  custom: { verify: verifyCustom, key: parseServerSecret, generate: generateServerSecret }
}

const KNOWN_OF_DELIVERY: KnownOptions<WebhookDelivery> = {
  method: true,
  url: true,
  headers: true,
  body: true,
  now: true,
  tolerance: true
}
const KNOWN_OF_CUSTOM: KnownOptions<CustomSignature> = {
  header: true,
  encoding: true,
  hash: true,
  prefix: true,
  timestampHeader: true,
  template: true
}
const ID = /^wh_[0-9A-Za-z]{24}$/

/**
 * Verifies the signature of a delivery over its raw body, in constant time. The signature is valid if any of `secrets`
 * created it; pass two during a rotation. `custom` describes the signature of the provider `custom`. Throws a TypeError
 * for an unknown property of `delivery` or `custom`, as a misspelt `tolerance` would leave its default.
 *
 * @example
 * const secret = webhookKey('stripe', endpointSecret)
 * const verdict = verifyWebhook('stripe', { method, url, headers, body: rawBody, now: Date.now() }, [secret])
 */
export function verifyWebhook (
  provider: WebhookProvider,
  delivery: WebhookDelivery,
  secrets: readonly Buffer[],
  custom: CustomSignature | null = null
): WebhookVerdict {
  assertKnownOptions('verifyWebhook', delivery, KNOWN_OF_DELIVERY)
  if (custom !== null) assertKnownOptions('verifyWebhook', custom, KNOWN_OF_CUSTOM)
  return SCHEMES[provider].verify(delivery, secrets.filter(({ length }) => length > 0), custom)
}

/**
 * Returns the key bytes of a secret in the provider's encoding. Throws a TypeError for an empty or badly encoded
 * secret.
 *
 * @example
 * const key = webhookKey('standard', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
 */
export function webhookKey (provider: WebhookProvider, secret: string): Buffer {
  return SCHEMES[provider].key(secret)
}

/**
 * Creates a secret, or returns `null` for a provider that creates its secrets itself.
 *
 * @example
 * generateWebhookSecret('standard') // 'whsec_…'
 */
export function generateWebhookSecret (provider: WebhookProvider): string | null {
  return SCHEMES[provider].generate?.() ?? null
}

/** Creates a webhook id: `wh_` and 24 random base62 characters, 142 bits. */
export function generateWebhookId (): string {
  return `wh_${randomBase62(24)}`
}

/** Returns whether a string has the form of a webhook id. Does not check that the webhook exists. */
export function isWebhookId (value: unknown): value is string {
  return typeof value === 'string' && ID.test(value)
}

function utf8Key (secret: string): Buffer {
  if (secret === '' || /\p{Cs}/u.test(secret)) {
    throw new TypeError('webhook secret: must be a non-empty string of well-formed Unicode')
  }
  return Buffer.from(secret, 'utf8')
}
