import type { AccountTables } from './tables/account-tables.js'
import type { EmbedTables } from './tables/embed-tables.js'
import type { EventTables } from './tables/event-tables.js'
import type { SourceTables } from './tables/source-tables.js'
import type { SsoTables } from './tables/sso-tables.js'

/** The tables, as Kysely types them; the migrations create them. Times are timestamptz with millisecond precision. */
export interface DatabaseSchema extends SourceTables, AccountTables, SsoTables, EmbedTables, EventTables {}
