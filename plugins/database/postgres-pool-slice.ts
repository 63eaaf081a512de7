/** What a query resolves with; `rows` are objects keyed by column name. */
export interface PostgresResult {
  command: string
  rowCount: number | null
  rows: unknown[]
}

/** One connection, held by one caller until `release()`. */
export interface PostgresClientSlice {
  query (sql: string, params?: readonly unknown[]): Promise<PostgresResult>
  release (): void
}

/** The part of `pg.Pool` that is used here; a pool of `pg` itself fits, and so does the embedded database. */
export interface PostgresPoolSlice {
  connect (): Promise<PostgresClientSlice>
  end (): Promise<void>
}
