/** One `COPY … FROM STDIN (FORMAT binary)`. */
export interface CopyPart {
  /** The table with its columns in parentheses. */
  into: string
  /** CopyData and CopyDone messages from `CopyRows`. */
  messages: Buffer
}

/** The result of a query; `rows` are objects keyed by column name. */
export interface PostgresResult {
  command: string
  rowCount: number | null
  rows: unknown[]
}

/** One connection, used by one caller until `release()`. */
export interface PostgresClientSlice {
  query (sql: string, params?: readonly unknown[]): Promise<PostgresResult>
  /** Runs several COPY statements in one transaction. Only server connections have it. */
  copy? (parts: readonly CopyPart[]): Promise<void>
  /** Returns the connection to the pool; with an error, closes it instead. */
  release (broken?: Error): void
}

/** The part of `pg.Pool` that is used here. A `pg` pool and the embedded database implement it. */
export interface PostgresPoolSlice {
  connect (): Promise<PostgresClientSlice>
  end (): Promise<void>
  /** Number of open connections. */
  readonly totalCount?: number
  /** Number of open connections that no caller uses. */
  readonly idleCount?: number
  /** Number of callers that wait for a connection. */
  readonly waitingCount?: number
}
