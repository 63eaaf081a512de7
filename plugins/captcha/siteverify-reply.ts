export interface ExpectedReply {
  hostnames: ReadonlySet<string>
  /** The required action; `null` accepts all. */
  action: string | null
  /** The required score; `null` accepts all, also a missing score. */
  score: { atLeast: number, required: boolean } | null
  /** Maximum age of the challenge, in milliseconds. */
  maxAge: number
  now: number
}

/** Maximum difference between the clocks of the product and of this machine, in milliseconds. */
export const CLOCK_SKEW = 30_000

/** Error codes for a wrong configuration or a failure of the product, not for a wrong token. */
const SETUP_ERRORS = new Set([
  'missing-input-secret',
  'invalid-input-secret',
  'sitekey-secret-mismatch',
  'not-using-dummy-passcode',
  'bad-request',
  'internal-error'
])
const ERROR_CODE = /^[a-z-]{1,50}$/

/**
 * Returns why a response of siteverify does not accept the token, for the log, or `null`. The reason contains only the
 * error codes of the response.
 */
export function validateReply (
  answer: Record<string, unknown>,
  { hostnames, action, score, maxAge, now }: ExpectedReply
): string | null {
  if (answer.success !== true) {
    return `siteverify refused the token: ${errorCodes(answer).join(', ') || 'no error code'}`
  }
  if (typeof answer.hostname !== 'string' || !hostnames.has(answer.hostname.toLowerCase())) {
    return 'the captcha was solved on a page with another host name'
  }
  if (action !== null && answer.action !== action) return 'the captcha was solved for another action'
  if (score !== null) {
    if (
      answer.score === undefined
        ? score.required
        : typeof answer.score !== 'number' || !(answer.score >= score.atLeast)
    ) return 'the score is too low or missing'
  }
  const challenged = typeof answer.challenge_ts === 'string' ? Date.parse(answer.challenge_ts) : NaN
  const age = now - challenged
  return age >= -CLOCK_SKEW && age <= maxAge + CLOCK_SKEW
    ? null
    : 'the time of the challenge is too old, in the future or missing'
}

/** Returns the error codes of a response for a wrong configuration or a failure of the product. */
export function setupErrors (answer: Record<string, unknown>): string[] {
  return answer.success === true ? [] : errorCodes(answer).filter((code) => SETUP_ERRORS.has(code))
}

function errorCodes (answer: Record<string, unknown>): string[] {
  const codes: unknown = answer['error-codes']
  return Array.isArray(codes)
    ? codes.slice(0, 10).filter((code): code is string => typeof code === 'string' && ERROR_CODE.test(code))
    : []
}
