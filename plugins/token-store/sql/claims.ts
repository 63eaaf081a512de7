import type { Kysely } from 'kysely'

import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { claimDigest, claimEnd } from '../claim-rules.js'
import { deleteExpired } from './delete-expired.js'
import { toDate } from './times.js'

export function sqlClaims (db: Kysely<DatabaseSchema>, now: () => number) {
  /** One statement: of two concurrent claims the second waits for the first and then finds its row. */
  async function claim (key: string, ttl: number): Promise<boolean> {
    const at = now()
    const row = await db.insertInto('claims')
      .values({ digest: claimDigest(key), expires_at: toDate(claimEnd(at, ttl)) })
      .onConflict((conflict) => conflict.column('digest')
        .doUpdateSet((eb) => ({ expires_at: eb.ref('excluded.expires_at') }))
        .where('claims.expires_at', '<=', toDate(at)))
      .returning('digest')
      .executeTakeFirst()
    return row !== undefined
  }

  async function sweep (): Promise<void> {
    await deleteExpired(db, { table: 'claims', time: 'expires_at', until: now() })
  }

  return { claim, sweep }
}
