import type { Kysely, Selectable, Transaction } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { LOGOUTS_KEPT_FOR, MAX_LISTED_SESSIONS } from '../limits.js'
import type {
  EndedSession, NewSsoSession, Rotation, RotationOutcome, Session, SessionAccess, Sessions,
  SsoSession
} from '../../../contracts/token-store/index.js'
import { hasFactorOf } from './factors.js'
import type { Caches } from './caches.js'
import { deleteExpired } from './delete-expired.js'
import { countSessions, foldSessionCounts } from './session-counts.js'
import { toDate, toMilliseconds } from './times.js'

export function sqlSessions (
  db: Kysely<DatabaseSchema>,
  caches: Caches,
  now: () => number
): Sessions & { sweep(): Promise<void> } {
  /** The compare-and-swap: of two concurrent calls the second waits for the first and then finds another digest. */
  async function swap (
    { sessionId, presented, next, grace, sealedSuccessor, idleMax }: Rotation,
    at: number
  ): Promise<boolean> {
    const repeatable = grace > 0 && sealedSuccessor !== null
    let query = db.updateTable('sessions').from('memberships')
      .set({
        refresh_digest: toColumnText(next),
        previous_digest: toColumnText(presented),
        repeat_until: repeatable ? toDate(at + grace) : null,
        sealed_successor: repeatable ? toColumnText(sealedSuccessor) : null,
        last_used_at: toDate(at)
      })
      .where('sessions.id', '=', toColumnText(sessionId))
      .where('sessions.refresh_digest', '=', toColumnText(presented))
      .where('sessions.ends_at', '>', toDate(at))
      .whereRef('memberships.user_id', '=', 'sessions.user_id')
      .whereRef('memberships.org_id', '=', 'sessions.org_id')
      .where('memberships.disabled', '=', false)
      .returning('sessions.id')
    if (idleMax !== undefined) query = query.where('sessions.last_used_at', '>', toDate(at - idleMax))
    return await query.executeTakeFirst() !== undefined
  }

  /** Decides the outcome for a token that is not current. Locks the user first, as everywhere, to avoid deadlocks. */
  async function decideOutcome (
    { sessionId, presented, idleMax = Infinity }: Rotation,
    at: number,
    tx: Transaction<DatabaseSchema>
  ): Promise<RotationOutcome> {
    const id = toColumnText(sessionId)
    const user = await tx.selectFrom('users').select('id').forUpdate()
      .where('id', '=', (eb) => eb.selectFrom('sessions').select('user_id').where('sessions.id', '=', id))
      .executeTakeFirst()
    if (user === undefined) return { outcome: 'ended' }
    const session = await tx.selectFrom('sessions').select(['org_id', 'refresh_digest', 'previous_digest',
      'repeat_until', 'sealed_successor', 'last_used_at'])
      .where('id', '=', id).where('ends_at', '>', toDate(at)).forUpdate().executeTakeFirst()
    if (session === undefined) return { outcome: 'ended' }
    const [userId, orgId] = [fromColumnText(user.id), fromColumnText(session.org_id)]
    if (session.refresh_digest === toColumnText(presented)) {
      // The token is current, yet the swap failed: the session is idle, or the user was disabled at that time.
      if (at - toMilliseconds(session.last_used_at) < idleMax) return { outcome: 'ended' }
      await tx.deleteFrom('sessions').where('id', '=', id).execute()
      return { outcome: 'idle', userId, orgId }
    }

    const { previous_digest: previous, repeat_until: until, sealed_successor: successor } = session
    if (previous === toColumnText(presented) && until !== null && until.getTime() > at && successor !== null) {
      return { outcome: 'repeated', sealedSuccessor: fromColumnText(successor) }
    }
    await revoke(tx, user.id)
    return { outcome: 'reused', userId, orgId }
  }

  async function wasLoggedOut ({ providerId, subject, providerSession, loginAt }: NewSsoSession): Promise<boolean> {
    const row = await db.selectFrom('sso_logouts').select('at').where('provider_id', '=', toColumnText(providerId))
      .where('at', '>=', toDate(loginAt))
      .where((eb) => eb.or([eb('subject', 'is', null), eb('subject', '=', toColumnText(subject))]))
      .where((eb) => eb.or([eb('provider_session', 'is', null),
        ...providerSession === null ? [] : [eb('provider_session', '=', toColumnText(providerSession))]]))
      .limit(1).executeTakeFirst()
    return row !== undefined
  }

  return {
    async start (session) {
      const at = toDate(now())
      const userId = toColumnText(session.userId)
      const orgId = toColumnText(session.orgId)
      const started = await db.transaction().execute(async (tx) => {
        // The lock makes this wait for a revocation in progress; a later revocation finds the session.
        const user = await tx.selectFrom('users').select('id').forShare()
          .where('id', '=', userId).where('epoch', '=', session.epoch).executeTakeFirst()
        if (user === undefined) return false
        const member = await tx.updateTable('memberships').set({ last_login_at: at }).where('user_id', '=', userId)
          .where('org_id', '=', orgId).where('disabled', '=', false).returning('org_id').executeTakeFirst()
        if (member === undefined) return false
        await tx.insertInto('sessions').values({
          id: toColumnText(session.id),
          user_id: userId,
          org_id: orgId,
          mfa_at: session.mfaAt === null ? null : toDate(session.mfaAt),
          ...toSsoColumns(session.sso),
          refresh_digest: toColumnText(session.refreshDigest),
          created_at: at,
          last_used_at: at,
          ends_at: toDate(session.endsAt),
          ip: toColumnText(session.ip),
          user_agent: toColumnText(session.userAgent)
        }).execute()
        return true
      })
      // A separate statement, after the session is visible to a logout: one of the two sees the other.
      const isLoggedOut = started && session.sso !== null && await wasLoggedOut(session.sso)
      if (isLoggedOut) await db.deleteFrom('sessions').where('id', '=', toColumnText(session.id)).execute()
      caches.sessionChanged(session.id)
      return started && !isLoggedOut
    },

    async rotate (rotation) {
      const at = now()
      if (await swap(rotation, at)) return { outcome: 'rotated' }
      const outcome = await db.transaction().execute((tx) => decideOutcome(rotation, at, tx))
      if (outcome.outcome === 'reused') caches.userChanged(outcome.userId)
      if (outcome.outcome === 'idle') caches.sessionChanged(rotation.sessionId)
      return outcome
    },

    async end (id, userId) {
      try {
        let query = db.deleteFrom('sessions').where('id', '=', toColumnText(id)).where('ends_at', '>', toDate(now()))
          .returning('id')
        if (userId !== undefined) query = query.where('user_id', '=', toColumnText(userId))
        return await query.executeTakeFirst() !== undefined
      } finally {
        caches.sessionChanged(id)
      }
    },

    async endAll (userId) {
      try {
        await db.transaction().execute((tx) => revoke(tx, toColumnText(userId)))
      } finally {
        caches.userChanged(userId)
      }
    },

    async endOthers (userId, except) {
      try {
        const ended = await db.deleteFrom('sessions').where('user_id', '=', toColumnText(userId))
          .where('id', '!=', toColumnText(except)).returning('ends_at').execute()
        return ended.filter(({ ends_at: endsAt }) => endsAt.getTime() > now()).length
      } finally {
        caches.userChanged(userId)
      }
    },

    async ssoOf (id) {
      const row = await selectLive(db, now()).selectAll('sessions').where('sessions.id', '=', toColumnText(id))
        .executeTakeFirst()
      return row === undefined ? null : toSso(row)
    },

    async endSso (providerId, { subject, providerSession }) {
      if (subject === undefined && providerSession === undefined) return []
      const ended: EndedSession[] = []
      try {
        await db.insertInto('sso_logouts').values({
          provider_id: toColumnText(providerId),
          subject: subject === undefined ? null : toColumnText(subject),
          provider_session: providerSession === undefined ? null : toColumnText(providerSession),
          at: toDate(now())
        }).execute()
        let query = db.deleteFrom('sessions').using('users').whereRef('users.id', '=', 'sessions.user_id')
          .where('sessions.provider_id', '=', toColumnText(providerId)).where('sessions.ends_at', '>', toDate(now()))
          .returning(['sessions.id', 'sessions.user_id', 'sessions.org_id', 'users.email'])
        if (subject !== undefined) query = query.where('sessions.provider_subject', '=', toColumnText(subject))
        if (providerSession !== undefined) {
          query = query.where('sessions.provider_session', '=', toColumnText(providerSession))
        }
        for (const row of await query.execute()) {
          ended.push({
            id: fromColumnText(row.id),
            userId: fromColumnText(row.user_id),
            orgId: fromColumnText(row.org_id),
            email: fromColumnText(row.email)
          })
        }
        return ended
      } finally {
        for (const { id } of ended) caches.sessionChanged(id)
      }
    },

    async confirm (id, mfaAt) {
      try {
        const row = await db.updateTable('sessions').set({ mfa_at: toDate(mfaAt) }).where('id', '=', toColumnText(id))
          .where('ends_at', '>', toDate(now())).returning('id').executeTakeFirst()
        return row !== undefined
      } finally {
        caches.sessionChanged(id)
      }
    },

    async list (userId) {
      const rows = await selectLive(db, now()).selectAll('sessions')
        .where('sessions.user_id', '=', toColumnText(userId))
        .orderBy('sessions.created_at', 'desc').orderBy('sessions.seq', 'desc').limit(MAX_LISTED_SESSIONS).execute()
      return rows.map(toSession)
    },

    count: (orgId) => countSessions(db, toColumnText(orgId), now()),

    access: (id) => caches.access.get(id),

    async sweep () {
      const at = toDate(now())
      await deleteExpired(db, { table: 'sessions', time: 'ends_at', until: now() })
      await db.deleteFrom('sso_logouts').where('at', '<=', toDate(now() - LOGOUTS_KEPT_FOR)).execute()
      await db.updateTable('sessions').set({ sealed_successor: null, repeat_until: null }).where(
        'repeat_until',
        '<=',
        at
      ).execute()
      await foldSessionCounts(db, now())
    }
  }
}

/** Loads the access data of a session for the cache. */
export async function loadAccess (db: Kysely<DatabaseSchema>, id: string, at: number): Promise<SessionAccess | null> {
  const row = await selectLive(db, at).innerJoin('users', 'users.id', 'sessions.user_id')
    .innerJoin('organisations', 'organisations.id', 'sessions.org_id')
    .select(['users.id', 'users.email', 'users.epoch', 'memberships.org_id', 'memberships.role', 'sessions.ends_at',
      'sessions.mfa_at', 'sessions.provider_id', 'organisations.mfa'])
    .select((eb) => hasFactorOf(eb).as('has_factor'))
    .where('sessions.id', '=', toColumnText(id)).executeTakeFirst()
  if (row === undefined) return null
  return Object.freeze({
    userId: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    email: fromColumnText(row.email),
    role: row.role,
    epoch: row.epoch,
    endsAt: toMilliseconds(row.ends_at),
    mfaAt: toMilliseconds(row.mfa_at),
    hasFactor: Boolean(row.has_factor),
    mfaRequired: row.mfa === 'required',
    providerId: row.provider_id === null ? null : fromColumnText(row.provider_id)
  })
}

/** Selects the sessions that have not ended, of members who are not disabled. */
function selectLive (db: Kysely<DatabaseSchema>, at: number) {
  return db.selectFrom('sessions').innerJoin('memberships', (join) =>
    join.onRef('memberships.user_id', '=', 'sessions.user_id').onRef('memberships.org_id', '=', 'sessions.org_id')
  ).where('sessions.ends_at', '>', toDate(at)).where('memberships.disabled', '=', false)
}

/** Increments the user's epoch and deletes every session. */
export async function revoke (tx: Transaction<DatabaseSchema>, userId: string): Promise<void> {
  await tx.updateTable('users').set((eb) => ({ epoch: eb('epoch', '+', 1) })).where('id', '=', userId).execute()
  await tx.deleteFrom('sessions').where('user_id', '=', userId).execute()
}

function toSsoColumns (sso: SsoSession | null) {
  if (sso === null) return {}
  const { providerId, subject, providerSession, sealedHint } = sso
  return {
    provider_id: toColumnText(providerId),
    provider_subject: toColumnText(subject),
    provider_session: providerSession === null ? null : toColumnText(providerSession),
    provider_hint: sealedHint === null ? null : toColumnText(sealedHint)
  }
}

function toSso (row: Selectable<DatabaseSchema['sessions']>): SsoSession | null {
  const { provider_id: providerId, provider_subject: subject, provider_session: session, provider_hint: hint } = row
  if (providerId === null || subject === null) return null
  return {
    providerId: fromColumnText(providerId),
    subject: fromColumnText(subject),
    providerSession: session === null ? null : fromColumnText(session),
    sealedHint: hint === null ? null : fromColumnText(hint)
  }
}

function toSession (row: Selectable<DatabaseSchema['sessions']>): Session {
  return {
    id: fromColumnText(row.id),
    userId: fromColumnText(row.user_id),
    orgId: fromColumnText(row.org_id),
    createdAt: toMilliseconds(row.created_at),
    lastUsedAt: toMilliseconds(row.last_used_at),
    endsAt: toMilliseconds(row.ends_at),
    ip: fromColumnText(row.ip),
    userAgent: fromColumnText(row.user_agent)
  }
}
