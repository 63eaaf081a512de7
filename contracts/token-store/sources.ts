import type { Environment } from '../../signing/datafly/pipeline-key.js'
import type { Page, PageRequest } from '../page.js'
import type { SourceOrigins } from './source-origins.js'

export type { Environment }
/** When a source accepts only signed events. */
export type RequireSignature = 'never' | 'without_origin' | 'always'
/**
 * How events of bots are treated: `tag` sets `context.bot: true`, `drop` acknowledges them without storing, `ignore`
 * treats them as any other event.
 */
export type BotPolicy = 'tag' | 'drop' | 'ignore'

/**
 * How a repeated signed request is treated when its events have no messageId: `keep` stores them again, `drop` reports
 * duplicates and stores nothing.
 */
export type SignedRepeats = 'keep' | 'drop'

/** A source of events, as the admin API shows it. */
export interface Source {
  id: string
  orgId: string
  name: string
  environment: Environment
  pipelineKey: string
  /** The first characters of the newest server secret. */
  serverSecretPrefix: string
  /** The pages that may send events: exact origins, hosts (https only) or wildcards such as `*.example.com`. */
  domains: string[]
  allowAnyOrigin: boolean
  /** Whether pages with the origin `null` may send events: sandboxed frames, such as a shop's custom pixels. */
  allowNullOrigin: boolean
  requireSignature: RequireSignature
  requireTimestamp: boolean
  enabled: boolean
  /** Maximum events per second; `null`: the server's default. */
  rateLimit: number | null
  /** Event types that the pixel accepts. */
  pixelTypes: string[]
  bots: BotPolicy
  signedRepeats: SignedRepeats
  /** Whether refused events are kept for a while, so that they can be read and replayed. */
  keepRefused: boolean
  /** Maximum number of accepted events per UTC day; `null`: no limit. */
  dailyQuota: number | null
  /** Maximum number of accepted events per UTC calendar month; `null`: no limit. */
  monthlyQuota: number | null
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  updatedAt: number
}

/** The settings of a source that an administrator chooses. */
export type SourceSettings = Omit<
  Source,
  'id' | 'orgId' | 'pipelineKey' | 'serverSecretPrefix' | 'createdAt' | 'updatedAt'
>

/** A source to create. */
export interface NewSource extends SourceSettings {
  orgId: string
  pipelineKey: string
  /** The server secret in the product's notation: plain, `hex:…` or `base64:…`. */
  serverSecret: string
  /** Accepts a server secret that is shorter than 16 bytes or publicly known. Default: `false`. */
  allowWeakSecret?: boolean | undefined
  /** Maximum number of sources of the organisation, the new one included. An integer, 1 or more. Default: no limit. */
  quota?: number | undefined
}

/** The settings of a source to change. */
export type SourcePatch = Partial<Omit<SourceSettings, 'environment'>> & { environment?: Environment | undefined }

/** The source data that a request with a pipeline key needs. Frozen and shared by all requests. */
export interface ResolvedSource {
  /**
   * The source. If the key has its own domains, they replace `domains`, and `allowAnyOrigin` and `allowNullOrigin` are
   * `false`.
   */
  readonly source: Readonly<Source>
  /** The pipeline key that was looked up. */
  readonly key: string
  /** The id of the named key, also for its previous value; `null` for the key without a name. */
  readonly keyId: string | null
  /** When the key stops working, epoch milliseconds: at its expiry or the end of its overlap; `null` for never. */
  readonly keyExpiresAt: number | null
  /** The valid server secrets, newest first. `expiresAt`: when a rotated secret expires; `null` for the newest. */
  readonly secrets: ReadonlyArray<{ readonly value: Buffer, readonly expiresAt: number | null }>
}

/** The sources of events, and their keys and secrets. */
export interface Sources {
  /**
   * Creates a source.
   *
   * Rejects with `INVALID_REQUEST` for a key that the guard would refuse (`dk_live_` or `dk_test_` and 6 to 128 of
   * `A-Z a-z 0-9 _ -`), and for a server secret that is easy to guess unless `allowWeakSecret` is true.
   *
   * Rejects with `CONFLICT` for a key that is or was in use, except an expired key of the same organisation (old pages
   * may still send with it), and where the organisation has `quota` sources or more, concurrent calls included.
   */
  create(source: NewSource): Promise<Source>
  /** Resolves with one source of the organisation. */
  get(orgId: string, id: string): Promise<Source | null>
  /** Lists the sources of an organisation, newest first. */
  list(orgId: string, page: PageRequest): Promise<Page<Source>>
  /**
   * Changes settings of a source; resolves with the changed source. A change of the environment deletes the named keys,
   * whose prefix would name another environment.
   */
  update(orgId: string, id: string, patch: SourcePatch): Promise<Source | null>
  /** Deletes a source with its webhooks; `false` if the organisation has no such source. */
  delete(orgId: string, id: string): Promise<boolean>
  /**
   * Replaces the pipeline key. The previous key works until `overlapUntil`, epoch milliseconds; older keys end now.
   * Named keys stay as they are. Rejects with `CONFLICT` as `create` does.
   */
  rotateKey(orgId: string, id: string, next: { pipelineKey: string, overlapUntil: number }): Promise<Source | null>
  /**
   * Replaces the server secret, which is checked as in `create`. The previous secret works until `overlapUntil`, epoch
   * milliseconds; older secrets end now.
   */
  rotateSecret(
    orgId: string,
    id: string,
    next: { serverSecret: string, overlapUntil: number, allowWeakSecret?: boolean | undefined }
  ): Promise<Source | null>
  /**
   * Looks up the source of a pipeline key, disabled sources included; `null` for an unknown, expired or disabled key.
   * Returns synchronously on a cache hit, else a promise. A change reaches the cache within a second, on every
   * instance.
   */
  resolve(pipelineKey: string): ResolvedSource | null | Promise<ResolvedSource | null>
  /**
   * Returns the origins of all enabled sources, and of their keys with own domains. Cached as `resolve` is, and frozen:
   * CORS compiles a list that is not frozen at each preflight request.
   */
  origins(): readonly SourceOrigins[] | Promise<readonly SourceOrigins[]>
}
