import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import { migrations as ours } from './migrations/index.js'
import { loadMigrator } from './migrator.js'
import type { Migration } from './migrator.js'

// Names of our own: a host may keep its own Kysely migrations in the same schema.
const MIGRATIONS = 'gatehouse_migration'
const MIGRATION_LOCK = 'gatehouse_migration_lock'

/**
 * Brings the tables up to date. Any number of instances may start at once on one PostgreSQL: an advisory lock lets one of them
 * work while the others wait, and a run that fails leaves nothing behind. Resolves with the names of what was run.
 *
 * @throws an Error when the database was made by a newer version, or when a migration fails
 */
export async function migrate<Schema> (db: Kysely<Schema>, migrations: Record<string, Migration> = ours): Promise<string[]> {
  const schema = await currentSchema(db)
  const known = Object.keys(migrations)
  const Migrator = await loadMigrator()
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    // Named outright: the migrator looks for its tables in every schema, and would take another application's for its own.
    migrationTableSchema: schema,
    migrationTableName: MIGRATIONS,
    migrationLockTableName: MIGRATION_LOCK,
    // The order of the names must not hang on the locale of the machine.
    nameComparator: (a, b) => a < b ? -1 : a > b ? 1 : 0
  })

  const { error, results = [] } = await migrator.migrateToLatest()
  if (error === undefined) return results.map(({ migrationName }) => migrationName)

  const unknown = (await applied(db, schema)).filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new Error(`The database was made by a newer version of fastify-gatehouse (it has ${unknown.join(', ')}, unknown to this version); upgrade the package`, { cause: error })
  }
  const failed = results.find(({ status }) => status === 'Error')?.migrationName
  throw new Error(`The database could not be migrated${failed === undefined ? '' : ` (${failed})`}: ${messageOf(error)}`, { cause: error })
}

async function currentSchema<Schema> (db: Kysely<Schema>): Promise<string> {
  const { rows } = await sql<{ schema: string | null }>`select current_schema() as schema`.execute(db)
  const schema = rows[0]?.schema ?? null
  if (schema === null) throw new Error('The database has no schema to put tables in: the first schema of its search_path must exist')
  return schema
}

/** None when even the table is missing: then the migrator's own error says more. */
async function applied<Schema> (db: Kysely<Schema>, schema: string): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from ${sql.table(`${schema}.${MIGRATIONS}`)} order by name`.execute(db)
    return rows.map(({ name }) => name)
  } catch {
    return []
  }
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
