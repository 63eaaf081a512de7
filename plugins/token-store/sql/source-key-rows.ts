import type { Kysely, Selectable, Transaction, Updateable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { CONFLICT } from '../../../lib/errors.js'
import { earlier, newSourceKeyId, sortKeys } from '../source-key-rules.js'
import { assertKey } from '../source-settings.js'
import type { SourceKey } from '../../../contracts/token-store/index.js'
import { toDate, toMilliseconds } from './times.js'

type Tx = Transaction<DatabaseSchema>
export type KeyRow = Selectable<DatabaseSchema['pipeline_keys']>

/** A key to store. The source exists and is locked by the transaction. */
export interface KeyToTake {
  pipelineKey: string
  orgId: string
  sourceId: string
  id: string
  /** Default: none, for the key that every source has. */
  named?: { name: string, domains: string[] | null, enabled: boolean, expiresAt: number | null } | undefined
  createdAt: number | null
}

/** The columns of a key that is no longer in use. Its row stays, so that the key stays with its organisation. */
export const RETIRED = {
  source_id: null, id: null, name: null, domains: null, enabled: true
} as const satisfies Updateable<DatabaseSchema['pipeline_keys']>

/** Stores a key of a source. Rejects with `CONFLICT` unless it is new, or has ended in the same organisation. */
export async function takeKey (tx: Tx, key: KeyToTake, now: number): Promise<void> {
  const { pipelineKey, named } = key
  assertKey(pipelineKey)
  const columns = {
    org_id: toColumnText(key.orgId),
    source_id: key.sourceId,
    id: key.id,
    name: named === undefined ? null : toColumnText(named.name),
    domains: toDomains(named?.domains ?? null),
    enabled: named?.enabled ?? true,
    expires_at: toDateOrNull(named?.expiresAt ?? null),
    added_at: toDateOrNull(key.createdAt),
    last_used_at: null
  }
  const row = await tx.insertInto('pipeline_keys').values({ key: toColumnText(pipelineKey), ...columns })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet(columns)
        .where('pipeline_keys.org_id', '=', columns.org_id)
        .where((eb) =>
          eb.or([eb('pipeline_keys.source_id', 'is', null), eb('pipeline_keys.expires_at', '<=', toDate(now))])
        )
    )
    .returning('key').executeTakeFirst()
  if (row === undefined) throw new CONFLICT({ message: 'This pipeline key is taken' })
}

/** Reads the keys of a source. The key without a name gets an id, if an earlier version has stored it. */
export async function loadKeys (db: Kysely<DatabaseSchema>, sourceId: string, now: number): Promise<SourceKey[]> {
  const read = () => db.selectFrom('pipeline_keys').selectAll().where('source_id', '=', toColumnText(sourceId)).execute()
  const rows = await read()
  const own = rows.find(({ name, expires_at: end }) => name === null && end === null)
  if (own === undefined || own.id !== null) return toSourceKeys(rows, now)
  await db.updateTable('pipeline_keys').set({ id: newSourceKeyId() }).where('key', '=', own.key).where('id', 'is', null)
    .where('expires_at', 'is', null).execute()
  return toSourceKeys(await read(), now)
}

/** Replaces the value of a key of a locked source. Other keys of the source stay as they are. */
export async function replaceKey (
  tx: Tx,
  orgId: string,
  { id, sourceId, pipelineKey: old, name, domains, enabled, expiresAt, createdAt }: SourceKey,
  { pipelineKey, overlapUntil }: { pipelineKey: string, overlapUntil: number },
  now: number
): Promise<void> {
  await tx.updateTable('pipeline_keys').set({ id: null }).where('id', '=', id).execute()
  const named = name === null ? undefined : { name, domains, enabled, expiresAt }
  await takeKey(tx, { pipelineKey, orgId, sourceId, id, named, createdAt }, now)
  const replaced = tx.updateTable('pipeline_keys').where('source_id', '=', toColumnText(sourceId)).where('id', 'is', null)
    .where('name', name === null ? 'is' : '=', name === null ? null : toColumnText(name))
  const end = earlier(overlapUntil, expiresAt) ?? overlapUntil
  await replaced.where('key', '!=', toColumnText(old)).set(RETIRED).execute()
  await replaced.set(end <= now ? RETIRED : { expires_at: toDate(end) }).execute()
}

/** Returns the keys in rows of one source. A row without an id is the previous key of the row with the same name. */
export function toSourceKeys (rows: readonly KeyRow[], now: number): SourceKey[] {
  return sortKeys(rows.flatMap((row) => {
    if (row.id === null || row.source_id === null) return []
    const previous = rows.find(({ id, name, expires_at: end }) =>
      id === null && name === row.name && end !== null && end.getTime() > now
    )
    return [{
      id: row.id,
      sourceId: fromColumnText(row.source_id),
      pipelineKey: fromColumnText(row.key),
      name: row.name === null ? null : fromColumnText(row.name),
      domains: row.domains,
      enabled: row.enabled,
      expiresAt: toMilliseconds(row.expires_at),
      lastUsedAt: toMilliseconds(row.last_used_at),
      createdAt: toMilliseconds(row.added_at),
      previous: previous?.expires_at == null
        ? null
        : {
            pipelineKey: fromColumnText(previous.key),
            expiresAt: previous.expires_at.getTime(),
            lastUsedAt: toMilliseconds(previous.last_used_at)
          }
    }]
  }))
}

export function toDomains (domains: string[] | null): string | null {
  return domains === null ? null : JSON.stringify(domains)
}

export function toDateOrNull (time: number | null): Date | null {
  return time === null ? null : toDate(time)
}
