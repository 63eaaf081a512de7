import { FORBIDDEN, GatehouseError, INTERNAL_ERROR, UNAUTHORIZED } from './errors.js'

/**
 * What a host's `authorize` returns: what the user may have, or `null` or `undefined` if no user is signed in (401). It
 * throws `FORBIDDEN` for a user who may not (403). Sync or async.
 */
export type HostDecision<Grant> = Grant | null | undefined | Promise<Grant | null | undefined>

/** Later than every time in seconds, and earlier than every login. */
const EARLIEST = 1e11

/** Whether a value is a time in epoch milliseconds. A time in seconds is not: it would be earlier than every revocation. */
export function isEpochMilliseconds (value: unknown): value is number {
  return Number.isFinite(value) && Number(value) > EARLIEST
}

/** The error for a request without a known user. DataBrain shows its message on the page. `reason` is for the log. */
export function unauthenticated (reason: string, cause?: unknown): GatehouseError {
  return new UNAUTHORIZED({ message: 'User not authenticated', reason, ...cause === undefined ? {} : { cause } })
}

/**
 * Asks a function of the host who the user is. `null` and `undefined` are 401 `UNAUTHORIZED`. An error of ours that it
 * throws is the response; another error with `statusCode` 401 or 403 becomes `UNAUTHORIZED` or `FORBIDDEN`; any other
 * is a failure of the host, 500.
 */
export async function authorizeByHost<Answer> (ask: () => HostDecision<Answer>): Promise<Answer> {
  let answer: Answer | null | undefined
  try {
    answer = await ask()
  } catch (thrown) {
    throw asDecision(thrown)
  }
  if (answer === null || answer === undefined) throw unauthenticated('the host named no user')
  return answer
}

function asDecision (thrown: unknown): GatehouseError {
  if (thrown instanceof GatehouseError) return thrown
  const status = typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? thrown.statusCode : undefined
  if (status === 401) return unauthenticated('the host refused', thrown)
  if (status === 403) return new FORBIDDEN({ reason: 'the host refused', cause: thrown })
  return new INTERNAL_ERROR({ reason: 'the function that names the user failed', cause: thrown })
}
