import type { Kysely, Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { Identities, Identity } from '../../../contracts/token-store/index.js'
import { identityTaken } from '../limits.js'
import type { Caches } from './caches.js'
import { toDate, toMilliseconds } from './times.js'

export function sqlIdentities (db: Kysely<DatabaseSchema>, caches: Caches, now: () => number): Identities {
  return {
    async find (providerId, subject) {
      const row = await db.selectFrom('identities').selectAll().where('provider_id', '=', toColumnText(providerId))
        .where('subject', '=', toColumnText(subject)).executeTakeFirst()
      return row === undefined ? null : toIdentity(row)
    },

    async link ({ providerId, subject, orgId, userId }) {
      const at = toDate(now())
      return await db.transaction().execute(async (tx) => {
        // The lock serialises two first logins of one user.
        const user = await tx.selectFrom('users').select('id').where('id', '=', toColumnText(userId)).forUpdate()
          .executeTakeFirst()
        const other = user && await tx.selectFrom('identities').select('subject').where('user_id', '=', user.id)
          .where('provider_id', '=', toColumnText(providerId)).where('subject', '!=', toColumnText(subject))
          .executeTakeFirst()
        if (user === undefined || other !== undefined) throw identityTaken()
        const row = await tx.insertInto('identities').values({
          provider_id: toColumnText(providerId),
          subject: toColumnText(subject),
          org_id: toColumnText(orgId),
          user_id: user.id,
          created_at: at,
          last_login_at: at
        }).onConflict((conflict) =>
          conflict.columns(['provider_id', 'subject']).doUpdateSet({ last_login_at: at })
            .where('identities.user_id', '=', user.id)
        ).returningAll().executeTakeFirst()
        if (row === undefined) throw identityTaken()
        return toIdentity(row)
      })
    },

    async ofUser (orgId, userId) {
      const rows = await db.selectFrom('identities').selectAll().where('user_id', '=', toColumnText(userId))
        .where('org_id', '=', toColumnText(orgId)).orderBy('seq').execute()
      return rows.map(toIdentity)
    },

    async unlink (orgId, userId, providerId) {
      try {
        return await db.transaction().execute(async (tx) => {
          const row = await tx.deleteFrom('identities').where('user_id', '=', toColumnText(userId))
            .where('org_id', '=', toColumnText(orgId)).where('provider_id', '=', toColumnText(providerId))
            .returning('user_id').executeTakeFirst()
          if (row === undefined) return false
          await tx.deleteFrom('sessions').where('user_id', '=', row.user_id)
            .where('provider_id', '=', toColumnText(providerId)).execute()
          return true
        })
      } finally {
        caches.userChanged(userId)
      }
    }
  }
}

function toIdentity (row: Selectable<DatabaseSchema['identities']>): Identity {
  return {
    providerId: fromColumnText(row.provider_id),
    subject: fromColumnText(row.subject),
    orgId: fromColumnText(row.org_id),
    userId: fromColumnText(row.user_id),
    createdAt: toMilliseconds(row.created_at),
    lastLoginAt: toMilliseconds(row.last_login_at)
  }
}
