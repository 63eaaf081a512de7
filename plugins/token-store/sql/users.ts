import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { User, Users } from '../../../contracts/token-store/index.js'
import { emailTaken } from '../limits.js'
import { changeEmail, endLinks } from './account-links.js'
import type { Caches } from './caches.js'
import { sqlLoginFailures } from './login-failures.js'
import { toDate, toMilliseconds } from './times.js'

export function sqlUsers (
  db: Kysely<DatabaseSchema>,
  caches: Caches,
  now: () => number
): Users & { sweep(): Promise<void> } {
  return {
    ...sqlLoginFailures(db, now),

    async create ({ orgId, email, passwordHash, role }) {
      const organisation = toColumnText(orgId)
      const at = toDate(now())
      return await db.transaction().execute(async (tx) => {
        await tx.insertInto('organisations').values({ id: organisation, name: organisation, created_at: at })
          .onConflict((conflict) => conflict.doNothing()).execute()
        const user = await tx.insertInto('users').values({
          id: randomUUID(),
          email: toColumnText(email.toLowerCase()),
          password_hash: toColumnText(passwordHash),
          epoch: 0,
          created_at: at
        }).onConflict((conflict) => conflict.column('email').doNothing()).returningAll().executeTakeFirst()
        if (user === undefined) throw emailTaken()
        await tx.insertInto('memberships').values({ org_id: organisation, user_id: user.id, role, created_at: at })
          .execute()
        return toUser({ ...user, org_id: organisation, role, disabled: false })
      })
    },

    async get (id, orgId) {
      return toUserOrNull(await selectUsers(db, orgId).where('users.id', '=', toColumnText(id)).executeTakeFirst())
    },

    async findByEmail (email, orgId) {
      return toUserOrNull(
        await selectUsers(db, orgId).where('users.email', '=', toColumnText(email.toLowerCase())).executeTakeFirst()
      )
    },

    async setPassword (id, passwordHash) {
      const row = await db.updateTable('users').set({ password_hash: toColumnText(passwordHash) })
        .where('id', '=', toColumnText(id)).returning('id').executeTakeFirst()
      return row !== undefined
    },

    async replacePassword (id, { from, to, endSessionsBut }) {
      const key = toColumnText(id)
      try {
        return await db.transaction().execute(async (tx) => {
          const row = await tx.updateTable('users').set({ password_hash: toColumnText(to) })
            .where('id', '=', key).where('password_hash', '=', toColumnText(from)).returning('id').executeTakeFirst()
          if (row === undefined) return false
          if (endSessionsBut !== undefined) {
            await tx.deleteFrom('sessions').where('user_id', '=', key).where('id', '!=', toColumnText(endSessionsBut))
              .execute()
          }
          return true
        })
      } finally {
        if (endSessionsBut !== undefined) caches.userChanged(id)
      }
    },

    async replaceEmail (id, { from, to }) {
      const key = toColumnText(id)
      try {
        return await db.transaction().execute(async (tx) => {
          const user = await tx.selectFrom('users').select('id').where('id', '=', key)
            .where('email', '=', toColumnText(from.toLowerCase())).forUpdate().executeTakeFirst()
          if (user === undefined) return false
          await changeEmail(tx, key, toColumnText(to.toLowerCase()))
          await endLinks(tx, key)
          return true
        })
      } finally {
        caches.userChanged(id)
      }
    },

    async count () {
      const { count } = await db.selectFrom('users').select((eb) => eb.fn.countAll<string>().as('count'))
        .executeTakeFirstOrThrow()
      return Number(count)
    }
  }
}

/** Selects users as members of one organisation. Default: the membership that a login uses. */
function selectUsers (db: Kysely<DatabaseSchema>, orgId: string | undefined) {
  const members = db.selectFrom('users').innerJoin('memberships', 'memberships.user_id', 'users.id').select([
    'users.id',
    'users.email',
    'users.password_hash',
    'users.epoch',
    'users.created_at',
    'memberships.org_id',
    'memberships.role',
    'memberships.disabled'
  ])
  if (orgId !== undefined) return members.where('memberships.org_id', '=', toColumnText(orgId))
  return members.orderBy('memberships.disabled').orderBy(
    'memberships.last_login_at',
    (order) => order.desc().nullsLast()
  ).orderBy('memberships.seq').limit(1)
}

type UserRow =
  & Selectable<DatabaseSchema['users']>
  & Pick<Selectable<DatabaseSchema['memberships']>, 'org_id' | 'role' | 'disabled'>

function toUserOrNull (row: UserRow | undefined): User | null {
  return row === undefined ? null : toUser(row)
}

function toUser (row: UserRow): User {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    email: fromColumnText(row.email),
    passwordHash: fromColumnText(row.password_hash),
    role: row.role,
    disabled: row.disabled,
    epoch: row.epoch,
    createdAt: toMilliseconds(row.created_at)
  }
}
