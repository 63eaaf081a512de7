import type { Migration } from 'kysely'

/** Every migration by name, run in the order of the names; one that was released is never edited. */
export const migrations: Record<string, Migration> = {}
