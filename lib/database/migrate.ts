import { isDeepStrictEqual } from 'node:util'

import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import { migrations as allMigrations } from './migrations/index.js'
import { loadMigrator } from './migrator.js'
import type { Migration } from './migrator.js'

// Separate names: the host may keep its own Kysely migrations in the same schema.
const MIGRATIONS = 'gatehouse_migration'
const MIGRATION_LOCK = 'gatehouse_migration_lock'

/**
 * Migrates the tables to this version and resolves with the names of the migrations that ran. Instances may start
 * concurrently on one PostgreSQL: an advisory lock serialises them. A failed migration is rolled back.
 *
 * @throws an Error when the database belongs to a newer version, or when a migration fails
 */
export async function migrate<Schema> (
  db: Kysely<Schema>,
  migrations: Record<string, Migration> = allMigrations
): Promise<string[]> {
  const schema = await currentSchema(db)
  const known = Object.keys(migrations)
  // Kysely's migrator first searches the whole catalog for its tables, which takes most of a start.
  if (isDeepStrictEqual((await applied(db, schema)).sort(), known.sort())) return []
  const Migrator = await loadMigrator()
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    // Explicit, because the migrator searches every schema for its tables and would find another application's.
    migrationTableSchema: schema,
    migrationTableName: MIGRATIONS,
    migrationLockTableName: MIGRATION_LOCK,
    // The order of the names must not depend on the locale of the machine.
    nameComparator: (a, b) => a < b ? -1 : a > b ? 1 : 0
  })

  const { error, results = [] } = await migrator.migrateToLatest()
  if (error === undefined) return results.map(({ migrationName }) => migrationName)

  const unknown = (await applied(db, schema)).filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new Error(
      'The database was migrated by a newer version of fastify-gatehouse (unknown migrations: ' +
        `${unknown.join(', ')}); upgrade the package`,
      { cause: error }
    )
  }
  const failed = results.find(({ status }) => status === 'Error')?.migrationName
  throw new Error(
    `The database could not be migrated${failed === undefined ? '' : ` (${failed})`}: ${messageOf(error)}`,
    { cause: error }
  )
}

async function currentSchema<Schema> (db: Kysely<Schema>): Promise<string> {
  const { rows } = await sql<{ schema: string | null }>`select current_schema() as schema`.execute(db)
  const schema = rows[0]?.schema ?? null
  if (schema === null) {
    throw new Error('The database has no schema for the tables: the first schema in search_path must exist')
  }
  return schema
}

/** Returns an empty list if the migration table is missing; the migrator's own error explains that better. */
async function applied<Schema> (db: Kysely<Schema>, schema: string): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from ${sql.table(`${schema}.${MIGRATIONS}`)} order by name`
      .execute(db)
    return rows.map(({ name }) => name)
  } catch {
    return []
  }
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
