import { INVALID_REQUEST } from '../../../../lib/errors.js'
import type { PublicError } from '../../../../lib/errors.js'
import type { CustomSignature, NewWebhook, Webhook, WebhookPatch, WebhookProvider } from '../../../../contracts/token-store/index.js'
import type { CustomSignatureBody, NewWebhookBody, WebhookItem, WebhookPatchBody } from '../../../../schemas/webhook.js'
import { generateWebhookSecret, isSignedTemplate, webhookKey, webhookSecretError } from '../../../../signing/webhooks/index.js'
import { MappingError, compileMapping } from '../../../ingestion/webhook/mapping.js'
import { parseUrl } from '../../../../signing/parse-url.js'

const NAMES: Record<WebhookProvider, string> = {
  stripe: 'Stripe', shopify: 'Shopify', hubspot: 'HubSpot', standard: 'Standard Webhooks', custom: 'Webhook'
}

export function viewWebhook (webhook: Webhook): WebhookItem {
  return {
    id: webhook.id,
    source_id: webhook.sourceId,
    name: webhook.name,
    provider: webhook.provider,
    secret_prefix: webhook.secretPrefix,
    url: webhook.url,
    custom: viewCustom(webhook.custom),
    mapping: webhook.mapping,
    enabled: webhook.enabled,
    created_at: new Date(webhook.createdAt).toISOString(),
    updated_at: new Date(webhook.updatedAt).toISOString()
  }
}

/** The new webhook of a body, and the secret to show if it was made here. Throws `INVALID_REQUEST`. */
export function newWebhookOf ({ provider, secret, ...settings }: NewWebhookBody): { fresh: NewWebhook, made: { secret?: string } } {
  const { name = NAMES[provider], url = null, custom = null, mapping = null, enabled = true } = settingsOf(provider, settings)
  if (provider === 'custom' && custom === null) throw wrong('custom', 'must say how the provider signs')
  const used = secretOf(provider, secret)
  return { fresh: { provider, name, url, custom, mapping, enabled, ...used }, made: secret === undefined ? used : {} }
}

/** The settings that a body names, in the store's terms. Throws `INVALID_REQUEST` for what is none of the provider. */
export function settingsOf (provider: WebhookProvider, { name, url, custom, mapping, enabled }: WebhookPatchBody): WebhookPatch {
  if (url != null && !isAddress(url)) throw wrong('url', 'must be an http or https URL without query, fragment or password')
  if (custom != null && provider !== 'custom') throw wrong('custom', 'is for the provider custom alone')
  if (custom === null && provider === 'custom') throw wrong('custom', 'must say how the provider signs')
  if (custom != null && !isSignedTemplate(custom.template)) throw wrong('custom/template', 'must hold {timestamp} and, after it, {body}')
  if (mapping != null) assertMapping(provider, mapping)
  const patch = { name, url, custom: custom == null ? custom : customOf(custom), mapping, enabled }
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as WebhookPatch
}

/** The secret of a body, or a new one where the provider lets us choose. Throws `INVALID_REQUEST`. */
export function secretOf (provider: WebhookProvider, given: string | undefined): { secret: string } {
  const secret = given ?? generateWebhookSecret(provider)
  if (secret === null) throw wrong('secret', 'must be the one that the provider gave')
  const fault = webhookSecretError(provider, secret)
  if (fault !== null) throw wrong('secret', fault)
  try {
    webhookKey(provider, secret)
  } catch {
    throw wrong('secret', provider === 'standard' ? 'must be whsec_ and standard base64' : 'must be a non-empty string, or well-formed hex: or base64:')
  }
  return { secret }
}

/** What differs between two states of a webhook: for the audit trail and the log. */
export function webhookChanges (before: Webhook, after: Webhook): Record<string, { from: unknown, to: unknown }> {
  const [old, now] = [viewWebhook(before), viewWebhook(after)]
  const names = (Object.keys(old) as Array<keyof WebhookItem>).filter((name) => name !== 'updated_at' && JSON.stringify(old[name]) !== JSON.stringify(now[name]))
  return Object.fromEntries(names.map((name) => [name, { from: old[name], to: now[name] }]))
}

function customOf ({ header, encoding, hash, prefix, timestamp_header, template }: CustomSignatureBody): CustomSignature {
  return { header: header.toLowerCase(), encoding, hash, prefix, timestampHeader: timestamp_header?.toLowerCase() ?? null, template }
}

function viewCustom (custom: CustomSignature | null): CustomSignatureBody | null {
  if (custom === null) return null
  const { timestampHeader, ...rest } = custom
  return { ...rest, timestamp_header: timestampHeader }
}

function assertMapping (provider: WebhookProvider, mapping: NonNullable<Webhook['mapping']>): void {
  try {
    compileMapping(provider, mapping)
  } catch (error) {
    if (error instanceof MappingError) throw wrong(`mapping${error.path}`, error.message)
    throw error
  }
}

function isAddress (text: string): boolean {
  const url = parseUrl(text)
  if (url === null || /[?#\s\p{Cc}]/u.test(text)) return false
  const { protocol, username, password } = url
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === ''
}

function wrong (field: string, message: string): InstanceType<PublicError> {
  return new INVALID_REQUEST({ details: [{ path: `/${field}`, message }] })
}
