import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { CONFLICT } from '../../../lib/errors.js'
import type { User, Users } from '../../../contracts/token-store/index.js'
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
      const row = await db.insertInto('users').values({
        id: randomUUID(),
        org_id: toColumnText(orgId),
        email: toColumnText(email.toLowerCase()),
        password_hash: toColumnText(passwordHash),
        role,
        disabled: false,
        epoch: 0,
        created_at: toDate(now())
      }).onConflict((conflict) => conflict.column('email').doNothing()).returningAll().executeTakeFirst()
      if (row === undefined) throw new CONFLICT({ message: 'This email is taken' })
      return toUser(row)
    },

    async get (id) {
      return toUserOrNull(
        await db.selectFrom('users').selectAll().where('id', '=', toColumnText(id)).executeTakeFirst()
      )
    },

    async findByEmail (email) {
      return toUserOrNull(
        await db.selectFrom('users').selectAll().where('email', '=', toColumnText(email.toLowerCase()))
          .executeTakeFirst()
      )
    },

    async update (id, { role, disabled, passwordHash }) {
      const key = toColumnText(id)
      try {
        return await db.transaction().execute(async (tx) => {
          const row = await tx.updateTable('users').where('id', '=', key).set((eb) => ({
            role: role ?? eb.ref('role'),
            disabled: disabled ?? eb.ref('disabled'),
            password_hash: passwordHash === undefined ? eb.ref('password_hash') : toColumnText(passwordHash),
            epoch: disabled === true
              ? eb.case().when('disabled', '=', false).then(eb('epoch', '+', 1)).else(eb.ref('epoch')).end()
              : eb.ref('epoch')
          })).returningAll().executeTakeFirst()
          // A user who is enabled again later has no sessions.
          if (row?.disabled === true) await tx.deleteFrom('sessions').where('user_id', '=', key).execute()
          return toUserOrNull(row)
        })
      } finally {
        caches.userChanged(id)
      }
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

    async count () {
      const { count } = await db.selectFrom('users').select((eb) => eb.fn.countAll<string>().as('count'))
        .executeTakeFirstOrThrow()
      return Number(count)
    }
  }
}

function toUserOrNull (row: Selectable<DatabaseSchema['users']> | undefined): User | null {
  return row === undefined ? null : toUser(row)
}

function toUser (row: Selectable<DatabaseSchema['users']>): User {
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
