import type { ColumnType, GeneratedAlways } from 'kysely'

/** Written as a JSON string, read as the parsed value. */
export type Json<Value> = ColumnType<Value, string, string>

/** A bigint, which `pg` returns as a string. */
export type Sequence = GeneratedAlways<string>
