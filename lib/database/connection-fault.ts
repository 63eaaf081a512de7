// The server has ended this connection, with it or by itself; or it is a standby, which it may stay while others get to the new primary by the same name.
const FAULTS = /^(?:57P|25006$)/

/**
 * The error, if it is one after which nothing may be asked on the same connection. Without a code it was not the server that refused:
 * what may still come, or still wait to be sent, is anyone's guess.
 */
export function connectionFault (error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  return code === undefined || FAULTS.test(String(code)) ? error : undefined
}
