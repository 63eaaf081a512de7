import type { WebhookMapping } from '../../schemas/webhook-mapping.js'
import type { CustomSignature, WebhookProvider } from '../../signing/webhooks/index.js'
import type { Page, PageRequest } from '../page.js'
import type { Source } from './sources.js'

export type { CustomSignature, WebhookMapping, WebhookProvider }

/** An endpoint for the webhooks of a provider; they become events of the source. As the admin API shows it. */
export interface Webhook {
  /** `wh_…`. Part of the URL that the provider calls. */
  id: string
  orgId: string
  sourceId: string
  name: string
  provider: WebhookProvider
  /** The first characters of the newest secret. */
  secretPrefix: string
  /** The public URL that the provider calls, without its query; `null`: derived from each request. */
  url: string | null
  /** How the provider `custom` signs requests; `null` for other providers. */
  custom: CustomSignature | null
  /** Changes to the provider's built-in mapping; `null` for none. */
  mapping: WebhookMapping | null
  enabled: boolean
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  updatedAt: number
}

/** The settings of a webhook that an administrator chooses. */
export type WebhookSettings = Pick<Webhook, 'name' | 'url' | 'custom' | 'mapping' | 'enabled'>

/** A webhook to create. */
export interface NewWebhook extends WebhookSettings {
  provider: WebhookProvider
  /** The secret in the provider's notation. */
  secret: string
  /** Maximum number of webhooks of the organisation, the new one included. An integer, 1 or more. Default: no limit. */
  quota?: number | undefined
}

/** The settings of a webhook to change. */
export type WebhookPatch = Partial<WebhookSettings>

/** The data that a request to a webhook needs. Frozen and shared by all requests. */
export interface ResolvedWebhook {
  readonly webhook: Readonly<Webhook>
  readonly source: Readonly<Source>
  /** The valid secrets, newest first. `expiresAt`: when a rotated secret stops working; `null` for the newest. */
  readonly secrets: ReadonlyArray<{ readonly value: Buffer, readonly expiresAt: number | null }>
}

/**
 * The webhooks of sources; deleting a source deletes its webhooks. For a source that the organisation does not have,
 * each method resolves with `null` or `false`.
 */
export interface Webhooks {
  /**
   * Creates a webhook. Rejects with `INVALID_REQUEST` for a secret that is not valid for the provider. Rejects with
   * `CONFLICT` where the organisation has `quota` webhooks or more in all its sources, concurrent calls included.
   */
  create(orgId: string, sourceId: string, webhook: NewWebhook): Promise<Webhook | null>
  /** Resolves with one webhook of the source. */
  get(orgId: string, sourceId: string, id: string): Promise<Webhook | null>
  /** Lists the webhooks of a source, newest first. */
  list(orgId: string, sourceId: string, page: PageRequest): Promise<Page<Webhook> | null>
  /** Changes settings of a webhook; resolves with the changed webhook. */
  update(orgId: string, sourceId: string, id: string, patch: WebhookPatch): Promise<Webhook | null>
  /** Deletes a webhook; `false` if the source has no such webhook. */
  delete(orgId: string, sourceId: string, id: string): Promise<boolean>
  /** Replaces the secret. The previous one works until `overlapUntil`, epoch milliseconds; older secrets end now. */
  rotateSecret(
    orgId: string,
    sourceId: string,
    id: string,
    next: { secret: string, overlapUntil: number }
  ): Promise<Webhook | null>
  /**
   * Looks up a webhook with its source, disabled ones included; `null` for an unknown id. Returns synchronously on a
   * cache hit, else a promise. A change of the webhook or its source reaches the cache within a second, on every
   * instance.
   */
  resolve(id: string): ResolvedWebhook | null | Promise<ResolvedWebhook | null>
}
