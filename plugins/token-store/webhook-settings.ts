import { isWebhookId, webhookKey } from '../../signing/webhooks/index.js'
import { INVALID_REQUEST } from '../../lib/errors.js'
import { copySource, serverSecretPrefix } from './source-settings.js'
import type {
  ResolvedWebhook, Source, Webhook, WebhookPatch, WebhookProvider,
  WebhookSettings
} from '../../contracts/token-store/index.js'

/** Public prefixes in the secrets of some providers. */
const PUBLIC_PREFIX = /^(?:whsec_|shpss_)/

/** Whether a string can be the id of a webhook; other strings are not looked up. */
export function canBeWebhook (id: string): boolean {
  return isWebhookId(id)
}

/** Returns the bytes of a webhook's secret. Throws `INVALID_REQUEST` for an invalid secret. */
export function webhookSecretBytes (provider: WebhookProvider, secret: string): Buffer {
  try {
    return webhookKey(provider, secret)
  } catch (cause) {
    throw new INVALID_REQUEST({ message: 'The secret is empty or badly encoded', cause })
  }
}

export function webhookSecretPrefix (secret: string): string {
  const [tag = ''] = PUBLIC_PREFIX.exec(secret) ?? []
  return tag + serverSecretPrefix(secret.slice(tag.length))
}

/** Returns a copy of a webhook's settings, without its other properties. */
export function webhookSettingsOf ({ name, url, custom, mapping, enabled }: WebhookSettings): WebhookSettings {
  return structuredClone({ name, url, custom, mapping, enabled })
}

/** Returns the settings with a patch applied; an `undefined` property changes nothing. */
export function patchedWebhook (webhook: WebhookSettings, patch: WebhookPatch): WebhookSettings {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
  return webhookSettingsOf({ ...webhookSettingsOf(webhook), ...given })
}

/** Creates the resolved webhook, deeply frozen, as all requests to that webhook share it. */
export function freezeWebhook (webhook: Webhook, source: Source, secrets: ResolvedWebhook['secrets']): ResolvedWebhook {
  return deepFreeze({
    webhook: structuredClone(webhook),
    source: copySource(source),
    secrets: secrets.map((secret) => Object.freeze({ ...secret }))
  })
}

/** Returns when a secret expires, epoch milliseconds; `Infinity` if none does. */
export function webhookResolvedUntil ({ secrets }: ResolvedWebhook): number {
  return secrets.reduce((until, { expiresAt }) => Math.min(until, expiresAt ?? Infinity), Infinity)
}

function deepFreeze<Value extends object> (value: Value): Value {
  for (const property of Object.values(value)) {
    // Buffers cannot be frozen.
    if (typeof property === 'object' && property !== null && !ArrayBuffer.isView(property)) deepFreeze(property)
  }
  return Object.freeze(value)
}
