import type { TokenAnswer } from './browser'

/** What is no time is NaN. */
const time = Date.parse as (text: string | null | undefined) => number

/** The answer in what a request gave. Throws what `onError` gets. */
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

/** In milliseconds: how long a token lasts, and when to come for the next one, both from when it was made. */
export function timesOf ({ issuedAt, refreshAfter, expiresAt, ttl }: TokenAnswer, otherwise: number): [rest: number, wait: number] {
  const start = time(issuedAt) || Date.now()
  const rest = positive(time(expiresAt) - start) || positive(ttl) || otherwise
  return [rest, Math.min(positive(time(refreshAfter) - start) || rest * 0.8, rest)]
}

/** The milliseconds of a `Retry-After`, which is seconds or a date; 0 for none. */
export function retryAfter (response: Response | undefined): number {
  const text = response && response.headers.get('retry-after')
  return positive(Number(text) * 1_000) || positive(time(text) - Date.now())
}

function positive (value: number | undefined): number {
  return value as number > 0 ? value as number : 0
}
