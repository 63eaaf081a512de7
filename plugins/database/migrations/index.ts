import type { Migration } from 'kysely'

import { initial } from './001-initial.js'

/** Every migration by name, run in the order of the names; one that was released is never edited. */
export const migrations: Record<string, Migration> = { '001-initial': initial }
