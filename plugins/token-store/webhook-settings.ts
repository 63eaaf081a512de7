import { isWebhookId, webhookKey } from '../../signing/webhooks/index.js'
import { INVALID_REQUEST } from '../../lib/errors.js'
import { copySource, serverSecretPrefix } from './source-settings.js'
import type { ResolvedWebhook, Source, Webhook, WebhookPatch, WebhookProvider, WebhookSettings } from '../../contracts/token-store/index.js'

/** What secrets of some providers begin with, which tells nothing. */
const SECRET_TAG = /^(?:whsec_|shpss_)/

/** Whether a text can be the id of a webhook at all: what cannot is not looked up. */
export function canBeWebhook (id: string): boolean {
  return isWebhookId(id)
}

/** The key bytes of a webhook's secret; throws `INVALID_REQUEST` for a text that spells none. */
export function webhookSecretBytes (provider: WebhookProvider, secret: string): Buffer {
  try {
    return webhookKey(provider, secret)
  } catch (cause) {
    throw new INVALID_REQUEST({ message: 'The secret is empty or badly encoded', cause })
  }
}

export function webhookSecretPrefix (secret: string): string {
  const [tag = ''] = SECRET_TAG.exec(secret) ?? []
  return tag + serverSecretPrefix(secret.slice(tag.length))
}

/** The settings of a webhook alone, copied; what else the object carries is left behind. */
export function webhookSettingsOf ({ name, url, custom, mapping, enabled }: WebhookSettings): WebhookSettings {
  return structuredClone({ name, url, custom, mapping, enabled })
}

/** The settings with a patch over them; a member that is `undefined` leaves what is there. */
export function patchedWebhook (webhook: WebhookSettings, patch: WebhookPatch): WebhookSettings {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
  return webhookSettingsOf({ ...webhookSettingsOf(webhook), ...given })
}

/** Deeply frozen, as it is shared by all requests to that webhook. */
export function freezeWebhook (webhook: Webhook, source: Source, secrets: ResolvedWebhook['secrets']): ResolvedWebhook {
  return deepFreeze({
    webhook: structuredClone(webhook),
    source: copySource(source),
    secrets: secrets.map((secret) => Object.freeze({ ...secret }))
  })
}

/** When what was resolved changes by itself: the overlap of a secret ends. `Infinity` if it does not. */
export function webhookResolvedUntil ({ secrets }: ResolvedWebhook): number {
  return secrets.reduce((until, { expiresAt }) => Math.min(until, expiresAt ?? Infinity), Infinity)
}

function deepFreeze<Value extends object> (value: Value): Value {
  for (const member of Object.values(value)) {
    // Bytes can't be frozen.
    if (typeof member === 'object' && member !== null && !ArrayBuffer.isView(member)) deepFreeze(member)
  }
  return Object.freeze(value)
}
