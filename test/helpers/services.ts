import type t from 'tap'

/** Whether this run leaves out everything that needs PostgreSQL, Redis, NATS or another program beside Node.js. */
export const SERVICES_OFF = process.env.TEST_SERVICES === 'off'

/**
 * Ends a test that needs a service which is not there, and returns `null`. With `TEST_SERVICES=off` the test passes:
 * it belongs to
 * `npm run test:all`. Otherwise it is skipped with the reason; with `REQUIRE_SERVICES=1` it fails.
 */
export function withoutService (test: Pick<typeof t, 'pass'>, reason: string): null {
  if (SERVICES_OFF) test.pass('needs a service: part of `npm run test:all`')
  else if (process.env.REQUIRE_SERVICES === '1') throw new Error(reason)
  else test.pass(reason, { skip: reason })
  return null
}
