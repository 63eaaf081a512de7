import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { CONFLICT } from '../../../lib/errors.js'
import type { Invitation, Invitations } from '../../../contracts/token-store/index.js'
import { alreadyMember, assertChangeable, emailTaken, mayGive } from '../limits.js'
import { assertRoom, countMembers, findMember, lockOrganisation, toMember } from './members.js'
import { afterCursor, readPage } from './pages.js'
import { toDate, toMilliseconds } from './times.js'

type Tx = Transaction<DatabaseSchema>
type InvitationRow = Selectable<DatabaseSchema['invitations']>

export function sqlInvitations (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  now: () => number
): Invitations & { sweep(): Promise<void> } {
  const openOf = (orgId: string) =>
    db.selectFrom('invitations').selectAll().where('org_id', '=', toColumnText(orgId))
      .where('expires_at', '>', toDate(now()))

  return {
    async create ({ orgId, email, role, invitedBy, digest, expiresAt }, replaceable) {
      const lower = toColumnText(email.toLowerCase())
      const row = await db.transaction().execute(async (tx) => {
        const organisation = await lockOrganisation(tx, orgId)
        if (organisation === undefined) throw new CONFLICT({ message: 'This organisation does not exist' })
        const replaced = await tx.deleteFrom('invitations').where('org_id', '=', toColumnText(orgId))
          .where('email', '=', lower).returning(['role', 'expires_at']).executeTakeFirst()
        if (replaced !== undefined && toMilliseconds(replaced.expires_at) > now()) {
          assertChangeable(replaced.role, replaceable)
        }
        const member = await tx.selectFrom('memberships').innerJoin('users', 'users.id', 'memberships.user_id')
          .select('users.id').where('users.email', '=', lower).where('memberships.org_id', '=', toColumnText(orgId))
          .executeTakeFirst()
        if (member !== undefined) throw alreadyMember()
        const { max_users: max } = organisation
        if (max !== null) assertRoom(await countMembers(tx, orgId) + await countOpen(tx, orgId), max)
        return await tx.insertInto('invitations').values({
          id: randomUUID(),
          org_id: toColumnText(orgId),
          email: lower,
          role,
          invited_by: toColumnText(invitedBy),
          digest: toColumnText(digest),
          created_at: toDate(now()),
          expires_at: toDate(expiresAt)
        }).returningAll().executeTakeFirstOrThrow()
      })
      return toInvitation(row)
    },

    async get (orgId, id) {
      const row = await openOf(orgId).where('id', '=', toColumnText(id)).executeTakeFirst()
      return row === undefined ? null : toInvitation(row)
    },

    async list (orgId, page) {
      let query = openOf(orgId).orderBy('created_at', 'desc').orderBy('seq', 'desc').limit(page.limit + 1)
      const after = afterCursor(page)
      if (after !== null) {
        query = query.where((eb) => eb(eb.refTuple('created_at', 'seq'), '<', eb.tuple(after.date, after.seq)))
      }
      return readPage(lists, query, page, toInvitation)
    },

    async renew (orgId, id, { invitedBy, digest, expiresAt }) {
      const row = await db.updateTable('invitations').set({
        invited_by: toColumnText(invitedBy),
        digest: toColumnText(digest),
        expires_at: toDate(expiresAt)
      }).where('org_id', '=', toColumnText(orgId)).where('id', '=', toColumnText(id))
        .where('expires_at', '>', toDate(now())).returningAll().executeTakeFirst()
      return row === undefined ? null : toInvitation(row)
    },

    async delete (orgId, id) {
      const row = await db.deleteFrom('invitations').where('org_id', '=', toColumnText(orgId))
        .where('id', '=', toColumnText(id)).where('expires_at', '>', toDate(now())).returningAll().executeTakeFirst()
      return row === undefined ? null : toInvitation(row)
    },

    async find (digest) {
      const row = await db.selectFrom('invitations')
        .innerJoin('organisations', 'organisations.id', 'invitations.org_id')
        .leftJoin('users', 'users.email', 'invitations.email')
        .selectAll('invitations').select(['organisations.name as org_name', 'users.id as user_id'])
        .where('digest', '=', toColumnText(digest)).where('expires_at', '>', toDate(now())).executeTakeFirst()
      if (row === undefined || !await isSenderEntitled(db, row)) return null
      return {
        invitation: toInvitation(row),
        orgName: fromColumnText(row.org_name),
        userId: row.user_id === null ? null : fromColumnText(row.user_id)
      }
    },

    async accept (digest, account) {
      const invited = await db.selectFrom('invitations').select('org_id').where('digest', '=', toColumnText(digest))
        .executeTakeFirst()
      if (invited === undefined) return null
      const orgId = fromColumnText(invited.org_id)
      return await db.transaction().execute(async (tx) => {
        // The user is locked first, as by the removal of a member, to avoid deadlocks.
        const user = 'userId' in account
          ? await tx.selectFrom('users').select(['id', 'email']).where('id', '=', toColumnText(account.userId))
            .forUpdate().executeTakeFirst()
          : undefined
        const organisation = await lockOrganisation(tx, orgId)
        const row = await tx.selectFrom('invitations').selectAll().where('digest', '=', toColumnText(digest))
          .where('expires_at', '>', toDate(now())).forUpdate().executeTakeFirst()
        if (row === undefined || organisation === undefined || !await isSenderEntitled(tx, row)) return null
        if ('userId' in account && user?.email !== row.email) return null
        const userId = 'userId' in account
          ? toColumnText(account.userId)
          : await createUser(tx, row.email, account.passwordHash, now())
        if (await findMember(tx, orgId, fromColumnText(userId)) !== undefined) throw alreadyMember()
        if (organisation.max_users !== null) assertRoom(await countMembers(tx, orgId), organisation.max_users)
        await tx.insertInto('memberships').values({
          org_id: row.org_id,
          user_id: userId,
          role: row.role,
          created_at: toDate(now())
        }).execute()
        await tx.deleteFrom('invitations').where('id', '=', row.id).execute()
        const member = await findMember(tx, orgId, fromColumnText(userId))
        return member === undefined ? null : toMember(member)
      })
    },

    async sweep () {
      await db.deleteFrom('invitations').where('expires_at', '<=', toDate(now())).execute()
    }
  }

  async function countOpen (tx: Tx, orgId: string): Promise<number> {
    const { count } = await tx.selectFrom('invitations').select((eb) => eb.fn.countAll<string>().as('count'))
      .where('org_id', '=', toColumnText(orgId)).where('expires_at', '>', toDate(now())).executeTakeFirstOrThrow()
    return Number(count)
  }
}

async function createUser (tx: Tx, email: string, passwordHash: string, at: number): Promise<string> {
  const user = await tx.insertInto('users').values({
    id: randomUUID(),
    email,
    password_hash: toColumnText(passwordHash),
    epoch: 0,
    created_at: toDate(at)
  }).onConflict((conflict) => conflict.column('email').doNothing()).returning('id').executeTakeFirst()
  if (user === undefined) throw emailTaken()
  return user.id
}

async function isSenderEntitled (db: Kysely<DatabaseSchema>, { org_id, invited_by, role }: InvitationRow) {
  const sender = await findMember(db, fromColumnText(org_id), fromColumnText(invited_by))
  return sender !== undefined && !sender.disabled && mayGive(sender.role, role)
}

function toInvitation (row: InvitationRow): Invitation {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    email: fromColumnText(row.email),
    role: row.role,
    invitedBy: fromColumnText(row.invited_by),
    createdAt: toMilliseconds(row.created_at),
    expiresAt: toMilliseconds(row.expires_at)
  }
}
