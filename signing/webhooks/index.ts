import { randomBase62 } from '../base62.js'
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
export { webhookSecretFault } from './secret-form.js'
export type { CustomSignature } from './custom.js'
export type { WebhookDelivery, WebhookVerdict } from './delivery.js'
export type { WebhookProvider } from './providers.js'

interface Scheme {
  verify: (delivery: WebhookDelivery, secrets: readonly Buffer[], custom: CustomSignature | null) => WebhookVerdict
  /** The bytes that sign; throws a TypeError for a text that spells none. */
  key: (secret: string) => Buffer
  /** `null`: the provider alone makes secrets. */
  generate: (() => string) | null
}

const SCHEMES: Readonly<Record<WebhookProvider, Scheme>> = {
  stripe: { verify: verifyStripe, key: textKey, generate: null },
  shopify: { verify: verifyShopify, key: textKey, generate: null },
  hubspot: { verify: verifyHubSpot, key: textKey, generate: null },
  standard: { verify: verifyStandard, key: standardKey, generate: generateStandardSecret },
  custom: { verify: verifyCustom, key: parseServerSecret, generate: generateServerSecret }
}

const ID = /^wh_[0-9A-Za-z]{24}$/

/**
 * Checks the signature of a delivery over its raw body, in constant time; any of the live secrets (two during a rotation) may have
 * made it. `custom` says how the provider `custom` signs.
 */
export function verifyWebhook (
  provider: WebhookProvider, delivery: WebhookDelivery, secrets: readonly Buffer[], custom: CustomSignature | null = null
): WebhookVerdict {
  return SCHEMES[provider].verify(delivery, secrets.filter(({ length }) => length > 0), custom)
}

/** The bytes of a secret as the provider spells it. Throws a TypeError for an empty or badly encoded one. */
export function webhookKey (provider: WebhookProvider, secret: string): Buffer {
  return SCHEMES[provider].key(secret)
}

/** A new secret, or `null` for a provider that makes its secrets itself. */
export function generateWebhookSecret (provider: WebhookProvider): string | null {
  return SCHEMES[provider].generate?.() ?? null
}

/** A new id: `wh_` and 24 random base62 characters, 142 bits. */
export function generateWebhookId (): string {
  return `wh_${randomBase62(24)}`
}

/** Whether a text has the form of a webhook's id; says nothing about whether it exists. */
export function isWebhookId (text: unknown): text is string {
  return typeof text === 'string' && ID.test(text)
}

function textKey (secret: string): Buffer {
  if (secret === '' || /\p{Cs}/u.test(secret)) throw new TypeError('webhook secret: must be a text that is not empty')
  return Buffer.from(secret, 'utf8')
}
