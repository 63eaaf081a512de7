import { INVALID_REQUEST } from '../../../../lib/errors.js'
import type { PublicError } from '../../../../lib/errors.js'
import type {
  CustomSignature, NewWebhook, Webhook, WebhookPatch,
  WebhookProvider
} from '../../../../contracts/token-store/index.js'
import type { CustomSignatureBody, NewWebhookBody, WebhookItem, WebhookPatchBody } from '../../../../schemas/webhook.js'
import {
  generateWebhookSecret, isSignedTemplate, webhookKey,
  webhookSecretError
} from '../../../../signing/webhooks/index.js'
import { MappingError, compileMapping } from '../../../ingestion/webhook/mapping.js'
import { parseUrl } from '../../../../signing/parse-url.js'

const NAMES: Record<WebhookProvider, string> = {
  stripe: 'Stripe',
  shopify: 'Shopify',
  hubspot: 'HubSpot',
  standard: 'Standard Webhooks',
  custom: 'Webhook'
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

/** Returns the new webhook of a body, and its secret if it was generated here. Throws `INVALID_REQUEST`. */
export function newWebhookOf (
  { provider, secret, ...settings }: NewWebhookBody
): { fields: NewWebhook, generated: { secret?: string } } {
  const { name = NAMES[provider], url = null, custom = null, mapping = null, enabled = true } = settingsOf(
    provider,
    settings
  )
  if (provider === 'custom' && custom === null) {
    throw invalidField('custom', 'must describe the signature of the provider')
  }
  const used = secretOf(provider, secret)
  return {
    fields: { provider, name, url, custom, mapping, enabled, ...used },
    generated: secret === undefined ? used : {}
  }
}

/** Returns the settings of a body as the store names them. Throws `INVALID_REQUEST` for an invalid setting. */
export function settingsOf (
  provider: WebhookProvider,
  { name, url, custom, mapping, enabled }: WebhookPatchBody
): WebhookPatch {
  if (url != null && !isWebhookUrl(url)) {
    throw invalidField('url', 'must be an http or https URL without query, fragment or password')
  }
  if (custom != null && provider !== 'custom') throw invalidField('custom', 'is only allowed with the provider custom')
  if (custom === null && provider === 'custom') {
    throw invalidField('custom', 'must describe the signature of the provider')
  }
  if (custom != null && !isSignedTemplate(custom.template)) {
    throw invalidField('custom/template', 'must contain {timestamp} and, after it, {body}; omit it if the body alone is signed')
  }
  if (mapping != null) assertMapping(provider, mapping)
  const patch = { name, url, custom: custom == null ? custom : customOf(custom), mapping, enabled }
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as WebhookPatch
}

/** Returns the secret of a body, or a new secret if the provider accepts a chosen secret. Throws `INVALID_REQUEST`. */
export function secretOf (provider: WebhookProvider, given: string | undefined): { secret: string } {
  const secret = given ?? generateWebhookSecret(provider)
  if (secret === null) throw invalidField('secret', 'is required: send the secret that the provider has issued')
  const problem = webhookSecretError(provider, secret)
  if (problem !== null) throw invalidField('secret', problem)
  try {
    webhookKey(provider, secret)
  } catch {
    throw invalidField(
      'secret',
      provider === 'standard'
        ? 'must be whsec_ and standard base64'
        : 'must be a non-empty string, or hex: or base64: with valid data'
    )
  }
  return { secret }
}

/** Returns the differences between two states of a webhook, for the audit trail. */
export function webhookChanges (before: Webhook, after: Webhook): Record<string, { from: unknown, to: unknown }> {
  const [old, now] = [viewWebhook(before), viewWebhook(after)]
  const names = (Object.keys(old) as Array<keyof WebhookItem>).filter((name) =>
    name !== 'updated_at' && JSON.stringify(old[name]) !== JSON.stringify(now[name])
  )
  return Object.fromEntries(names.map((name) => [name, { from: old[name], to: now[name] }]))
}

function customOf (
  { header, encoding, hash, prefix, timestamp_header, template }: CustomSignatureBody
): CustomSignature {
  return {
    header: header.toLowerCase(),
    encoding,
    hash,
    prefix,
    timestampHeader: timestamp_header?.toLowerCase() ?? null,
    template
  }
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
    if (error instanceof MappingError) throw invalidField(`mapping${error.path}`, error.message)
    throw error
  }
}

function isWebhookUrl (text: string): boolean {
  const url = parseUrl(text)
  if (url === null || /[?#\s\p{Cc}]/u.test(text)) return false
  const { protocol, username, password } = url
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === ''
}

function invalidField (field: string, message: string): InstanceType<PublicError> {
  return new INVALID_REQUEST({ details: [{ path: `/${field}`, message }] })
}
