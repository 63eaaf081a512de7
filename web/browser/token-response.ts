import type { TokenResponse } from './browser'

/** Returns NaN for an invalid time. */
const time = Date.parse as (text: string | null | undefined) => number

/** Reads the token response from a result of `fetch`. Throws the error that `onError` receives. */
export async function readToken (result: Response | TokenResponse | string): Promise<TokenResponse> {
  const { headers, ok, status } = result as Response
  if (headers) {
    if (!ok) throw Object.assign(new Error(`HTTP ${status}`), { status, response: result })
    result = await (result as Response).json() as TokenResponse
  }
  const content = typeof result === 'string' ? { token: result } : result as TokenResponse
  if (typeof content.token !== 'string' || !content.token) throw new TypeError('no token')
  return content
}

/** Returns milliseconds since the token was created: until it expires, and until the next one is to be requested. */
export function timesOf (
  { issuedAt, refreshAfter, expiresAt, ttl }: TokenResponse,
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
