import type { Kysely } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { inTurn } from './in-turn.js'

/** Bound to its source and its row: copied to another one it does not open. */
export function sealSecret (box: SecretBox, sourceId: string, id: string, value: Buffer): string {
  return box.seal(value, contextOf(sourceId, id))
}

export function openSecret (box: SecretBox, sourceId: string, id: string, sealed: string): Buffer {
  return box.open(sealed, contextOf(sourceId, id))
}

/** Brings every secret under the current key, so that the previous ones can be dropped. */
export async function sealAgain (db: Kysely<DatabaseSchema>, box: SecretBox): Promise<void> {
  const rows = await db.selectFrom('server_secrets').select(['id', 'source_id', 'sealed']).execute()
  await inTurn(rows.filter((row) => !box.isCurrent(row.sealed)).map(({ id, source_id, sealed }) => async () => {
    const fresh = sealSecret(box, source_id, id, openSecret(box, source_id, id, sealed))
    await db.updateTable('server_secrets').set({ sealed: fresh }).where('id', '=', id).where('sealed', '=', sealed).execute()
  }))
}

function contextOf (sourceId: string, id: string): string {
  return `server_secrets.sealed ${sourceId} ${id}`
}
