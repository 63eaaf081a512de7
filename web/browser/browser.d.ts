/** What says a token, and how long it lasts. Without any time the option `ttl` counts. */
export interface TokenAnswer {
  token: string
  /** When the token was made, ISO-8601: with it the page's own clock plays no part. */
  issuedAt?: string | undefined
  /** When to come for the next one, ISO-8601. Default: at four fifths of its life. */
  refreshAfter?: string | undefined
  /** When it ends, ISO-8601. */
  expiresAt?: string | undefined
  /** How long it is valid, milliseconds, if `expiresAt` is not known. */
  ttl?: number | undefined
}

/** What went wrong: what `fetch` or your function threw, or an answer that is no success. */
export interface TokenError extends Error {
  /** The HTTP status; none for a network failure. */
  status?: number
  /** The answer itself, its body unread. */
  response?: Response
}

interface KeepingOptions {
  /** Called with each token that differs from the one before, the first one too. */
  onToken?: ((token: string, answer: TokenAnswer) => void) | undefined
  /**
   * Called for each failure, with the milliseconds until the request is repeated, or `Infinity` if it is not repeated.
   * An error with a `status` of 400 to 499 is not repeated, except 408, 421, 425 and 429, which a client may repeat
   * (RFC 9110, RFC 8470, RFC 6585), and 413 with a `Retry-After`. Every other error is repeated.
   */
  onError?: ((error: TokenError, retryIn: number) => void) | undefined
  /** How long a token is valid if its response does not say it, milliseconds, 1 000 or more. Default: 300 000 (5 min). */
  ttl?: number | undefined
  /** Stops it, as `stop()` does. */
  signal?: AbortSignal | undefined
}

interface ByUrl extends KeepingOptions {
  /** Answers `{ token, … }`. */
  url: string | URL
  /** Goes with each request, such as `{ credentials: 'include' }` for another origin. */
  init?: RequestInit | undefined
  fetch?: undefined
}

interface ByFunction extends KeepingOptions {
  /**
   * Gets a token: resolves with it, with an answer that has it, or with the `Response` of an endpoint as it is. The signal aborts
   * after 30 s: the function must then settle, as `fetch` does, or nothing goes on.
   */
  fetch: (signal: AbortSignal) => Promise<Response | TokenAnswer | string>
  url?: undefined
  init?: undefined
}

export type KeepTokenOptions = ByUrl | ByFunction

export interface TokenKeeper {
  /** The token, as soon as there is one that has not ended. Rejects once the server has said no, and after `stop()`. */
  token (): Promise<string>
  /** Gets a new token now, also after the server said no; joins a request that is under way, and waits as long as a `Retry-After` says. */
  refresh (): Promise<string>
  /** Ends it for good: no request and no call of yours comes after it. */
  stop (): void
}

/** Gets a token and keeps it fresh until it is stopped. Throws a TypeError for options that can't be. */
export function keepToken (options: KeepTokenOptions): TokenKeeper
