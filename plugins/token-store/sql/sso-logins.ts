import type { Kysely } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { SsoLogins } from '../../../contracts/token-store/index.js'
import { toDate } from './times.js'

export function sqlSsoLogins (
  db: Kysely<DatabaseSchema>,
  now: () => number
): SsoLogins & { sweep(): Promise<void> } {
  return {
    async put ({ digest, sealed, expiresAt }) {
      await db.insertInto('sso_logins').values({
        digest: toColumnText(digest),
        sealed: toColumnText(sealed),
        expires_at: toDate(expiresAt)
      }).execute()
    },

    async take (digest) {
      const row = await db.deleteFrom('sso_logins').where('digest', '=', toColumnText(digest))
        .returning(['sealed', 'expires_at']).executeTakeFirst()
      return row === undefined || row.expires_at.getTime() <= now() ? null : fromColumnText(row.sealed)
    },

    async sweep () {
      await db.deleteFrom('sso_logins').where('expires_at', '<=', toDate(now())).execute()
    }
  }
}
