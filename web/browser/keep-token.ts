import { readToken, retryAfter, timesOf } from './token-response'
import type { KeepTokenOptions, TokenResponse, TokenError, TokenKeeper } from './browser'
import { openClock } from './clock'

export function keepToken (options: KeepTokenOptions): TokenKeeper {
  // Local constants are inlined. `longest` limits requests and timers: a timer that the machine slept through is late
  // by at most this time, and no timer exceeds 2^31 ms.
  const longest = 30_000
  const shortestWait = 10_000
  const longestBackoff = 60_000
  const { ttl = 300_000, onToken, onError, signal } = options
  for (const name in options) {
    if (!/^(url|init|fetch|ttl|signal|on(Token|Error))$/.test(name)) {
      throw new TypeError('keepToken: unknown option ' + name)
    }
  }
  if (!(options.url || options.fetch) || !(ttl >= 1_000)) {
    throw new TypeError('keepToken: give "url" or "fetch", "ttl" >= 1000 ms')
  }
  const now = openClock()
  const stopping = new AbortController()
  /** Aborts the request in flight. */
  let call: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  /** The time of the next step: the next request, or the timeout of the request in flight. `Infinity`: no step. */
  let due = 0
  /** The earliest next request, from `Retry-After`. */
  let earliest = 0
  let failures = 0
  let token: string
  let ends = 0
  /** Resolves with the next token. */
  let next: Promise<string>
  let resolve: (token: string) => void
  let reject: (reason: unknown) => void

  function expect (): void {
    next = new Promise((...both) => {
      ;[resolve, reject] = both
    })
    // Callers that do not await the token are notified by `onError`.
    next.catch(() => {})
  }

  /** Runs the step that is due, and sets the single timer for the next one. */
  function look (): void {
    clearTimeout(timer)
    if (due <= now()) {
      if (call) {
        due = Infinity
        call.abort()
      } else request()
    }
    // 1 ms late, to avoid repeated timers within the last millisecond.
    if (due < Infinity) timer = setTimeout(look, Math.min(due - now(), longest) + 1)
  }

  /** Calls the callbacks last, so that an exception in them becomes an unhandled rejection. */
  async function request (): Promise<void> {
    const sent = now()
    const { signal } = call = new AbortController()
    due = sent + longest
    let content: TokenResponse | undefined
    let error: unknown
    try {
      content = await readToken(
        await (options.fetch
          ? options.fetch(signal)
          : fetch(options.url, { cache: 'no-store', ...options.init, signal }))
      )
    } catch (thrown) {
      error = thrown
    }
    if (stopping.signal.aborted) return
    call = undefined
    if (content) accept(content, sent)
    else fail(error as TokenError)
  }

  function accept (content: TokenResponse, sent: number): void {
    const [rest, wait] = timesOf(content, ttl)
    const isNew = content.token !== token
    token = content.token
    ends = sent + rest
    // Random, so that pages that were opened at the same time do not refresh at the same time.
    due = sent + Math.max(wait + Math.random() * (rest - wait) / 4, shortestWait)
    failures = earliest = 0
    resolve(token)
    expect()
    look()
    if (isNew && onToken) onToken(token, content)
  }

  function fail (error: TokenError): void {
    const { status, response } = Object(error) as TokenError
    const requestedDelay = retryAfter(response)
    // 4xx statuses that a client must not retry: all except 408, 421, 425, 429, and 413 with a Retry-After.
    const isRefusal = /^4(?!08|13|2[159])/.test(`${status}`) || (status === 413 && !requestedDelay)
    const wait = isRefusal
      ? Infinity
      : requestedDelay + Math.min(1_000 * 2 ** failures++, longestBackoff) * (1 + Math.random()) / 2
    due = now() + wait
    earliest = requestedDelay && due
    if (isRefusal) reject(error)
    look()
    if (onError) onError(error, wait)
  }

  function tryAgain (): void {
    if (failures && !call && due < Infinity) due = earliest
    look()
  }

  function stop (): void {
    stopping.abort()
    if (call) call.abort()
    due = Infinity
    ends = 0
    reject(new Error('stopped'))
    look()
  }

  expect()
  // The controller serves as the `{ signal }` option.
  if (typeof document !== 'undefined') {
    addEventListener('visibilitychange', look, stopping)
    addEventListener('online', tryAgain, stopping)
  }
  if (signal) {
    signal.addEventListener('abort', stop, stopping)
    if (signal.aborted) stop()
  }
  look()

  return {
    token () {
      look()
      return now() < ends ? Promise.resolve(token) : next
    },
    refresh () {
      if (!call && !stopping.signal.aborted) {
        if (due === Infinity) expect()
        due = earliest
      }
      look()
      return next
    },
    stop
  }
}
