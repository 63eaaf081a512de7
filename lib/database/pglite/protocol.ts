/** A parameter as sent to PostgreSQL: a string, bytes or null. */
export type WireParameter = string | Uint8Array | null

/** The worker thread's `workerData`. */
export interface PgliteWorkerData {
  /** The folder of the database; `undefined` for a database in memory. */
  dataDir: string | undefined
}

/** A message from the main thread. The worker responds to queries in their order. */
export type PgliteRequest =
  | { id: number, sql: string, params: readonly WireParameter[] }
  | { close: true }

/** A result in PostgreSQL's text format, which clones fast; the main thread parses the values as `pg` does. */
export interface WireResult {
  command: string
  rowCount: number | null
  fields: ReadonlyArray<{ name: string, dataTypeID: number }>
  rows: ReadonlyArray<ReadonlyArray<string | null>>
}

/** The fields of an error. `code` is the SQLSTATE; an error that PostgreSQL did not report has no `code`. */
export interface WireError {
  message: string
  code?: string
  [field: string]: string | undefined
}

/** A message from the worker. `inTransaction`: the connection is inside a transaction. */
export type PgliteReply =
  | { ready: true }
  | { failed: WireError }
  | { id: number, result: WireResult, inTransaction: boolean }
  | { id: number, error: WireError, inTransaction: boolean }
