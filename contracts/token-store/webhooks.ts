import type { WebhookMapping } from '../../schemas/webhook-mapping.js'
import type { CustomSignature, WebhookProvider } from '../../signing/webhooks/index.js'
import type { Page, PageRequest } from '../page.js'
import type { Source } from './sources.js'

export type { CustomSignature, WebhookMapping, WebhookProvider }

/** Where a provider sends its own events, which become events of the webhook's source; what the admin API shows. */
export interface Webhook {
  /** `wh_…`, by which the provider's requests name it. */
  id: string
  orgId: string
  sourceId: string
  name: string
  provider: WebhookProvider
  /** The first characters of the newest secret. */
  secretPrefix: string
  /** The public address of the route without its query, as the provider calls it; `null`: as the requests say. */
  url: string | null
  /** How the provider `custom` signs; `null` for the others. */
  custom: CustomSignature | null
  /** What differs from the provider's own mapping; `null`: nothing does. */
  mapping: WebhookMapping | null
  enabled: boolean
  /** Epoch milliseconds. */
  createdAt: number
  updatedAt: number
}

export type WebhookSettings = Pick<Webhook, 'name' | 'url' | 'custom' | 'mapping' | 'enabled'>

export interface NewWebhook extends WebhookSettings {
  provider: WebhookProvider
  /** The text as the provider spells it. */
  secret: string
  /** How many webhooks the organisation may have, the new one included: a whole number, 1 or more. Default: no limit. */
  quota?: number | undefined
}

export type WebhookPatch = Partial<WebhookSettings>

/** What a request to one webhook needs to know; frozen, shared by all requests. */
export interface ResolvedWebhook {
  readonly webhook: Readonly<Webhook>
  readonly source: Readonly<Source>
  /** The live secrets, newest first, each with the end of its overlap. */
  readonly secrets: ReadonlyArray<{ readonly value: Buffer, readonly expiresAt: number | null }>
}

/** The webhooks of sources; they go with their source. Everywhere a source that the organisation does not have is `null` or false. */
export interface Webhooks {
  /**
   * Rejects with `INVALID_REQUEST` for a secret that is none of that provider. Rejects with `CONFLICT` where all sources of the
   * organisation together have `quota` webhooks or more, however many are created at the same time.
   */
  create (orgId: string, sourceId: string, webhook: NewWebhook): Promise<Webhook | null>
  get (orgId: string, sourceId: string, id: string): Promise<Webhook | null>
  list (orgId: string, sourceId: string, page: PageRequest): Promise<Page<Webhook> | null>
  update (orgId: string, sourceId: string, id: string, patch: WebhookPatch): Promise<Webhook | null>
  delete (orgId: string, sourceId: string, id: string): Promise<boolean>
  /** Puts a new secret in; the one before works until `overlapUntil` (epoch milliseconds), any older one ends now. */
  rotateSecret (orgId: string, sourceId: string, id: string, next: { secret: string, overlapUntil: number }): Promise<Webhook | null>
  /**
   * The webhook of an id with its source, disabled ones included, `null` for one that does not exist. Answers at once from the process
   * cache, else by a promise. A change of the webhook or of its source reaches the cache within a second, on every instance.
   */
  resolve (id: string): ResolvedWebhook | null | Promise<ResolvedWebhook | null>
}
