import type { Kysely } from 'kysely'

import type { SecretBox } from '../../../signing/secret-box.js'
import { toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
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
    .select(['presented.expires_at as key_expires_at', 'server_secrets.id as secret_id', 'server_secrets.sealed',
      'server_secrets.expires_at as secret_expires_at'])
    .where('presented.key', '=', toColumnText(pipelineKey))
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
  return freezeResolved(toSource(first), pipelineKey, toMilliseconds(first.key_expires_at), secrets)
}

export async function loadOrigins (db: Kysely<DatabaseSchema>): Promise<readonly SourceOrigins[]> {
  const rows = await db.selectFrom('sources').select(['domains', 'allow_any_origin', 'allow_null_origin']).where(
    'enabled',
    '=',
    true
  ).execute()
  return Object.freeze(rows.map(({ domains, allow_any_origin, allow_null_origin }) => {
    return freezeOrigins({ domains, allowAnyOrigin: allow_any_origin, allowNullOrigin: allow_null_origin })
  }))
}
