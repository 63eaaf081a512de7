import { readAnswer, retryAfter, timesOf } from './answer'
import type { KeepTokenOptions, TokenAnswer, TokenError, TokenKeeper } from './browser'
import { openClock } from './clock'

export function keepToken (options: KeepTokenOptions): TokenKeeper {
  // In here they cost nothing. No request takes longer than this, and no timer: one that the machine slept through is late by no more, and none
  // is cut off at 2^31.
  const longest = 30_000
  const shortestWait = 10_000
  const longestBackoff = 60_000
  const { ttl = 300_000, onToken, onError, signal } = options
  for (const name in options) {
    if (!/^(url|init|fetch|ttl|signal|on(Token|Error))$/.test(name)) throw new TypeError('keepToken: unknown option ' + name)
  }
  if (!(options.url || options.fetch) || !(ttl >= 1_000)) throw new TypeError('keepToken: give "url" or "fetch", "ttl" >= 1000 ms')
  const now = openClock()
  const stopping = new AbortController()
  /** Of the request under way. */
  let call: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  /** When something is to happen: the next request or, while there is one, its end. `Infinity`: it waits for you. */
  let due = 0
  /** Until when a `Retry-After` holds. */
  let earliest = 0
  let failures = 0
  let token: string
  let ends = 0
  /** The next token. */
  let next: Promise<string>
  let resolve: (token: string) => void
  let reject: (reason: unknown) => void

  function expect (): void {
    next = new Promise((...both) => { [resolve, reject] = both })
    // Whoever does not wait for it is told by `onError`.
    next.catch(() => {})
  }

  /** Does what is due, and sets the one timer for what is due next. */
  function look (): void {
    clearTimeout(timer)
    if (due <= now()) {
      if (call) {
        due = Infinity
        call.abort()
      } else ask()
    }
    // Rather late than again and again in the last millisecond.
    if (due < Infinity) timer = setTimeout(look, Math.min(due - now(), longest) + 1)
  }

  /** What a callback throws, which is the last thing here, is told as any rejection that nobody handles. */
  async function ask (): Promise<void> {
    const sent = now()
    const { signal } = call = new AbortController()
    due = sent + longest
    let answer: TokenAnswer | undefined
    let error: unknown
    try {
      answer = await readAnswer(await (options.fetch ? options.fetch(signal) : fetch(options.url, { cache: 'no-store', ...options.init, signal })))
    } catch (thrown) {
      error = thrown
    }
    if (stopping.signal.aborted) return
    call = undefined
    if (answer) keep(answer, sent)
    else fail(error as TokenError)
  }

  function keep (answer: TokenAnswer, sent: number): void {
    const [rest, wait] = timesOf(answer, ttl)
    const isNew = answer.token !== token
    token = answer.token
    ends = sent + rest
    // Pages that were opened together don't come back together.
    due = sent + Math.max(wait + Math.random() * (rest - wait) / 4, shortestWait)
    failures = earliest = 0
    resolve(token)
    expect()
    look()
    if (isNew && onToken) onToken(token, answer)
  }

  function fail (error: TokenError): void {
    const { status, response } = Object(error) as TokenError
    const asked = retryAfter(response)
    // Any 4xx that HTTP does not let a client repeat: 408, 421 and 425 may be repeated, and 413 if it has a Retry-After.
    const isRefusal = /^4(?!08|13|2[159])/.test(`${status}`) || (status === 413 && !asked)
    const wait = isRefusal ? Infinity : asked + Math.min(1_000 * 2 ** failures++, longestBackoff) * (1 + Math.random()) / 2
    due = now() + wait
    earliest = asked && due
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
  // The controller stands for `{ signal }`.
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
