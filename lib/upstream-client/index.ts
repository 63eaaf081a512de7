import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Pool } from 'undici'

import { GatehouseError, INVALID_OPTIONS, UPSTREAM_ERROR, UPSTREAM_TIMEOUT } from '../errors.js'
import { assertWholeNumber } from '../options.js'
import { parseUrl } from '../../signing/parse-url.js'
import { mayBePublic, publicLookup } from './public-address.js'

export interface UpstreamClientOptions {
  /** Scheme, host and port that all calls go to. */
  origin: string
  /** Maximum time to connect, including TLS, in milliseconds. Default: 2 000. */
  connectTimeout?: number | undefined
  /** Maximum time of a call in milliseconds, including the wait for a socket, retries and the body. Default: 8 000. */
  timeout?: number | undefined
  /** Maximum number of retries after a network failure, a 429 or a 5xx, if they fit into `timeout`. Default: 2. */
  retries?: number | undefined
  /** Maximum size of a response body, in bytes. Default: 65 536. */
  maxResponse?: number | undefined
  /** Maximum number of sockets; further calls wait. Default: 64. */
  connections?: number | undefined
  /** Certificate authorities (PEM) that replace the system's own. Certificates are always verified. */
  ca?: string | Buffer | Array<string | Buffer> | undefined
  /**
   * Connects to public addresses only, for an origin that somebody else than the host has chosen. Calls to another
   * address reject with `UPSTREAM_ERROR`. Default: `false`.
   */
  publicOnly?: boolean | undefined
}

export interface UpstreamCall {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The request target, beginning with `/`; sent byte for byte. */
  path: string
  /** The request headers, except `Host`, `Connection`, `Content-Length` and `Accept-Encoding`. */
  headers?: Record<string, string> | undefined
  body?: string | Buffer | undefined
  /** Cancels the call. */
  signal?: AbortSignal | undefined
  /** Replaces the client's `retries` for this call. */
  retries?: number | undefined
}

export interface UpstreamReply {
  statusCode: number
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface UpstreamClient {
  /** Scheme, host and port that all calls go to. */
  readonly origin: string
  /**
   * Sends a request and retries it where that may help. Resolves with the last response, whatever its status; redirects
   * are not followed. Rejects with `UPSTREAM_TIMEOUT` or `UPSTREAM_ERROR`, whose cause contains no sent or received
   * data.
   */
  call(call: UpstreamCall): Promise<UpstreamReply>
  /** Closes all sockets immediately; calls in flight reject. */
  close(): Promise<void>
}

const FIRST_DELAY = 100
const FINAL = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED', 'UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_ABORTED', 'ENOTPUBLIC'])

export function upstreamClient (options: UpstreamClientOptions): UpstreamClient {
  const { origin, connectTimeout = 2_000, timeout = 8_000, retries = 2, maxResponse = 65_536, connections = 64, ca } =
    options
  const { publicOnly = false } = options
  checkOptions({ connectTimeout, timeout, maxResponse, connections }, retries)
  checkOrigin(origin)
  let pool: Promise<Pool> | undefined
  let closed = false

  /** Loads undici for the first call: it takes more memory than most plugins, and many processes never call. */
  async function openPool (): Promise<Pool> {
    const { Pool } = await import('undici')
    return new Pool(origin, {
      connections,
      // One deadline covers a whole call, so undici's own per-phase timers are off.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: connectTimeout,
        ...ca === undefined ? {} : { ca },
        ...publicOnly ? { lookup: publicLookup } : {}
      }
    })
  }

  async function attempt ({ method, path, headers, body }: UpstreamCall, signal: AbortSignal): Promise<UpstreamReply> {
    // undici would also accept a target in absolute form.
    if (!path.startsWith('/')) throw new UPSTREAM_ERROR({ reason: 'the path does not begin with /' })
    // An address in the place of a name is not looked up.
    if (publicOnly && !mayBePublic(new URL(origin).hostname)) {
      throw new UPSTREAM_ERROR({ reason: 'the address of the upstream is not public' })
    }
    if (closed) throw new UPSTREAM_ERROR({ reason: 'the client is closed' })
    const reply = await (await (pool ??= openPool())).request({
      method,
      path,
      headers: { ...headers, 'accept-encoding': 'identity' },
      body: body ?? null,
      signal
    })
    // Leaving the loop below early destroys the stream, which then also emits an error.
    reply.body.on('error', () => {})
    if (reply.headers['content-encoding'] !== undefined) {
      reply.body.destroy()
      throw new UPSTREAM_ERROR({ reason: 'the upstream sent a content encoding that was not requested' })
    }
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxResponse) throw new UPSTREAM_ERROR({ reason: `the upstream sent more than ${maxResponse} bytes` })
      chunks.push(chunk)
    }
    return { statusCode: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks) }
  }

  async function call (request: UpstreamCall): Promise<UpstreamReply> {
    const deadline = performance.now() + timeout
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), timeout)
    const abort = (): void => limit.abort()
    request.signal?.addEventListener('abort', abort)
    if (request.signal?.aborted === true) abort()
    try {
      for (let left = request.retries ?? retries, delay = FIRST_DELAY; ; left--, delay *= 2) {
        const began = performance.now()
        const outcome = await settle(attempt(request, limit.signal))
        if (left <= 0 || limit.signal.aborted || !mayHelp(outcome)) return unwrap(outcome)
        const pause = Math.max(delay * (0.5 + Math.random()), requestedDelay(outcome))
        const now = performance.now()
        // A retry that takes as long as the last attempt must still fit in.
        if (now + pause + (now - began) >= deadline) return unwrap(outcome)
        await sleep(pause, undefined, { signal: limit.signal })
      }
    } catch (error) {
      throw publicError(error, request.signal?.aborted !== true && limit.signal.aborted)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', abort)
    }
  }

  async function close (): Promise<void> {
    closed = true
    await (await pool)?.destroy()
  }

  return { origin, call, close }
}

type Outcome = { reply: UpstreamReply } | { error: unknown }

function settle (reply: Promise<UpstreamReply>): Promise<Outcome> {
  return reply.then((reply) => ({ reply }), (error: unknown) => ({ error }))
}

function unwrap (outcome: Outcome): UpstreamReply {
  if ('error' in outcome) throw outcome.error
  return outcome.reply
}

function mayHelp (outcome: Outcome): boolean {
  if ('error' in outcome) return !(outcome.error instanceof GatehouseError) && !FINAL.has(codeOf(outcome.error))
  return outcome.reply.statusCode === 429 || outcome.reply.statusCode >= 500
}

/** Returns the milliseconds that the upstream requested to wait, or 0. */
function requestedDelay (outcome: Outcome): number {
  const seconds = 'reply' in outcome ? Number(outcome.reply.headers['retry-after']) : 0
  return seconds > 0 ? seconds * 1000 : 0
}

function publicError (error: unknown, timedOut: boolean): GatehouseError {
  if (error instanceof GatehouseError) return error
  if (timedOut) return new UPSTREAM_TIMEOUT({ reason: 'the upstream did not respond within "timeout"' })
  const code = codeOf(error)
  const failure = code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' ? UPSTREAM_TIMEOUT : UPSTREAM_ERROR
  return new failure({ reason: 'the upstream could not be called', cause: withoutData(error, code) })
}

/**
 * Errors of undici and node:tls contain received data and certificates, so the log gets a copy with name, code and
 * message.
 */
function withoutData (error: unknown, code: string): Error {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const clean = new Error(first instanceof Error ? first.message : 'unknown')
  clean.stack = `${first instanceof Error ? first.name : 'Error'}: ${clean.message}`
  return Object.assign(clean, { code })
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
}

function checkOrigin (origin: string): void {
  const url = parseUrl(origin)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.origin !== origin) {
    throw new INVALID_OPTIONS(
      'upstream-client: "origin" must consist of scheme, host and port only, such as https://api.example.com'
    )
  }
}

function checkOptions (positive: Record<string, number>, retries: number): void {
  for (const [name, value] of Object.entries(positive)) {
    assertWholeNumber('upstream-client', name, value)
  }
  assertWholeNumber('upstream-client', 'retries', retries, { min: 0 })
}
