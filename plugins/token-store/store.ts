/** The rank of an administrator, highest first. */
export const ROLES = ['owner', 'admin', 'editor', 'viewer'] as const
export type Role = typeof ROLES[number]

export type Environment = 'live' | 'test'
export type RequireSignature = 'never' | 'without_origin' | 'always'

/** One page of a list, newest first. */
export interface Page<Item> {
  data: Item[]
  /** Opaque; give it back to read on. `null` at the end. */
  nextCursor: string | null
}

export interface PageRequest {
  /** The `nextCursor` of the page before. A text that is none rejects with `INVALID_REQUEST`. */
  cursor?: string | undefined
  /** 1 to 100. */
  limit: number
}

export interface GuestToken {
  token: string
  /** Whose token it is, for `invalidate`. */
  clientId: string
  /** When the mint began, epoch milliseconds. */
  mintedAt: number
  /** When the entry must no longer be handed out, epoch milliseconds: before the token's own end. */
  expiresAt: number
}

/** Guest tokens by the digest of everything that shapes them. */
export interface GuestTokens {
  /** The entry, unless it has expired or its client was invalidated since. */
  get (key: string): Promise<GuestToken | null>
  /** Keeps the entry, unless its client was invalidated at or after `mintedAt`. */
  set (key: string, entry: GuestToken): Promise<void>
  /** Forgets the tokens of one client, those being minted included. */
  invalidate (client: { clientId: string }): Promise<void>
}

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
  requireSignature: RequireSignature
  requireTimestamp: boolean
  enabled: boolean
  /** Events a second; `null`: the server's default. */
  rateLimit: number | null
  /** Event types that the pixel accepts. */
  pixelTypes: string[]
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
}

export interface Sources {
  /**
   * A pipeline key that was ever used stays with its organisation, as old pages may still send with it: once it has ended, by a
   * rotation or with its source, a source of that organisation may take it again. Rejects with `CONFLICT` for any other key that is
   * or was in use.
   */
  create (source: NewSource): Promise<Source>
  get (orgId: string, id: string): Promise<Source | null>
  list (orgId: string, page: PageRequest): Promise<Page<Source>>
  update (orgId: string, id: string, patch: SourcePatch): Promise<Source | null>
  delete (orgId: string, id: string): Promise<boolean>
  /** Puts a new key in; the one before works until `overlapUntil` (epoch milliseconds), any older one ends now. `CONFLICT` as in `create`. */
  rotateKey (orgId: string, id: string, next: { pipelineKey: string, overlapUntil: number }): Promise<Source | null>
  /** Puts a new server secret in; the one before works until `overlapUntil`, any older one ends now. */
  rotateSecret (orgId: string, id: string, next: { serverSecret: string, overlapUntil: number }): Promise<Source | null>
  /**
   * The source of a key, disabled ones included, `null` for a key that does not exist or whose overlap has ended. Answers at once
   * from the process cache, else by a promise. A change reaches the cache within a second, on every instance.
   */
  resolve (pipelineKey: string): ResolvedSource | null | Promise<ResolvedSource | null>
  /** Of all enabled sources; cached as `resolve` is. */
  origins (): readonly SourceOrigins[] | Promise<readonly SourceOrigins[]>
}

export interface User {
  id: string
  orgId: string
  /** Lower case. */
  email: string
  passwordHash: string
  role: Role
  disabled: boolean
  /** The generation of the user's tokens; raising it ends all that were issued before. */
  epoch: number
  createdAt: number
}

export interface Users {
  /** Rejects with `CONFLICT` if the email is taken. */
  create (user: { orgId: string, email: string, passwordHash: string, role: Role }): Promise<User>
  get (id: string): Promise<User | null>
  findByEmail (email: string): Promise<User | null>
  /** A changed role or `disabled` acts within a second on every instance. */
  update (id: string, patch: { role?: Role, disabled?: boolean, passwordHash?: string }): Promise<User | null>
  /**
   * Puts the hash `to` in the place of `from`; false, and nothing is changed, if `from` is not the user's any more. With
   * `endSessionsBut` it ends the user's sessions other than that one in the same step.
   */
  replacePassword (id: string, change: { from: string, to: string, endSessionsBut?: string }): Promise<boolean>
  count (): Promise<number>
  /** Until when the account is locked (epoch milliseconds), or `null`. `subject`: a digest of the email, so that unknown ones lock alike. */
  lockedUntil (subject: string): Promise<number | null>
  /** Counts a failure; at `max` consecutive ones locks for `lockFor` milliseconds and says until when. */
  countFailure (subject: string, limits: { max: number, lockFor: number }): Promise<number | null>
  clearFailures (subject: string): Promise<void>
}

export interface NewSession {
  id: string
  userId: string
  /** The user's as it was before the proof of who logs in was checked. */
  epoch: number
  /** SHA-256 of the refresh token's id, hex; ids themselves are never stored. */
  refreshDigest: string
  /** When the session ends however often it is refreshed, epoch milliseconds. */
  endsAt: number
  ip: string
  userAgent: string
}

export interface Session {
  id: string
  userId: string
  createdAt: number
  lastUsedAt: number
  endsAt: number
  ip: string
  userAgent: string
}

/** What a request with an access token needs to know of its session and user; shared by all requests. */
export interface SessionAccess {
  readonly userId: string
  readonly orgId: string
  readonly email: string
  readonly role: Role
  readonly epoch: number
  readonly endsAt: number
}

export interface Rotation {
  sessionId: string
  /** Digest of the refresh token that was presented, whose signature and expiry the caller has checked. */
  presented: string
  /** Digest of its successor. */
  next: string
  /** For how long after this rotation the presented token may be repeated, milliseconds; 0: never. */
  grace: number
  /** The successor, sealed by the caller, kept for the grace; `null` with no grace. */
  sealedSuccessor: string | null
}

export type RotationOutcome =
  | { outcome: 'rotated' }
  /** The immediately previous token within its grace: answer this very successor. */
  | { outcome: 'repeated', sealedSuccessor: string }
  /** A token that was rotated out before: all tokens of the user are revoked now, access tokens included. */
  | { outcome: 'reused', userId: string, orgId: string }
  /** The session is over or never was, or its user is disabled or gone. Nothing was revoked. */
  | { outcome: 'ended' }

export interface Sessions {
  /** False, and nothing is kept, if the user is disabled, gone or of another epoch by now. Rejects with `CONFLICT` if the id is taken. */
  start (session: NewSession): Promise<boolean>
  /** One atomic compare-and-swap: of N parallel calls with one token exactly one is `rotated`. */
  rotate (rotation: Rotation): Promise<RotationOutcome>
  /** Ends one session; false if it was over already. With `userId`, only a session of that user. */
  end (id: string, userId?: string): Promise<boolean>
  /** Ends every session of the user and raises the epoch. */
  endAll (userId: string): Promise<void>
  /** The live sessions of the user, newest first, at most the newest 100. */
  list (userId: string): Promise<Session[]>
  /** `null` for a session that has ended or whose user is disabled or gone. Cached as `sources.resolve` is. */
  access (id: string): SessionAccess | null | Promise<SessionAccess | null>
}

export interface AuditEntry {
  /** Unique; made by the caller, so that repeats can be added to it. */
  id: string
  orgId: string
  /** `source.created`, `auth.login_failed`, … */
  action: string
  userId: string | null
  userEmail: string | null
  resourceType: string | null
  resourceId: string | null
  /** JSON-serialisable; never a secret. */
  changes: Record<string, unknown> | null
  ipAddress: string | null
  userAgent: string | null
  /** Epoch milliseconds. */
  timestamp: number
}

export interface AuditFilter {
  action?: string | undefined
  userId?: string | undefined
  resourceType?: string | undefined
  resourceId?: string | undefined
  /** Epoch milliseconds, inclusive. */
  from?: number | undefined
  to?: number | undefined
}

/** Append-only. */
export interface AuditTrail {
  append (entries: readonly AuditEntry[]): Promise<void>
  /** Says in `changes.repeats` of an entry how many more of the same came within its minute. */
  addRepeats (id: string, repeats: number): Promise<void>
  list (orgId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>>
}

/**
 * Where the suite keeps what it must remember. Verbs are atomic; a miss is `null`; only a broken backend rejects, with
 * `UNAVAILABLE`. Every implementation passes the same conformance suite.
 */
export interface TokenStore {
  readonly guestTokens: GuestTokens
  readonly sources: Sources
  readonly users: Users
  readonly sessions: Sessions
  readonly audit: AuditTrail
  /** Resolves `true` once per key until `ttl` milliseconds have passed. Never evicts to make room: at capacity it rejects with `UNAVAILABLE`. */
  claim (key: string, ttl: number): Promise<boolean>
  /** Removes what has expired; audit entries older than `auditRetention` milliseconds too. */
  sweep (limits: { auditRetention: number }): Promise<void>
  /** Resolves when the backend answers. */
  ready (): Promise<void>
  /** Releases what the store opened itself; a client that was handed in stays open. */
  close (): Promise<void>
}
