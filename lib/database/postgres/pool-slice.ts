/** One COPY … FROM STDIN in its binary form. */
export interface CopyPart {
  /** The table with its columns in brackets. */
  into: string
  /** CopyData and CopyDone messages, as `CopyRows` makes them. */
  messages: Buffer
}

/** What a query resolves with; `rows` are objects keyed by column name. */
export interface PostgresResult {
  command: string
  rowCount: number | null
  rows: unknown[]
}

/** One connection, held by one caller until `release()`. */
export interface PostgresClientSlice {
  query (sql: string, params?: readonly unknown[]): Promise<PostgresResult>
  /** Several COPYs in one transaction; a server alone has it. */
  copy? (parts: readonly CopyPart[]): Promise<void>
  /** With an error the connection is given up, not lent again. */
  release (broken?: Error): void
}

/** The part of `pg.Pool` that is used here; a pool of `pg` itself fits, and so does the embedded database. */
export interface PostgresPoolSlice {
  connect (): Promise<PostgresClientSlice>
  end (): Promise<void>
}
