import type { Kysely } from 'kysely'

/** One migration. Kysely 0.28 and 0.29 export their own type from different modules; this type matches both. */
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

/** The part of Kysely's `Migrator` that is used here. */
interface Migrator { migrateToLatest (): Promise<MigrationOutcome> }

type MigratorClass = new <Schema>(options: MigratorOptions<Schema>) => Migrator

/** Loads the `Migrator` of the installed Kysely: 0.28 exports it from its main module, 0.29 from `kysely/migration`. */
export async function loadMigrator (): Promise<MigratorClass> {
  const kysely: object = await import('kysely')
  if ('Migrator' in kysely && typeof kysely.Migrator === 'function') return kysely.Migrator as MigratorClass
  // The `catch` makes bundlers accept that this module is missing in Kysely 0.28.
  // @ts-expect-error the development dependency is Kysely 0.28, which lacks this module
  const { Migrator } = await import('kysely/migration').catch((error: unknown) => { throw error })
  return Migrator as MigratorClass
}
