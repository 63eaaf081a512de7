import type { Step } from './channels.js'
import { FORBIDDEN, GatehouseError, INTERNAL_ERROR, UNAUTHORIZED } from './errors.js'
import { tracedValue } from './trace.js'

/**
 * The result of a host's `authorize`: the grant of the user, or `null` or `undefined` if no user is signed in (401). It
 * throws `FORBIDDEN` for a user without permission (403). Sync or async.
 */
export type HostDecision<Grant> = Grant | null | undefined | Promise<Grant | null | undefined>

/**
 * Ends a hook with the result of work that is asynchronous only if it must be: a promise per request takes longer than
 * most look-ups in a cache. What the work throws synchronously, the hook throws.
 *
 * @example
 * scope.addHook('preHandler', function authorizeUser (request, _reply, done) {
 *   endHook(admit(request), done)
 * })
 */
export function endHook (work: void | Promise<void>, done: (error?: Error) => void): void {
  if (work instanceof Promise) work.then(() => done(), done)
  else done()
}

/** Larger than every time in seconds, and smaller than the time of every login in milliseconds. */
const EARLIEST = 1e11

const STEP: Step = { kind: 'authorize' }

/**
 * Returns whether a value is a time in epoch milliseconds. A time in seconds is refused: it precedes every
 * revocation.
 */
export function isEpochMilliseconds (value: unknown): value is number {
  return Number.isFinite(value) && Number(value) > EARLIEST
}

/**
 * Returns the error for a request without a known user. DataBrain shows its message on the page; `reason` is only
 * logged.
 */
export function unauthenticated (reason: string, cause?: unknown): GatehouseError {
  return new UNAUTHORIZED({ message: 'User not authenticated', reason, ...cause === undefined ? {} : { cause } })
}

/**
 * Calls a function of the host that identifies the user. `null` and `undefined` are 401 `UNAUTHORIZED`. A
 * GatehouseError that the function throws is the response; another error with `statusCode` 401 or 403 becomes
 * `UNAUTHORIZED` or `FORBIDDEN`; any other error is 500. `noUser` is the logged reason if there is no user.
 * Synchronous if the function of the host is.
 */
export function authorizeByHost<Decision extends object | string> (
  decide: () => HostDecision<Decision>,
  noUser = "the host's authorize function returned no user"
): Decision | Promise<Decision> {
  return tracedValue(STEP, () => decisionOf(decide, noUser))
}

function decisionOf<Decision extends object | string> (
  decide: () => HostDecision<Decision>,
  noUser: string
): Decision | Promise<Decision> {
  let decision: HostDecision<Decision>
  try {
    decision = decide()
  } catch (thrown) {
    throw asDecision(thrown)
  }
  // Query builders of database libraries are thenables, but no promises.
  if (typeof decision !== 'object' || decision === null || !('then' in decision)) return someUser(decision, noUser)
  return Promise.resolve(decision).then(
    (decision) => someUser(decision, noUser),
    (thrown: unknown) => { throw asDecision(thrown) }
  )
}

function someUser<Decision> (decision: Decision | null | undefined, noUser: string): Decision {
  if (decision === null || decision === undefined) throw unauthenticated(noUser)
  return decision
}

function asDecision (thrown: unknown): GatehouseError {
  if (thrown instanceof GatehouseError) return thrown
  const status = typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? thrown.statusCode : undefined
  if (status === 401) return unauthenticated("the host's authorize function refused", thrown)
  if (status === 403) return new FORBIDDEN({ reason: "the host's authorize function refused", cause: thrown })
  return new INTERNAL_ERROR({ reason: "the host's authorize function failed", cause: thrown })
}
