import type { Kysely } from 'kysely'

/** One step of the schema. kysely 0.28 and 0.29 export their own type from different modules, so that this one stands for both. */
export interface Migration {
  up (db: Kysely<unknown>): Promise<void>
  down? (db: Kysely<unknown>): Promise<void>
}

interface MigratorOptions<Schema> {
  db: Kysely<Schema>
  provider: { getMigrations (): Promise<Record<string, Migration>> }
  migrationTableSchema: string
  migrationTableName: string
  migrationLockTableName: string
  nameComparator (a: string, b: string): number
}

interface MigrationOutcome {
  error?: unknown
  results?: Array<{ readonly migrationName: string, readonly status: string }> | undefined
}

/** What we use of kysely's Migrator. */
interface Migrator { migrateToLatest (): Promise<MigrationOutcome> }

type MigratorClass = new <Schema>(options: MigratorOptions<Schema>) => Migrator

/** The Migrator of the kysely that is installed: 0.28 exports it from its main module, 0.29 from `kysely/migration`. */
export async function loadMigrator (): Promise<MigratorClass> {
  const kysely: object = await import('kysely')
  if ('Migrator' in kysely && typeof kysely.Migrator === 'function') return kysely.Migrator as MigratorClass
  // A bundler that finds 0.28 has nothing to put here, and accepts that because of the `catch`.
  // @ts-expect-error the development dependency is 0.28, without this module
  const { Migrator } = await import('kysely/migration').catch((error: unknown) => { throw error })
  return Migrator as MigratorClass
}
