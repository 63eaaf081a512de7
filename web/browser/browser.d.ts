/** A token and its lifetime. Without any time, the option `ttl` applies. */
export interface TokenResponse {
  token: string
  /** When the token was created, ISO-8601. With it, the page's own clock has no effect. */
  issuedAt?: string | undefined
  /** When to request the next token, ISO-8601. Default: after 80 % of its life. */
  refreshAfter?: string | undefined
  /** When the token expires, ISO-8601. */
  expiresAt?: string | undefined
  /** Lifetime in milliseconds, if `expiresAt` is unknown. */
  ttl?: number | undefined
}

/** The error that `fetch` or your function threw, or an unsuccessful response. */
export interface TokenError extends Error {
  /** The HTTP status; absent for a network failure. */
  status?: number
  /** The response, with its body unread. */
  response?: Response
}

interface KeepingOptions {
  /** Called with the first token and with each token that differs from the previous one. */
  onToken?: ((token: string, response: TokenResponse) => void) | undefined
  /**
   * Called for each failure, with the milliseconds until the request is repeated, or `Infinity` if it is not repeated.
   * An error with a `status` of 400 to 499 is not repeated, except 408, 421, 425 and 429, which a client may repeat
   * (RFC 9110, RFC 8470, RFC 6585), and 413 with a `Retry-After`. Every other error is repeated.
   */
  onError?: ((error: TokenError, retryIn: number) => void) | undefined
  /**
   * Lifetime of a token in milliseconds, at least 1 000, if the response does not contain it. Default: 300 000 (5 min).
   */
  ttl?: number | undefined
  /** Stops the keeper like `stop()`. */
  signal?: AbortSignal | undefined
}

interface ByUrl extends KeepingOptions {
  /** A URL that responds with `{ token, … }`. */
  url: string | URL
  /** Options of each request, such as `{ credentials: 'include' }` for another origin. */
  init?: RequestInit | undefined
  fetch?: undefined
}

interface ByFunction extends KeepingOptions {
  /**
   * Requests a token: resolves with the token, with a response object that contains it, or with the `Response` of an
   * endpoint. The signal aborts after 30 s; the function must then settle, as `fetch` does, or no further request is
   * sent.
   */
  fetch: (signal: AbortSignal) => Promise<Response | TokenResponse | string>
  url?: undefined
  init?: undefined
}

export type KeepTokenOptions = ByUrl | ByFunction

export interface TokenKeeper {
  /** Resolves with a valid token as soon as there is one. Rejects after the server has refused, and after `stop()`. */
  token (): Promise<string>
  /**
   * Requests a new token immediately, even after a refusal. Joins a request in flight, and waits until a `Retry-After`
   * is over.
   */
  refresh (): Promise<string>
  /** Stops the keeper permanently: no further requests and no further callbacks. */
  stop (): void
}

/**
 * Requests a token and refreshes it until the keeper is stopped. Throws a TypeError for invalid options.
 *
 * @example
 * const keeper = keepToken({ url: '/api/generate-token', onToken: (token) => showWidget(token) })
 */
export function keepToken (options: KeepTokenOptions): TokenKeeper
