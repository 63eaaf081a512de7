import type { Kysely } from 'kysely'

import { toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { FAILURES_FORGOTTEN_AFTER } from '../limits.js'
import type { Users } from '../../../contracts/token-store/index.js'
import { deleteExpired } from './delete-expired.js'
import { toDate, toMilliseconds } from './times.js'

type LoginFailures = Pick<Users, 'lockedUntil' | 'countFailure' | 'clearFailures' | 'unlock'>

export function sqlLoginFailures (
  db: Kysely<DatabaseSchema>,
  now: () => number
): LoginFailures & { sweep(): Promise<void> } {
  async function lockedUntil (subject: string): Promise<number | null> {
    const row = await db.selectFrom('login_failures').select('locked_until')
      .where('subject', '=', toColumnText(subject)).where('locked_until', '>', toDate(now())).executeTakeFirst()
    return toMilliseconds(row?.locked_until ?? null)
  }

  return {
    lockedUntil,

    /**
     * One statement, so that concurrent failures are all counted. A current lock is not extended; after it has ended,
     * the count restarts. A failure during a lock writes a count of 0: it takes the same time and shows that there was
     * a lock.
     */
    async countFailure (subject, { max, lockFor }) {
      const at = now()
      const until = toDate(at + lockFor)
      const row = await db.insertInto('login_failures')
        .values({
          subject: toColumnText(subject),
          count: 1,
          locked_until: max <= 1 ? until : null,
          last_at: toDate(at)
        })
        .onConflict((conflict) =>
          conflict.column('subject').doUpdateSet((eb) => {
            const locked = eb('login_failures.locked_until', '>', toDate(at))
            const over = eb.or([eb('login_failures.locked_until', 'is not', null),
              eb('login_failures.last_at', '<=', toDate(at - FAILURES_FORGOTTEN_AFTER))])
            const count = eb.case().when(over).then(1).else(eb('login_failures.count', '+', 1)).end()
            return {
              count: eb.case().when(locked).then(0).else(count).end(),
              locked_until: eb.case()
                .when(locked).then(eb.ref('login_failures.locked_until'))
                .when(count, '>=', max).then(eb.cast<Date | null>(eb.val(until), 'timestamptz'))
                .else(null).end(),
              last_at: eb.case().when(locked).then(eb.ref('login_failures.last_at')).else(eb.ref('excluded.last_at'))
                .end()
            }
          })
        )
        .returning(['locked_until', 'count'])
        .executeTakeFirstOrThrow()
      return { lockedUntil: toMilliseconds(row.locked_until), wasLocked: row.count === 0 }
    },

    async clearFailures (subject) {
      const { numDeletedRows } = await db.deleteFrom('login_failures').where('subject', '=', toColumnText(subject))
        .where((eb) => eb.or([eb('locked_until', 'is', null), eb('locked_until', '<=', toDate(now()))]))
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n ? null : await lockedUntil(subject)
    },

    async unlock (subject) {
      const key = toColumnText(subject)
      await db.deleteFrom('login_failures')
        .where((eb) =>
          eb.or([eb('subject', '=', key), eb(eb.fn<boolean>('starts_with', ['subject', eb.val(`${key}.`)]), '=', true)])
        ).execute()
    },

    async sweep () {
      const { sql } = await import('kysely')
      const at = now()
      await deleteExpired(db, {
        table: 'login_failures',
        time: 'last_at',
        until: at - FAILURES_FORGOTTEN_AFTER,
        condition: sql`(locked_until is null or locked_until <= ${toDate(at)})`
      })
    }
  }
}
