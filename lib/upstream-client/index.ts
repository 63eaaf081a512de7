import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { Pool } from 'undici'

import { GatehouseError, INVALID_OPTIONS, UPSTREAM_ERROR, UPSTREAM_TIMEOUT } from '../errors.js'
import { assertWholeNumber } from '../options.js'
import { parseUrl } from '../../signing/parse-url.js'

export interface UpstreamClientOptions {
  /** Scheme, host and port, the only place that is ever called. */
  origin: string
  /** Milliseconds to a connection, TLS included. Default: 2 000. */
  connectTimeout?: number | undefined
  /** Milliseconds for the whole call: waiting for a socket, every try, the last byte of the body. Default: 8 000. */
  timeout?: number | undefined
  /** Further tries after a network failure, a 429 or a 5xx, as far as they fit into `timeout`. Default: 2. */
  retries?: number | undefined
  /** The largest response body taken, bytes. Default: 65 536. */
  maxResponse?: number | undefined
  /** Sockets at most; further calls wait for one. Default: 64. */
  connections?: number | undefined
  /** Certificate authorities (PEM) trusted instead of the system's own. The certificate is always checked. */
  ca?: string | Buffer | Array<string | Buffer> | undefined
}

export interface UpstreamCall {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The request target from its `/` on; goes out byte for byte. */
  path: string
  /** All headers that are sent, but for `Host`, `Connection`, `Content-Length` and `Accept-Encoding`. */
  headers?: Record<string, string> | undefined
  body?: string | Buffer | undefined
  /** Gives the call up. */
  signal?: AbortSignal | undefined
  /** Replaces the client's own number for this call. */
  retries?: number | undefined
}

export interface UpstreamReply {
  statusCode: number
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface UpstreamClient {
  /**
   * Calls once, or again where that may help. Resolves with whatever status came last, redirects included (none is followed).
   * Rejects with `UPSTREAM_TIMEOUT` or `UPSTREAM_ERROR`, whose cause holds nothing that was sent or received.
   */
  call (call: UpstreamCall): Promise<UpstreamReply>
  /** Ends all sockets at once; calls in flight reject. */
  close (): Promise<void>
}

const FIRST_DELAY = 100
const FINAL = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED', 'UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_ABORTED'])

export function upstreamClient (options: UpstreamClientOptions): UpstreamClient {
  const { origin, connectTimeout = 2_000, timeout = 8_000, retries = 2, maxResponse = 65_536, connections = 64, ca } = options
  checkOptions({ connectTimeout, timeout, maxResponse, connections }, retries)
  const pool = new Pool(checkedOrigin(origin), {
    connections,
    // One deadline covers a whole call, so undici's own per-phase timers are off.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: connectTimeout, ...ca === undefined ? {} : { ca } }
  })

  async function attempt ({ method, path, headers, body }: UpstreamCall, signal: AbortSignal): Promise<UpstreamReply> {
    // undici takes an absolute-form target too.
    if (!path.startsWith('/')) throw new UPSTREAM_ERROR({ reason: 'the path does not begin with /' })
    const reply = await pool.request({ method, path, headers: { ...headers, 'accept-encoding': 'identity' }, body: body ?? null, signal })
    // Leaving the loop below early destroys the stream, which then also emits an error.
    reply.body.on('error', () => {})
    if (reply.headers['content-encoding'] !== undefined) {
      reply.body.destroy()
      throw new UPSTREAM_ERROR({ reason: 'the upstream sent a content encoding that was not asked for' })
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

  async function call (wanted: UpstreamCall): Promise<UpstreamReply> {
    const deadline = performance.now() + timeout
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), timeout)
    const giveUp = (): void => limit.abort()
    wanted.signal?.addEventListener('abort', giveUp)
    if (wanted.signal?.aborted === true) giveUp()
    try {
      for (let left = wanted.retries ?? retries, delay = FIRST_DELAY; ; left--, delay *= 2) {
        const began = performance.now()
        const outcome = await settle(attempt(wanted, limit.signal))
        if (left <= 0 || limit.signal.aborted || !mayHelp(outcome)) return unwrap(outcome)
        const pause = Math.max(delay * (0.5 + Math.random()), askedFor(outcome))
        const now = performance.now()
        // A try that takes as long as the last one must still fit in.
        if (now + pause + (now - began) >= deadline) return unwrap(outcome)
        await sleep(pause, undefined, { signal: limit.signal })
      }
    } catch (error) {
      throw publicError(error, wanted.signal?.aborted !== true && limit.signal.aborted)
    } finally {
      clearTimeout(timer)
      wanted.signal?.removeEventListener('abort', giveUp)
    }
  }

  return { call, close: () => pool.destroy() }
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

/** Milliseconds that the upstream asked to wait, 0 if it did not. */
function askedFor (outcome: Outcome): number {
  const seconds = 'reply' in outcome ? Number(outcome.reply.headers['retry-after']) : 0
  return seconds > 0 ? seconds * 1000 : 0
}

function publicError (error: unknown, timedOut: boolean): GatehouseError {
  if (error instanceof GatehouseError) return error
  if (timedOut) return new UPSTREAM_TIMEOUT({ reason: 'the upstream did not answer within "timeout"' })
  const code = codeOf(error)
  const failure = code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' ? UPSTREAM_TIMEOUT : UPSTREAM_ERROR
  return new failure({ reason: 'the upstream could not be called', cause: withoutData(error, code) })
}

/** Errors of undici and node:tls carry what was received, and certificates: the log gets a new one with name, code and message. */
function withoutData (error: unknown, code: string): Error {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const clean = new Error(first instanceof Error ? first.message : 'unknown')
  clean.stack = `${first instanceof Error ? first.name : 'Error'}: ${clean.message}`
  return Object.assign(clean, { code })
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
}

function checkedOrigin (origin: string): string {
  const url = parseUrl(origin)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.origin !== origin) {
    throw new INVALID_OPTIONS('upstream-client: "origin" must be scheme, host and port alone, such as https://api.example.com')
  }
  return origin
}

function checkOptions (positive: Record<string, number>, retries: number): void {
  for (const [name, value] of Object.entries(positive)) {
    assertWholeNumber('upstream-client', name, value)
  }
  assertWholeNumber('upstream-client', 'retries', retries, { min: 0 })
}
