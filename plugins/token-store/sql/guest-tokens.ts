import type { Kysely } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { MAX_MINT_TIME } from '../limits.js'
import type { GuestToken, GuestTokens } from '../../../contracts/token-store/index.js'
import type { Caches } from './caches.js'
import { deleteExpired } from './delete-expired.js'
import { toDate, toMilliseconds } from './times.js'

export function sqlGuestTokens (
  db: Kysely<DatabaseSchema>,
  box: SecretBox,
  caches: Caches,
  now: () => number
): GuestTokens & { sweep(): Promise<void> } {
  return {
    get (key) {
      const entry = caches.guestTokens.get(key)
      return entry instanceof Promise ? entry.then(copyOf) : copyOf(entry)
    },

    async set (key, entry) {
      const values = {
        client_id: toColumnText(entry.clientId),
        sealed: box.seal(entry.token, contextOf(key)),
        minted_at: toDate(entry.mintedAt),
        expires_at: toDate(entry.expiresAt)
      }
      // Invalidations are checked on reading, as a concurrent one is not visible here.
      await db.insertInto('guest_tokens').values({ key: toColumnText(key), ...values })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet(values).where('guest_tokens.minted_at', '<=', values.minted_at)
        ).execute()
      caches.guestTokenChanged(key)
    },

    async invalidate ({ clientId }) {
      const id = toColumnText(clientId)
      const at = toDate(now())
      try {
        await db.insertInto('guest_invalidations').values({ client_id: id, invalidated_at: at })
          .onConflict((conflict) =>
            conflict.column('client_id').doUpdateSet({ invalidated_at: at }).where(
              'guest_invalidations.invalidated_at',
              '<',
              at
            )
          ).execute()
        await db.deleteFrom('guest_tokens').where('client_id', '=', id).where('minted_at', '<=', at).execute()
      } finally {
        caches.clientChanged(clientId)
      }
    },

    async sweep () {
      const at = now()
      await deleteExpired(db, { table: 'guest_tokens', time: 'expires_at', until: at })
      await db.deleteFrom('guest_invalidations').where('invalidated_at', '<', toDate(at - MAX_MINT_TIME))
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('guest_tokens').select('key').whereRef(
                'guest_tokens.client_id',
                '=',
                'guest_invalidations.client_id'
              )
            )
          )
        )
        .execute()
    }
  }
}

/** Loads a token for the cache: `null` if it has expired or its client was invalidated since it was minted. */
export async function loadGuestToken (
  db: Kysely<DatabaseSchema>,
  box: SecretBox,
  key: string,
  at: number
): Promise<GuestToken | null> {
  const row = await db.selectFrom('guest_tokens').selectAll().where('key', '=', toColumnText(key)).where(
    'expires_at',
    '>',
    toDate(at)
  )
    .where(({ not, exists, selectFrom }) =>
      not(exists(
        selectFrom('guest_invalidations').select('client_id')
          .whereRef('guest_invalidations.client_id', '=', 'guest_tokens.client_id')
          .whereRef('guest_invalidations.invalidated_at', '>=', 'guest_tokens.minted_at')
      ))
    )
    .executeTakeFirst()
  if (row === undefined) return null
  return Object.freeze({
    token: box.open(row.sealed, contextOf(key)).toString(),
    clientId: fromColumnText(row.client_id),
    mintedAt: toMilliseconds(row.minted_at),
    expiresAt: toMilliseconds(row.expires_at)
  })
}

/** The cached entry is frozen, and a spread of a frozen object takes ten times as long. */
function copyOf (entry: GuestToken | null): GuestToken | null {
  if (entry === null) return null
  const { token, clientId, mintedAt, expiresAt } = entry
  return { token, clientId, mintedAt, expiresAt }
}

function contextOf (key: string): string {
  return `guest_tokens.sealed ${key}`
}
