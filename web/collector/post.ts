import type { Item } from './outbox'
import { warn } from './warn'

const TIMEOUT = 20_000

export interface Target {
  endpoint: string
  key: string
}

/**
 * The result of sending a batch: settled (stored or refused), or to be retried after at least `retryAfter`
 * milliseconds.
 */
export type Outcome = { settled: true } | { settled: false, retryAfter: number }

export function bodyOf (items: readonly Item[]): string {
  return `{"batch":[${items.map(({ json }) => json).join(',')}]}`
}

/** On leaving, the key is in the URL, because requests with a preflight would not be sent. */
export function leavingUrl ({ endpoint, key }: Target): string {
  return `${endpoint}?wk=${key}`
}

export async function post (
  target: Target,
  body: string,
  { leaving, keepalive }: { leaving: boolean, keepalive: boolean }
): Promise<Outcome> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), TIMEOUT)
  try {
    const response = await fetch(leaving ? leavingUrl(target) : target.endpoint, {
      method: 'POST',
      body,
      keepalive,
      credentials: 'include',
      signal: abort.signal,
      headers: leaving
        ? { 'content-type': 'text/plain' }
        : { 'content-type': 'application/json', authorization: `Bearer ${target.key}` }
    })
    return await outcomeOf(response)
  } catch {
    return { settled: false, retryAfter: 0 }
  } finally {
    clearTimeout(timer)
  }
}

async function outcomeOf (response: Response): Promise<Outcome> {
  const { status } = response
  if (status === 429 || status >= 500) {
    return { settled: false, retryAfter: waitOf(response.headers.get('retry-after')) }
  }
  if (!response.ok) {
    // A 4xx status must not be retried.
    warn(`events were refused with ${status} and dropped: ${await response.text()}`)
    return { settled: true }
  }
  const { errors = [] } = await response.json() as { errors?: Array<{ code: string, message: string }> }
  for (const { code, message } of errors) warn(`an event was refused and dropped: ${code} ${message}`)
  return { settled: true }
}

/** Returns the milliseconds of a Retry-After header, in seconds or as a date. */
function waitOf (header: string | null): number {
  if (header === null) return 0
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return wait > 0 ? wait : 0
}
