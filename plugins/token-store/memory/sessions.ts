import { CONFLICT } from '../../../lib/errors.js'
import { LOGOUTS_KEPT_FOR, MAX_LISTED_SESSIONS } from '../limits.js'
import type {
  EndedSession, NewSession, NewSsoSession, Rotation, RotationOutcome, Session, SessionAccess, Sessions, SsoSession, User
} from '../../../contracts/token-store/index.js'
import type { MemberRecord } from './members.js'

interface SessionRecord extends Session {
  mfaAt: number | null
  sso: SsoSession | null
  refreshDigest: string
  previousDigest: string | null
  /** Until when the previous token may be repeated, epoch milliseconds; the response is then `sealedSuccessor`. */
  repeatUntil: number
  sealedSuccessor: string | null
}

/** A logout at an identity provider; `undefined` for all. */
interface Logout {
  providerId: string
  subject: string | undefined
  providerSession: string | undefined
  at: number
}

interface UserLookup {
  peek (id: string): Readonly<Pick<User, 'id' | 'email' | 'epoch'>> | undefined
  member (userId: string, orgId: string): MemberRecord | undefined
  revoke (id: string): void
  hasFactor (userId: string): boolean
  requiresFactor (orgId: string): boolean
}

/** Sessions in memory. Ended sessions are removed; an expired one is skipped until the next sweep. */
export class MemorySessions implements Sessions {
  readonly #now: () => number
  readonly #users: UserLookup
  readonly #sessions = new Map<string, SessionRecord>()
  #logouts: Logout[] = []

  constructor (now: () => number, users: UserLookup) {
    this.#now = now
    this.#users = users
  }

  async start ({ epoch, sso, ...session }: NewSession): Promise<boolean> {
    const user = this.#users.peek(session.userId)
    const member = this.#users.member(session.userId, session.orgId)
    if (user?.epoch !== epoch || member === undefined || member.disabled) return false
    if (this.#sessions.has(session.id)) throw new CONFLICT()
    if (sso !== null && this.#wasLoggedOut(sso)) return false
    const now = this.#now()
    member.lastLoginAt = now
    this.#sessions.set(session.id, {
      ...session,
      sso: sso === null ? null : toSso(sso),
      createdAt: now,
      lastUsedAt: now,
      previousDigest: null,
      repeatUntil: 0,
      sealedSuccessor: null
    })
    return true
  }

  async rotate (
    { sessionId, presented, next, grace, sealedSuccessor, idleMax = Infinity }: Rotation
  ): Promise<RotationOutcome> {
    const session = this.#live(sessionId)
    if (session === null) return { outcome: 'ended' }
    const now = this.#now()
    const { userId, orgId } = session
    if (presented === session.refreshDigest) {
      if (now - session.lastUsedAt >= idleMax) {
        this.#sessions.delete(sessionId)
        return { outcome: 'idle', userId, orgId }
      }
      const repeatUntil = grace > 0 && sealedSuccessor !== null ? now + grace : 0
      Object.assign(session, {
        refreshDigest: next,
        previousDigest: presented,
        repeatUntil,
        sealedSuccessor,
        lastUsedAt: now
      })
      return { outcome: 'rotated' }
    }
    if (presented === session.previousDigest && session.repeatUntil > now && session.sealedSuccessor !== null) {
      return { outcome: 'repeated', sealedSuccessor: session.sealedSuccessor }
    }
    this.#users.revoke(userId)
    return { outcome: 'reused', userId, orgId }
  }

  async end (id: string, userId?: string): Promise<boolean> {
    const session = this.#live(id)
    if (session === null || (userId !== undefined && session.userId !== userId)) return false
    return this.#sessions.delete(id)
  }

  async endAll (userId: string): Promise<void> {
    this.#users.revoke(userId)
  }

  async endOthers (userId: string, except: string): Promise<number> {
    const others = Array.from(this.#sessions.values()).filter((session) =>
      session.userId === userId && session.id !== except && this.#live(session.id) !== null
    )
    this.drop((session) => session.userId === userId && session.id !== except)
    return others.length
  }

  async ssoOf (id: string): Promise<SsoSession | null> {
    return this.#live(id)?.sso ?? null
  }

  async endSso (
    providerId: string,
    { subject, providerSession }: { subject?: string, providerSession?: string }
  ): Promise<EndedSession[]> {
    if (subject === undefined && providerSession === undefined) return []
    this.#logouts.push({ providerId, subject, providerSession, at: this.#now() })
    const ended = Array.from(this.#sessions.values()).filter(({ sso, endsAt }) =>
      sso?.providerId === providerId && endsAt > this.#now() &&
      (subject === undefined || sso.subject === subject) &&
      (providerSession === undefined || sso.providerSession === providerSession)
    )
    for (const { id } of ended) this.#sessions.delete(id)
    return ended.map(({ id, userId, orgId }) => ({
      id,
      userId,
      orgId,
      email: this.#users.peek(userId)?.email ?? ''
    }))
  }

  async confirm (id: string, mfaAt: number): Promise<boolean> {
    const session = this.#live(id)
    if (session === null) return false
    session.mfaAt = mfaAt
    return true
  }

  async list (userId: string): Promise<Session[]> {
    const live = Array.from(this.#sessions.values()).filter((session) =>
      session.userId === userId && this.#live(session.id) !== null
    )
    return live.reverse().sort((a, b) => b.createdAt - a.createdAt).slice(0, MAX_LISTED_SESSIONS).map(toSession)
  }

  async count (orgId: string): Promise<number> {
    let live = 0
    for (const session of this.#sessions.values()) {
      if (session.orgId === orgId && this.#live(session.id) !== null) live++
    }
    return live
  }

  access (id: string): SessionAccess | null {
    const session = this.#live(id)
    const user = session === null ? undefined : this.#users.peek(session.userId)
    const member = session === null ? undefined : this.#users.member(session.userId, session.orgId)
    if (session === null || user === undefined || member === undefined) return null
    const { orgId, endsAt, mfaAt, sso } = session
    return Object.freeze({
      userId: user.id,
      orgId,
      email: user.email,
      role: member.role,
      epoch: user.epoch,
      endsAt,
      mfaAt,
      hasFactor: this.#users.hasFactor(user.id),
      mfaRequired: this.#users.requiresFactor(orgId),
      providerId: sso?.providerId ?? null
    })
  }

  /** Unsets `mfaAt` of the user's sessions that identity providers started. */
  forgetProviderFactor (userId: string): void {
    for (const session of this.#sessions.values()) {
      if (session.userId === userId && session.sso !== null) session.mfaAt = null
    }
  }

  /** Removes the sessions that a condition selects. */
  drop (condition: (session: Session & Pick<SessionRecord, 'sso'>) => boolean): void {
    for (const [id, session] of this.#sessions) {
      if (condition(session)) this.#sessions.delete(id)
    }
  }

  sweep (): void {
    const now = this.#now()
    this.#logouts = this.#logouts.filter(({ at }) => at > now - LOGOUTS_KEPT_FOR)
    for (const [id, session] of this.#sessions) {
      if (session.endsAt <= now) this.#sessions.delete(id)
      else if (session.repeatUntil <= now) session.sealedSuccessor = null
    }
  }

  #wasLoggedOut ({ providerId, subject, providerSession, loginAt }: NewSsoSession): boolean {
    return this.#logouts.some((logout) =>
      logout.providerId === providerId && logout.at >= loginAt &&
      (logout.subject === undefined || logout.subject === subject) &&
      (logout.providerSession === undefined || logout.providerSession === providerSession)
    )
  }

  #live (id: string): SessionRecord | null {
    const session = this.#sessions.get(id)
    if (session === undefined || session.endsAt <= this.#now()) return null
    return this.#users.member(session.userId, session.orgId)?.disabled === false ? session : null
  }
}

function toSession ({ id, userId, orgId, createdAt, lastUsedAt, endsAt, ip, userAgent }: Session): Session {
  return { id, userId, orgId, createdAt, lastUsedAt, endsAt, ip, userAgent }
}

function toSso ({ providerId, subject, providerSession, sealedHint }: SsoSession): SsoSession {
  return { providerId, subject, providerSession, sealedHint }
}
