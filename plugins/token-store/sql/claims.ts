import type { Kysely } from 'kysely'

import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { claimDigest, claimEnd } from '../claim-rules.js'
import { deleteExpired } from './delete-expired.js'
import { toDate } from './times.js'

interface Waiting {
  digest: string
  endsAt: number
  resolve: (isFirst: boolean) => void
  reject: (error: unknown) => void
}

/** The claims of one turn of the event loop share a statement, which takes most of the time of a single one. */
export function sqlClaims (db: Kysely<DatabaseSchema>, now: () => number) {
  let waiting: Waiting[] = []

  async function claim (key: string, ttl: number): Promise<boolean> {
    const digest = claimDigest(key)
    const endsAt = claimEnd(now(), ttl)
    return await new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(writeWaiting)
      waiting.push({ digest, endsAt, resolve, reject })
    })
  }

  function writeWaiting (): void {
    const claims = waiting
    waiting = []
    const first = new Map<string, Waiting>()
    for (const claim of claims) if (!first.has(claim.digest)) first.set(claim.digest, claim)
    // In one order, so that the statements of two instances do not wait for each other.
    const rows = [...first.values()].sort((a, b) => a.digest < b.digest ? -1 : 1)
    write(rows).then(
      (claimed) => {
        for (const claim of claims) claim.resolve(first.get(claim.digest) === claim && claimed.has(claim.digest))
      },
      (error: unknown) => {
        for (const { reject } of claims) reject(error)
      }
    )
  }

  /** Returns the digests that were free. Of two concurrent claims the second waits for the first and finds its row. */
  async function write (rows: readonly Waiting[]): Promise<Set<string>> {
    const { sql } = await import('kysely')
    const { rows: claimed } = await sql<{ digest: string }>`
      insert into claims (digest, expires_at)
      select digest, ends_at from unnest(
        ${rows.map(({ digest }) => digest)}::text[],
        ${rows.map(({ endsAt }) => toDate(endsAt))}::timestamptz[]
      ) with ordinality as claim (digest, ends_at, position)
      order by position
      on conflict (digest) do update set expires_at = excluded.expires_at where claims.expires_at <= ${toDate(now())}
      returning digest`.execute(db)
    return new Set(claimed.map(({ digest }) => digest))
  }

  async function sweep (): Promise<void> {
    await deleteExpired(db, { table: 'claims', time: 'expires_at', until: now() })
  }

  return { claim, sweep }
}
