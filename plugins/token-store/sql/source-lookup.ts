import type { Kysely } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import { toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { originsOfKey, withKeyDomains } from '../source-key-rules.js'
import { freezeOrigins, freezeResolved } from '../source-settings.js'
import type { ResolvedSource, SourceOrigins } from '../../../contracts/token-store/index.js'
import { openSecret } from './sealed-secrets.js'
import { selectSources, toSource } from './source-rows.js'
import { toDate, toMilliseconds } from './times.js'

/** Loads the source of a pipeline key in one query, which returns one row per valid secret. */
export async function loadSource (
  db: Kysely<DatabaseSchema>,
  box: SecretBox,
  pipelineKey: string,
  at: number
): Promise<ResolvedSource | null> {
  const now = toDate(at)
  const rows = await selectSources(db)
    .innerJoin('pipeline_keys as presented', 'presented.source_id', 'sources.id')
    .leftJoin('server_secrets', (join) =>
      join.onRef('server_secrets.source_id', '=', 'sources.id')
        .on((eb) => eb.or([eb('server_secrets.expires_at', 'is', null), eb('server_secrets.expires_at', '>', now)])))
    // A previous value of a named key has no id, but the name of its successor.
    .select((eb) =>
      eb.selectFrom('pipeline_keys as named').select('named.id').whereRef('named.source_id', '=', 'presented.source_id')
        .whereRef('named.name', '=', 'presented.name').where('named.id', 'is not', null).limit(1).as('key_id'))
    .select(['presented.expires_at as key_expires_at', 'presented.domains as key_domains',
      'server_secrets.id as secret_id', 'server_secrets.sealed',
      'server_secrets.expires_at as secret_expires_at'])
    .where('presented.key', '=', toColumnText(pipelineKey)).where('presented.enabled', '=', true)
    .where((eb) => eb.or([eb('presented.expires_at', 'is', null), eb('presented.expires_at', '>', now)]))
    .orderBy('server_secrets.seq', 'desc')
    .execute()

  const [first] = rows
  if (first === undefined) return null
  const secrets = rows.flatMap(({ id, secret_id, sealed, secret_expires_at }) =>
    secret_id === null || sealed === null
      ? []
      : [{
          value: openSecret(box, { table: 'server_secrets', ownerId: id, id: secret_id }, sealed),
          expiresAt: toMilliseconds(secret_expires_at)
        }]
  )
  const source = withKeyDomains(toSource(first), first.key_domains)
  const key = { key: pipelineKey, keyId: first.key_id, keyExpiresAt: toMilliseconds(first.key_expires_at) }
  return freezeResolved(source, key, secrets)
}

/**
 * Creates the function that loads the origins of enabled sources, and of enabled keys with own domains. Resolves with
 * the same list until one of them changes, because all rows of many sources are too much to read after each `cacheTtl`.
 */
export function originsLoader (db: Kysely<DatabaseSchema>): (at: number) => Promise<readonly SourceOrigins[]> {
  let known: { state: string, list: readonly SourceOrigins[] } | undefined

  return async function loadOrigins (at) {
    // Read before the rows: a change in between is found by the next call.
    const state = await originsState(db, at)
    if (known?.state !== state) known = { state, list: await readOrigins(db, at) }
    return known.list
  }
}

/** Returns a string that changes with each change of a row: PostgreSQL gives every new version of a row its `xmin`. */
async function originsState (db: Kysely<DatabaseSchema>, at: number): Promise<string> {
  const { sql } = await import('kysely')
  const versions = sql`count(*) as rows, coalesce(bit_xor(hashtextextended(id || ' ' || version, 0)), 0) as versions`
  const { rows: [state] } = await sql<{ state: string }>`
    select concat_ws(' ', s.rows, s.versions, k.rows, k.versions) as state from (
      select ${versions} from (select id, xmin::text as version from sources where enabled) enabled
    ) s, (
      select ${versions} from (
        select key as id, concat_ws(' ', pipeline_keys.xmin, sources.xmin) as version
        from pipeline_keys join sources on sources.id = source_id
        where pipeline_keys.domains is not null and pipeline_keys.enabled and sources.enabled
          and (expires_at is null or expires_at > ${toDate(at)})
      ) valid
    ) k`.execute(db)
  return state?.state ?? ''
}

async function readOrigins (db: Kysely<DatabaseSchema>, at: number): Promise<readonly SourceOrigins[]> {
  const sources = await db.selectFrom('sources').select(['domains', 'allow_any_origin', 'allow_null_origin'])
    .where('enabled', '=', true).execute()
  const keys = await db.selectFrom('pipeline_keys').innerJoin('sources', 'sources.id', 'pipeline_keys.source_id')
    .select('pipeline_keys.domains').where('pipeline_keys.domains', 'is not', null)
    .where('pipeline_keys.enabled', '=', true).where('sources.enabled', '=', true)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', toDate(at))])).execute()
  return Object.freeze([
    ...sources.map(({ domains, allow_any_origin, allow_null_origin }) =>
      freezeOrigins({ domains, allowAnyOrigin: allow_any_origin, allowNullOrigin: allow_null_origin })
    ),
    ...keys.map(({ domains }) => freezeOrigins(originsOfKey(domains ?? [])))
  ])
}
