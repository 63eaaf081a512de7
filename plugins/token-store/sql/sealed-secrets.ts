import type { Kysely } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { inTurn } from './in-turn.js'

type Table = 'server_secrets' | 'webhook_secrets' | 'identity_provider_secrets'

const OWNERS: Readonly<Record<Table, string>> = {
  server_secrets: 'source',
  webhook_secrets: 'webhook',
  identity_provider_secrets: 'identity provider'
}

/** The row of a secret; `ownerId` is the id of its source, webhook or identity provider. */
interface Place {
  readonly table: Table
  readonly ownerId: string
  readonly id: string
}

/** Encrypts a secret for one owner and row: a copy in another row cannot be decrypted. */
export function sealSecret (box: SecretBox, place: Place, value: Buffer): string {
  return box.seal(value, contextOf(place))
}

/** Decrypts a secret. An error names the owner, because the log shows it for a request. */
export function openSecret (box: SecretBox, place: Place, sealed: string): Buffer {
  try {
    return box.open(sealed, contextOf(place))
  } catch (error) {
    const { message } = error as Error
    const owner = `${OWNERS[place.table]} ${place.ownerId}`
    throw new Error(`token-store: "secretsKeys" (SECRETS_KEY) cannot open the secret of ${owner}: ${message}`, {
      cause: error
    })
  }
}

/** Encrypts every secret of a table with the current key, so that previous keys can be removed. */
export async function sealAgain (db: Kysely<DatabaseSchema>, box: SecretBox, table: Table): Promise<void> {
  const rows = await rowsOf(db, table, box.currentPrefix)
  await inTurn(rows.map(({ id, owner, sealed }) => async () => {
    const place = { table, ownerId: owner, id }
    const fresh = sealSecret(box, place, openSecret(box, place, sealed))
    await db.updateTable(table).set({ sealed: fresh }).where('id', '=', id).where('sealed', '=', sealed).execute()
  }))
}

/** Returns the rows that another key has sealed. The database compares, as there may be many secrets. */
async function rowsOf (
  db: Kysely<DatabaseSchema>,
  table: Table,
  currentPrefix: string
): Promise<Array<{ id: string, owner: string, sealed: string }>> {
  const { sql } = await import('kysely')
  const isOld = sql<boolean>`not starts_with(sealed, ${currentPrefix})`
  switch (table) {
    case 'server_secrets':
      return await db.selectFrom(table).select(['id', 'source_id as owner', 'sealed']).where(isOld).execute()
    case 'webhook_secrets':
      return await db.selectFrom(table).select(['id', 'webhook_id as owner', 'sealed']).where(isOld).execute()
    case 'identity_provider_secrets':
      return await db.selectFrom(table).select(['id', 'provider_id as owner', 'sealed']).where(isOld).execute()
  }
}

function contextOf ({ table, ownerId, id }: Place): string {
  return `${table}.sealed ${ownerId} ${id}`
}
