import type { Role } from './users.js'

/** The login at an identity provider that started a session. */
export interface SsoSession {
  readonly providerId: string
  /** The provider's id of the user. */
  readonly subject: string
  /** The id of the session at the provider: the claim `sid`, or the SessionIndex; `null` if it sent none. */
  readonly providerSession: string | null
  /** Data for a logout at the provider, encrypted by the caller; `null` for none. */
  readonly sealedHint: string | null
}

/** The login at an identity provider of a session to start. */
export interface NewSsoSession extends SsoSession {
  /** When the provider's response arrived, epoch milliseconds: a later logout at the provider prevents the session. */
  readonly loginAt: number
}

/** A session that ended. */
export interface EndedSession {
  id: string
  userId: string
  orgId: string
  email: string
}

/** An administrator's session to start. */
export interface NewSession {
  id: string
  userId: string
  /** The organisation that the session gives access to. */
  orgId: string
  /** The user's epoch, read before the credentials were checked: a change in between prevents the session. */
  epoch: number
  /** Hex SHA-256 of the refresh token's id. The id itself is never stored. */
  refreshDigest: string
  /** When the session ends, refreshed or not, epoch milliseconds. */
  endsAt: number
  /** When the user last proved a second factor, epoch milliseconds; `null` if the user did not. */
  mfaAt: number | null
  /** The login at an identity provider; `null` for a session that started without one. */
  sso: NewSsoSession | null
  ip: string
  userAgent: string
}

/** A live session, as the admin API lists it. */
export interface Session {
  id: string
  userId: string
  orgId: string
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  lastUsedAt: number
  /** Epoch milliseconds. */
  endsAt: number
  ip: string
  userAgent: string
}

/** The session and user data that a request with an access token needs. Shared by all requests, so read-only. */
export interface SessionAccess {
  readonly userId: string
  readonly orgId: string
  readonly email: string
  readonly role: Role
  readonly epoch: number
  readonly endsAt: number
  /** When the user last proved a second factor in this session, epoch milliseconds; `null` if the user did not. */
  readonly mfaAt: number | null
  /** Whether the user has a second factor. */
  readonly hasFactor: boolean
  /** Whether the organisation requires a second factor. */
  readonly mfaRequired: boolean
  /** Id of the identity provider that started the session; `null` for none. */
  readonly providerId: string | null
}

/** One rotation of a refresh token. */
export interface Rotation {
  sessionId: string
  /** Digest of the presented refresh token. The caller has checked its signature and expiry. */
  presented: string
  /** Digest of the new refresh token. */
  next: string
  /** Milliseconds in which the presented token may be repeated after this rotation; 0 disables repeats. */
  grace: number
  /** The new token, encrypted by the caller, stored for the grace period; `null` without a grace period. */
  sealedSuccessor: string | null
  /** Ends a session that was not used for this time, milliseconds. Default: no limit. */
  idleMax?: number
}

/** The result of a rotation. */
export type RotationOutcome =
  | { outcome: 'rotated' }
  /** The previous token was repeated within its grace period: respond with this successor. */
  | { outcome: 'repeated', sealedSuccessor: string }
  /** An older token was presented: all tokens of the user are now revoked, access tokens included. */
  | { outcome: 'reused', userId: string, orgId: string }
  /** The session was not used for `idleMax`; this call has ended it. */
  | { outcome: 'idle', userId: string, orgId: string }
  /** The session has ended or never existed, or its user is disabled or deleted. Nothing was revoked. */
  | { outcome: 'ended' }

/** The sessions of administrators. */
export interface Sessions {
  /**
   * Starts a session. Resolves with `false`, and stores nothing, if the user is deleted, has another epoch, or is
   * disabled in the organisation or no member of it, or if `endSso` ended its login since `sso.loginAt`.
   * Rejects with `CONFLICT` if the id is taken.
   */
  start (session: NewSession): Promise<boolean>
  /** Replaces a refresh token in one atomic step: exactly one of N concurrent calls with one token is `rotated`. */
  rotate (rotation: Rotation): Promise<RotationOutcome>
  /** Ends one session; `false` if it had already ended. With `userId`, only if the session belongs to that user. */
  end (id: string, userId?: string): Promise<boolean>
  /** Ends every session of the user and increments the user's epoch. */
  endAll (userId: string): Promise<void>
  /** Ends the sessions of the user except one; resolves with their number. */
  endOthers (userId: string, except: string): Promise<number>
  /** Returns how an identity provider started a live session; `null` for any other session. */
  ssoOf (id: string): Promise<SsoSession | null>
  /**
   * Ends the sessions that an identity provider started for a subject, or in one of its own sessions, or with both; for
   * 20 minutes also those that a login before this call starts. Resolves with the sessions that had not ended.
   */
  endSso (providerId: string, by: { subject?: string, providerSession?: string }): Promise<EndedSession[]>
  /** Sets `mfaAt` of a session; resolves with `false` if the session has ended. */
  confirm (id: string, mfaAt: number): Promise<boolean>
  /** Returns the number of live sessions of an organisation, without those of disabled members. */
  count (orgId: string): Promise<number>
  /** Lists the live sessions of the user, newest first, at most 100. */
  list (userId: string): Promise<Session[]>
  /**
   * Returns the access data of a session; `null` if it has ended or its user is disabled or deleted. Cached as
   * `sources.resolve` is.
   */
  access (id: string): SessionAccess | null | Promise<SessionAccess | null>
}
