import { createHash } from 'node:crypto'

import { INVALID_OPTIONS, UPSTREAM_ERROR } from '../errors.js'
import { withDeadline } from '../deadline.js'
import { upstreamClient } from '../upstream-client/index.js'
import { tracedUpstream } from '../upstream-client/traced.js'

/**
 * Returns the list of breached passwords whose SHA-1 begins with five hexadecimal digits, in the form of the range API
 * of Have I Been Pwned: lines of the other 35 digits, a colon and a count.
 */
export type BreachRange = (sha1Prefix: string) => Promise<string>

/** Resolves with whether a password is in a list of breached passwords. Rejects without a valid list in time. */
export type BreachCheck = (password: string) => Promise<boolean>

const ORIGIN = 'https://api.pwnedpasswords.com'
const TIMEOUT = 2_000
const PREFIX_LENGTH = 5
/** A padded range has about 1 000 lines of 40 bytes. */
const MAX_RANGE_BYTES = 262_144
/** A line with the count 0 is padding, which hides the size of the list from an observer of the connection. */
const LINE = /^([0-9A-F]{35}):(\d{1,12})$/i

/** Creates the check. Only the first five digits of the SHA-1 of a password leave the process. */
export function breachCheck (option: true | BreachRange): BreachCheck {
  if (option !== true && typeof option !== 'function') {
    throw new INVALID_OPTIONS('passwords: "breachCheck" must be true, false or a function of a SHA-1 prefix')
  }
  const range = option === true ? pwnedPasswords(ORIGIN) : option

  return async function isBreached (password) {
    const sha1 = createHash('sha1').update(password).digest('hex').toUpperCase()
    const prefix = sha1.slice(0, PREFIX_LENGTH)
    const overdue = () => new Error(`the list of breached passwords did not arrive within ${TIMEOUT} ms`)
    const text = await withDeadline(range(prefix), TIMEOUT, overdue)
    return countIn(text, sha1.slice(PREFIX_LENGTH)) > 0
  }
}

/** Reads ranges from a server with the range API of Have I Been Pwned. */
export function pwnedPasswords (origin: string): BreachRange {
  const limits = { timeout: TIMEOUT, retries: 0, maxResponse: MAX_RANGE_BYTES, connections: 4 }
  const client = tracedUpstream('breached_passwords', upstreamClient({ origin, ...limits }))
  return async function readRange (prefix) {
    const { statusCode, body } = await client.call({
      method: 'GET',
      path: `/range/${prefix}`,
      headers: { 'add-padding': 'true', 'user-agent': 'fastify-gatehouse' }
    })
    if (statusCode !== 200) throw new UPSTREAM_ERROR({ reason: `the list of breached passwords: status ${statusCode}` })
    return body.toString('latin1')
  }
}

function countIn (text: unknown, suffix: string): number {
  const lines = typeof text === 'string' ? text.split(/\r?\n/).filter((line) => line !== '') : []
  if (lines.length === 0) throw new Error('the list of breached passwords is empty or no string')
  let count = 0
  for (const line of lines) {
    const [, digits = '', times] = LINE.exec(line) ?? []
    if (times === undefined) throw new Error('the list of breached passwords has an invalid line')
    if (digits.toUpperCase() === suffix) count = Number(times)
  }
  return count
}
