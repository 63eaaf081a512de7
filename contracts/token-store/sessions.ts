import type { Role } from './users.js'

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
