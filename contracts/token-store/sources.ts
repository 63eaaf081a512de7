import type { Environment } from '../../signing/datafly/pipeline-key.js'
import type { Page, PageRequest } from '../page.js'

export type { Environment }
export type RequireSignature = 'never' | 'without_origin' | 'always'
/** What becomes of the events of bots: they get `context.bot: true`, are acknowledged and not stored, or nothing. */
export type BotPolicy = 'tag' | 'drop' | 'ignore'

/**
 * What a signed event without a messageId is when the same signed request comes again: another event (`keep`), or a repeat that is answered
 * as a duplicate and not stored (`drop`).
 */
export type SignedRepeats = 'keep' | 'drop'

/** A source of events; what the admin API shows. */
export interface Source {
  id: string
  orgId: string
  name: string
  environment: Environment
  pipelineKey: string
  /** The first characters of the newest server secret. */
  serverSecretPrefix: string
  /** Exact origins, hosts (https) or `*.example.com`: the pages that may send. */
  domains: string[]
  allowAnyOrigin: boolean
  /** Whether pages with the origin `null` may send: sandboxed frames, such as a shop's custom pixels. */
  allowNullOrigin: boolean
  requireSignature: RequireSignature
  requireTimestamp: boolean
  enabled: boolean
  /** Events a second; `null`: the server's default. */
  rateLimit: number | null
  /** Event types that the pixel accepts. */
  pixelTypes: string[]
  bots: BotPolicy
  signedRepeats: SignedRepeats
  /** Epoch milliseconds. */
  createdAt: number
  updatedAt: number
}

export type SourceSettings = Omit<Source, 'id' | 'orgId' | 'pipelineKey' | 'serverSecretPrefix' | 'createdAt' | 'updatedAt'>

export interface NewSource extends SourceSettings {
  orgId: string
  pipelineKey: string
  /** The text as the product spells it: plain, `hex:…` or `base64:…`. */
  serverSecret: string
  /** Take a server secret of fewer than 16 bytes or a publicly known one too. Default: `false`. */
  allowWeakSecret?: boolean | undefined
  /** How many sources the organisation may have, the new one included: a whole number, 1 or more. Default: no limit. */
  quota?: number | undefined
}

export type SourcePatch = Partial<Omit<SourceSettings, 'environment'>> & { environment?: Environment | undefined }

/** What a request with one pipeline key needs to know; frozen, shared by all requests. */
export interface ResolvedSource {
  readonly source: Readonly<Source>
  /** The key that was looked up. */
  readonly key: string
  /** When this key's overlap ends, epoch milliseconds; `null`: it is the current one. */
  readonly keyExpiresAt: number | null
  /** The live server secrets, newest first, each with the end of its overlap. */
  readonly secrets: ReadonlyArray<{ readonly value: Buffer, readonly expiresAt: number | null }>
}

/** The origins that one enabled source lets in; for preflights, which carry no key. */
export interface SourceOrigins {
  readonly domains: readonly string[]
  readonly allowAnyOrigin: boolean
  readonly allowNullOrigin: boolean
}

export interface Sources {
  /**
   * Rejects with `INVALID_REQUEST` for a key that is not `dk_live_` or `dk_test_` and 6 to 128 of `A-Z a-z 0-9 _ -`, as the guard
   * accepts no other. A pipeline key that was ever used stays with its organisation, as old pages may still send with it: once it has ended, by a
   * rotation or with its source, a source of that organisation may take it again. Rejects with `CONFLICT` for any other key that is
   * or was in use. Rejects with `INVALID_REQUEST` for a server secret that is easy to guess, unless `allowWeakSecret` is true.
   * Rejects with `CONFLICT` where the organisation has `quota` sources or more, however many are created at the same time.
   */
  create (source: NewSource): Promise<Source>
  get (orgId: string, id: string): Promise<Source | null>
  list (orgId: string, page: PageRequest): Promise<Page<Source>>
  update (orgId: string, id: string, patch: SourcePatch): Promise<Source | null>
  delete (orgId: string, id: string): Promise<boolean>
  /** Puts a new key in; the one before works until `overlapUntil` (epoch milliseconds), any older one ends now. `CONFLICT` as in `create`. */
  rotateKey (orgId: string, id: string, next: { pipelineKey: string, overlapUntil: number }): Promise<Source | null>
  /** Puts a new server secret in, refused as in `create`; the one before works until `overlapUntil`, any older one ends now. */
  rotateSecret (orgId: string, id: string, next: { serverSecret: string, overlapUntil: number, allowWeakSecret?: boolean | undefined }): Promise<Source | null>
  /**
   * The source of a key, disabled ones included, `null` for a key that does not exist or whose overlap has ended. Answers at once
   * from the process cache, else by a promise. A change reaches the cache within a second, on every instance.
   */
  resolve (pipelineKey: string): ResolvedSource | null | Promise<ResolvedSource | null>
  /** Of all enabled sources; cached as `resolve` is, and frozen: a list that is not frozen is compiled anew at each preflight. */
  origins (): readonly SourceOrigins[] | Promise<readonly SourceOrigins[]>
}
