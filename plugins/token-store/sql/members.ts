import { randomUUID } from 'node:crypto'

import type { Kysely, Transaction } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { NO_PASSWORD } from '../../../contracts/token-store/index.js'
import type { Member, Members, Role } from '../../../contracts/token-store/index.js'
import { assertChangeable, lastOwner, noOrganisation, overQuota } from '../limits.js'
import type { Caches } from './caches.js'
import { afterCursor, readPage } from './pages.js'
import { toDate, toMilliseconds } from './times.js'

type Tx = Transaction<DatabaseSchema>

interface MemberRow {
  org_id: string
  user_id: string
  seq: string
  email: string
  role: Role
  disabled: boolean
  created_at: Date
  last_login_at: Date | null
}

export function sqlMembers (
  db: Kysely<DatabaseSchema>,
  lists: ListReads,
  caches: Caches,
  now: () => number
): Members {
  return {
    async add ({ orgId, userId, role }) {
      await db.insertInto('memberships').values({
        org_id: toColumnText(orgId),
        user_id: toColumnText(userId),
        role,
        created_at: toDate(now())
      }).execute()
      return toMember(await selectMembers(db).where('memberships.org_id', '=', toColumnText(orgId))
        .where('memberships.user_id', '=', toColumnText(userId)).executeTakeFirstOrThrow())
    },

    async provision ({ orgId, email, role }) {
      const address = toColumnText(email.toLowerCase())
      return await db.transaction().execute(async (tx) => {
        const at = toDate(now())
        // The user is locked first, as by the removal of a member, to avoid deadlocks.
        const fresh = await tx.insertInto('users').values({
          id: randomUUID(),
          email: address,
          password_hash: NO_PASSWORD,
          epoch: 0,
          created_at: at
        }).onConflict((conflict) => conflict.column('email').doNothing()).returning('id').executeTakeFirst()
        const user = fresh ?? await tx.selectFrom('users').select('id').where('email', '=', address).forUpdate()
          .executeTakeFirstOrThrow()
        const organisation = await lockOrganisation(tx, orgId)
        if (organisation === undefined) throw noOrganisation()
        const id = fromColumnText(user.id)
        const present = await findMember(tx, orgId, id)
        if (present !== undefined) return { member: toMember(present), created: null }
        if (organisation.max_users !== null) assertRoom(await countMembers(tx, orgId), organisation.max_users)
        await tx.insertInto('memberships').values({
          org_id: toColumnText(orgId),
          user_id: user.id,
          role,
          created_at: at
        }).execute()
        const row = await selectMembers(tx).where('memberships.org_id', '=', toColumnText(orgId))
          .where('memberships.user_id', '=', user.id).executeTakeFirstOrThrow()
        return { member: toMember(row), created: fresh === undefined ? 'membership' : 'account' }
      })
    },

    async get (orgId, userId) {
      return toMemberOrNull(await findMember(db, orgId, userId))
    },

    async list (orgId, page) {
      let query = selectMembers(db).where('memberships.org_id', '=', toColumnText(orgId))
        .orderBy('memberships.created_at', 'desc').orderBy('memberships.seq', 'desc').limit(page.limit + 1)
      const after = afterCursor(page)
      if (after !== null) {
        query = query.where((eb) =>
          eb(eb.refTuple('memberships.created_at', 'memberships.seq'), '<', eb.tuple(after.date, after.seq))
        )
      }
      return readPage(lists, query, page, toMember)
    },

    async ofUser (userId) {
      const rows = await db.selectFrom('memberships').innerJoin('organisations', 'organisations.id', 'org_id')
        .select(['org_id', 'organisations.name', 'role', 'disabled'])
        .where('user_id', '=', toColumnText(userId)).orderBy('memberships.seq').execute()
      return rows.map(({ org_id: orgId, name, role, disabled }) => ({
        orgId: fromColumnText(orgId),
        orgName: fromColumnText(name),
        role,
        disabled
      }))
    },

    async update (orgId, userId, { role, disabled }, changeable) {
      try {
        return await db.transaction().execute(async (tx) => {
          await lockOrganisation(tx, orgId)
          const before = await findMember(tx, orgId, userId)
          if (before === undefined) return null
          assertChangeable(before.role, changeable)
          const after = { role: role ?? before.role, disabled: disabled ?? before.disabled }
          if (after.role !== 'owner' || after.disabled) await assertOtherOwner(tx, before)
          await tx.updateTable('memberships').set(after).where('org_id', '=', before.org_id)
            .where('user_id', '=', before.user_id).execute()
          // A user who is enabled again later has no sessions.
          if (after.disabled) {
            await tx.deleteFrom('sessions').where('org_id', '=', before.org_id).where('user_id', '=', before.user_id)
              .execute()
          }
          return toMember({ ...before, ...after })
        })
      } finally {
        caches.userChanged(userId)
      }
    },

    async remove (orgId, userId, changeable) {
      const id = toColumnText(userId)
      try {
        return await db.transaction().execute(async (tx) => {
          // The user is locked first, as by the start of a session, to avoid deadlocks.
          await tx.selectFrom('users').select('id').where('id', '=', id).forUpdate().execute()
          await lockOrganisation(tx, orgId)
          const member = await findMember(tx, orgId, userId)
          if (member === undefined) return null
          assertChangeable(member.role, changeable)
          await assertOtherOwner(tx, member)
          // Sessions refer to the membership and are deleted with it.
          await tx.deleteFrom('memberships').where('org_id', '=', member.org_id).where('user_id', '=', id).execute()
          await tx.deleteFrom('users').where('id', '=', id).where(({ not, exists, selectFrom }) =>
            not(exists(selectFrom('memberships').select('org_id').where('user_id', '=', id)))
          ).execute()
          return toMember(member)
        })
      } finally {
        caches.userChanged(userId)
      }
    }
  }
}

function selectMembers (db: Kysely<DatabaseSchema>) {
  return db.selectFrom('memberships').innerJoin('users', 'users.id', 'memberships.user_id').select([
    'memberships.org_id',
    'memberships.user_id',
    'memberships.seq',
    'users.email',
    'memberships.role',
    'memberships.disabled',
    'memberships.created_at',
    'memberships.last_login_at'
  ])
}

export async function findMember (
  db: Kysely<DatabaseSchema>,
  orgId: string,
  userId: string
): Promise<MemberRow | undefined> {
  return await selectMembers(db).where('memberships.org_id', '=', toColumnText(orgId))
    .where('memberships.user_id', '=', toColumnText(userId)).executeTakeFirst()
}

/**
 * Serialises the changes of an organisation's members, so that two of them cannot remove each other's last owner.
 * Resolves with the limit of its users; `undefined` if the organisation does not exist.
 */
export async function lockOrganisation (tx: Tx, orgId: string): Promise<{ max_users: number | null } | undefined> {
  return await tx.selectFrom('organisations').select('max_users').where('id', '=', toColumnText(orgId)).forUpdate()
    .executeTakeFirst()
}

export async function countMembers (tx: Tx, orgId: string): Promise<number> {
  const { count } = await tx.selectFrom('memberships').select((eb) => eb.fn.countAll<string>().as('count'))
    .where('org_id', '=', toColumnText(orgId)).executeTakeFirstOrThrow()
  return Number(count)
}

export function assertRoom (used: number, max: number): void {
  if (used >= max) throw overQuota('users', max)
}

async function assertOtherOwner (tx: Tx, { org_id: orgId, user_id: userId, role, disabled }: MemberRow): Promise<void> {
  if (role !== 'owner' || disabled) return
  const other = await tx.selectFrom('memberships').select('user_id').where('org_id', '=', orgId)
    .where('user_id', '!=', userId).where('role', '=', 'owner').where('disabled', '=', false).limit(1)
    .executeTakeFirst()
  if (other === undefined) throw lastOwner()
}

function toMemberOrNull (row: MemberRow | undefined): Member | null {
  return row === undefined ? null : toMember(row)
}

export function toMember (row: MemberRow): Member {
  return {
    orgId: fromColumnText(row.org_id),
    userId: fromColumnText(row.user_id),
    email: fromColumnText(row.email),
    role: row.role,
    disabled: row.disabled,
    createdAt: toMilliseconds(row.created_at),
    lastLoginAt: toMilliseconds(row.last_login_at)
  }
}
