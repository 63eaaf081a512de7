import { sql } from 'kysely'
import type { Kysely } from 'kysely'

const MIN_VERSION = 14

/**
 * Returns the durability of committed writes: `disk`, unless the server is configured not to wait for the disk.
 *
 * @throws an Error for a server older than PostgreSQL 14
 */
export async function inspectPostgres<Schema> (db: Kysely<Schema>): Promise<'process' | 'disk'> {
  const { rows: [server] } = await sql<{ version: string, fsync: string, synchronous: string }>`
    select current_setting('server_version_num') as version, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as synchronous`.execute(db)
  const major = Math.trunc(Number(server?.version) / 10_000)
  if (!(major >= MIN_VERSION)) {
    throw new Error(`The database server is PostgreSQL ${major}; use version ${MIN_VERSION} or newer`)
  }
  return server?.fsync === 'on' && server.synchronous !== 'off' ? 'disk' : 'process'
}
