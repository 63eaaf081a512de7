import type { ExpressionBuilder, Kysely, Transaction } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { AccountLinks } from '../../../contracts/token-store/index.js'
import { emailTaken } from '../limits.js'
import type { Caches } from './caches.js'
import { revoke } from './sessions.js'
import { toDate } from './times.js'

type Tx = Transaction<DatabaseSchema>

/** Returns the expression for the SHA-256 of a user's password hash, in hex. */
function passwordDigest ({ fn, val }: ExpressionBuilder<DatabaseSchema, 'users'>) {
  return fn<string>('encode', [fn('sha256', [fn('convert_to', ['users.password_hash', val('UTF8')])]), val('hex')])
}

export function sqlAccountLinks (
  db: Kysely<DatabaseSchema>,
  caches: Caches,
  now: () => number
): AccountLinks & { sweep(): Promise<void> } {
  /** Selects the valid reset link of a digest. */
  const resetOf = (reader: Kysely<DatabaseSchema>, digest: string) =>
    reader.selectFrom('password_resets').innerJoin('users', 'users.id', 'password_resets.user_id')
      .select(['users.id', 'users.email']).where('password_resets.digest', '=', toColumnText(digest))
      .where('password_resets.expires_at', '>', toDate(now()))
      .whereRef('password_resets.email', '=', 'users.email')
      .where((eb) => eb('password_resets.password_digest', '=', passwordDigest(eb)))

  return {
    async startReset ({ userId, digest, expiresAt }) {
      const row = await db.insertInto('password_resets')
        .columns(['user_id', 'digest', 'email', 'password_digest', 'expires_at'])
        .expression((eb) =>
          eb.selectFrom('users').select((eb) => [
            'users.id',
            eb.cast<string>(eb.val(toColumnText(digest)), 'text').as('digest'),
            'users.email',
            passwordDigest(eb).as('password_digest'),
            eb.cast<Date>(eb.val(toDate(expiresAt)), 'timestamptz').as('expires_at')
          ]).where('users.id', '=', toColumnText(userId))
        )
        .onConflict((conflict) =>
          conflict.column('user_id').doUpdateSet((eb) => ({
            digest: eb.ref('excluded.digest'),
            email: eb.ref('excluded.email'),
            password_digest: eb.ref('excluded.password_digest'),
            expires_at: eb.ref('excluded.expires_at')
          }))
        )
        .returning('user_id').executeTakeFirst()
      return row !== undefined
    },

    async findReset (digest) {
      const row = await resetOf(db, digest).executeTakeFirst()
      return row === undefined ? null : { userId: fromColumnText(row.id), email: fromColumnText(row.email) }
    },

    async finishReset (digest, passwordHash) {
      const found = await resetOf(db, digest).executeTakeFirst()
      if (found === undefined) return null
      try {
        return await db.transaction().execute(async (tx) => {
          await lockUser(tx, found.id)
          const row = await resetOf(tx, digest).executeTakeFirst()
          if (row === undefined) return null
          await endLinks(tx, row.id)
          await revoke(tx, row.id)
          await tx.updateTable('users').set({ password_hash: toColumnText(passwordHash) }).where('id', '=', row.id)
            .execute()
          return { userId: fromColumnText(row.id), email: fromColumnText(row.email) }
        })
      } finally {
        caches.userChanged(fromColumnText(found.id))
      }
    },

    async startEmailChange ({ userId, newEmail, digest, newDigest, expiresAt }) {
      return await db.transaction().execute(async (tx) => {
        const user = await tx.selectFrom('users')
          .select((eb) => ['id', 'email', passwordDigest(eb).as('password_digest')])
          .where('id', '=', toColumnText(userId)).forUpdate().executeTakeFirst()
        if (user === undefined) return false
        await tx.deleteFrom('email_changes').where('user_id', '=', user.id).execute()
        await tx.insertInto('email_changes').values({
          user_id: user.id,
          digest: toColumnText(digest),
          email: user.email,
          password_digest: user.password_digest,
          expires_at: toDate(expiresAt),
          new_email: toColumnText(newEmail.toLowerCase()),
          new_digest: toColumnText(newDigest),
          confirmed: false,
          new_confirmed: false
        }).execute()
        return true
      })
    },

    async confirmEmail (digest) {
      const key = toColumnText(digest)
      const found = await db.selectFrom('email_changes').select('user_id')
        .where((eb) => eb.or([eb('digest', '=', key), eb('new_digest', '=', key)])).executeTakeFirst()
      if (found === undefined) return null
      try {
        return await db.transaction().execute(async (tx) => {
          await lockUser(tx, found.user_id)
          const change = await tx.selectFrom('email_changes').innerJoin('users', 'users.id', 'email_changes.user_id')
            .selectAll('email_changes').where('user_id', '=', found.user_id)
            .where((eb) => eb.or([eb('digest', '=', key), eb('new_digest', '=', key)]))
            .where('expires_at', '>', toDate(now()))
            .whereRef('email_changes.email', '=', 'users.email')
            .where((eb) => eb('password_digest', '=', passwordDigest(eb))).executeTakeFirst()
          if (change === undefined) return null
          const { user_id: id, email, new_email: to } = change
          const confirmed = change.confirmed || change.digest === key
          const newConfirmed = change.new_confirmed || change.new_digest === key
          const isComplete = confirmed && newConfirmed
          if (isComplete) {
            await changeEmail(tx, id, to)
            await endLinks(tx, id)
          } else {
            await tx.updateTable('email_changes').set({ confirmed, new_confirmed: newConfirmed })
              .where('user_id', '=', id).execute()
          }
          const addresses = { userId: fromColumnText(id), from: fromColumnText(email), to: fromColumnText(to) }
          return { outcome: isComplete ? 'changed' as const : 'waiting' as const, ...addresses }
        })
      } finally {
        caches.userChanged(fromColumnText(found.user_id))
      }
    },

    async sweep () {
      await db.deleteFrom('password_resets').where('expires_at', '<=', toDate(now())).execute()
      await db.deleteFrom('email_changes').where('expires_at', '<=', toDate(now())).execute()
    }
  }
}

/** Serialises the uses of a user's links. A separate statement: the next one sees what was committed meanwhile. */
async function lockUser (tx: Tx, id: string): Promise<void> {
  await tx.selectFrom('users').select('id').where('id', '=', id).forUpdate().execute()
}

export async function changeEmail (tx: Tx, id: string, email: string): Promise<void> {
  const other = await tx.selectFrom('users').select('id').where('email', '=', email).where('id', '!=', id)
    .executeTakeFirst()
  if (other !== undefined) throw emailTaken()
  await tx.updateTable('users').set({ email }).where('id', '=', id).execute()
}

export async function endLinks (tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('password_resets').where('user_id', '=', id).execute()
  await tx.deleteFrom('email_changes').where('user_id', '=', id).execute()
}
