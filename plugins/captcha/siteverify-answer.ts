export interface ExpectedAnswer {
  hostnames: ReadonlySet<string>
  /** `null`: any. */
  action: string | null
  /** `null`: any, and none. */
  score: { atLeast: number, required: boolean } | null
  /** Milliseconds since the challenge. */
  maxAge: number
  now: number
}

/** How far the clocks of the product and of this machine may differ, milliseconds. */
export const CLOCK_SKEW = 30_000

/** What says that it is the operator's or the product's fault, not the visitor's. */
const NOT_THE_VISITOR = new Set([
  'missing-input-secret', 'invalid-input-secret', 'sitekey-secret-mismatch', 'not-using-dummy-passcode', 'bad-request', 'internal-error'
])
const ERROR_CODE = /^[a-z-]{1,50}$/

/** Why an answer of siteverify does not let a request pass, for the log; `null`: it does. Nothing of the answer but its error codes is in it. */
export function faultOfAnswer (answer: Record<string, unknown>, { hostnames, action, score, maxAge, now }: ExpectedAnswer): string | null {
  if (answer.success !== true) return `siteverify refused the token: ${errorCodes(answer).join(', ') || 'no error code'}`
  if (typeof answer.hostname !== 'string' || !hostnames.has(answer.hostname.toLowerCase())) return 'the captcha was solved on a page of another host name'
  if (action !== null && answer.action !== action) return 'the captcha was solved for another action'
  if (score !== null) {
    if (answer.score === undefined ? score.required : typeof answer.score !== 'number' || !(answer.score >= score.atLeast)) return 'the score is too low, or there is none'
  }
  const challenged = typeof answer.challenge_ts === 'string' ? Date.parse(answer.challenge_ts) : NaN
  const age = now - challenged
  return age >= -CLOCK_SKEW && age <= maxAge + CLOCK_SKEW ? null : 'the challenge is too old, of the future, or its time is missing'
}

/** The codes of the products' lists that tell of a fault on our side or on theirs. */
export function faultsOfSetup (answer: Record<string, unknown>): string[] {
  return answer.success === true ? [] : errorCodes(answer).filter((code) => NOT_THE_VISITOR.has(code))
}

function errorCodes (answer: Record<string, unknown>): string[] {
  const codes: unknown = answer['error-codes']
  return Array.isArray(codes) ? codes.slice(0, 10).filter((code): code is string => typeof code === 'string' && ERROR_CODE.test(code)) : []
}
