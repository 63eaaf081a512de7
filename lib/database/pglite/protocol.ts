/** A parameter as it goes to PostgreSQL: text, bytes or null. */
export type WireParameter = string | Uint8Array | null

/** What the worker thread is started with. */
export interface PgliteWorkerData {
  /** The folder of the database; none = in memory. */
  dataDir: string | undefined
}

/** From the main thread; the worker answers queries in the order in which they came. */
export type PgliteRequest =
  | { id: number, sql: string, params: readonly WireParameter[] }
  | { close: true }

/** Rows travel as PostgreSQL wrote them, which clones quickly; the main thread turns them into values as `pg` does. */
export interface WireResult {
  command: string
  rowCount: number | null
  fields: ReadonlyArray<{ name: string, dataTypeID: number }>
  rows: ReadonlyArray<ReadonlyArray<string | null>>
}

/** The fields of a PostgreSQL error, `code` being its SQLSTATE, or of any other failure (no `code`). */
export interface WireError {
  message: string
  code?: string
  [field: string]: string | undefined
}

/** `open` says that the connection is inside a transaction. */
export type PgliteReply =
  | { ready: true }
  | { failed: WireError }
  | { id: number, result: WireResult, open: boolean }
  | { id: number, error: WireError, open: boolean }
