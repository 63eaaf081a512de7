import type { TokenAnswer } from './browser'

/** Returns NaN for an invalid time. */
const time = Date.parse as (text: string | null | undefined) => number

/** Reads the token response from a result of `fetch`. Throws the error that `onError` receives. */
export async function readAnswer (given: Response | TokenAnswer | string): Promise<TokenAnswer> {
  const { headers, ok, status } = given as Response
  if (headers) {
    if (!ok) throw Object.assign(new Error(`HTTP ${status}`), { status, response: given })
    given = await (given as Response).json() as TokenAnswer
  }
  const answer = typeof given === 'string' ? { token: given } : given as TokenAnswer
  if (typeof answer.token !== 'string' || !answer.token) throw new TypeError('no token')
  return answer
}

/** Returns milliseconds since the token was created: until it expires, and until the next one is to be requested. */
export function timesOf (
  { issuedAt, refreshAfter, expiresAt, ttl }: TokenAnswer,
  otherwise: number
): [rest: number, wait: number] {
  const start = time(issuedAt) || Date.now()
  const rest = positive(time(expiresAt) - start) || positive(ttl) || otherwise
  return [rest, Math.min(positive(time(refreshAfter) - start) || rest * 0.8, rest)]
}

/** Returns the milliseconds of a `Retry-After` header, in seconds or as a date; 0 without the header. */
export function retryAfter (response: Response | undefined): number {
  const text = response && response.headers.get('retry-after')
  return positive(Number(text) * 1_000) || positive(time(text) - Date.now())
}

function positive (value: number | undefined): number {
  return value as number > 0 ? value as number : 0
}
