// 57P…: the server closed the connection. 25006: the server is a read-only standby; a new connection may reach the
// new primary under the same host name.
const FATAL_CODES = /^(?:57P|25006$)/

/**
 * Returns the error if the connection must not be used after it, else `undefined`. An error without an SQLSTATE does
 * not come from the server, so the state of the protocol is unknown.
 */
export function fatalConnectionError (error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  return code === undefined || FATAL_CODES.test(String(code)) ? error : undefined
}
