import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'

import { Pool } from 'undici'
import type { Dispatcher } from 'undici'

import { GatehouseError, UPSTREAM_ERROR, UPSTREAM_TIMEOUT } from '../../../lib/errors.js'
import type { CheckedOptions } from './options.js'
import type { Exchange } from './exchange.js'
import { MeteredBody } from './metered-body.js'

/** Under which the headers of a call carry its exchange: the one thing that `@fastify/reply-from` hands on as it is. */
export const EXCHANGE: unique symbol = Symbol('gatehouse exchange')

export interface PinnedReply {
  statusCode: number
  headers: IncomingHttpHeaders
  body: MeteredBody
}

type Call = Dispatcher.RequestOptions & { headers: Record<string, string | string[]> & { [EXCHANGE]?: Exchange } }
type Callback = (error: GatehouseError | null, reply?: PinnedReply) => void

/** The form in which `@fastify/reply-from` takes a client: one with a `request` of undici's. */
export interface PinnedUpstream {
  request (call: Call, callback: Callback): void
  /** Ends all sockets at once. */
  close (): Promise<void>
}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])

/**
 * Calls one origin, whose certificate is always checked, and gives back what it answers; an answer that must not be relayed is an error. None of its
 * errors holds what was sent or received.
 */
export function pinnedUpstream (options: CheckedOptions): PinnedUpstream {
  const { upstreamUrl, connections, connectTimeout, idleTimeout, readTimeout, maxResponse, ca } = options
  const { origin } = new URL(upstreamUrl)
  const pool = new Pool(origin, {
    connections,
    // The exchange has a deadline of its own.
    headersTimeout: 0,
    bodyTimeout: idleTimeout,
    connect: { timeout: connectTimeout, ...ca === undefined ? {} : { ca } }
  })

  function request ({ method, path, headers, body }: Call, callback: Callback): void {
    const { [EXCHANGE]: exchange, ...sent } = headers
    if (exchange === undefined) return callback(new UPSTREAM_ERROR({ reason: 'a call outside of an exchange' }))
    const call = { method, path, headers: sent, body: body ?? null, signal: exchange.signal }
    let isOver = false
    // A call that waits for a socket would be told only when it has one.
    exchange.signal.addEventListener('abort', () => {
      if (isOver) return
      isOver = true
      callback(exchange.fault)
    }, { once: true })
    pool.request(call, (error, reply) => {
      if (isOver) {
        if (error === null) reply.body.on('error', () => {}).destroy()
        return
      }
      isOver = true
      exchange.settled()
      if (error !== null) return callback(exchange.fault ?? toUpstreamError(error))
      const hasBody = method !== 'HEAD' && reply.statusCode !== 304
      const refusal = whyNot(reply, hasBody)
      if (refusal === null) {
        const body = metered(hasBody ? reply.body : without(reply.body), exchange)
        return callback(null, { statusCode: reply.statusCode, headers: reply.headers, body })
      }
      reply.body.on('error', () => {}).destroy()
      callback(new UPSTREAM_ERROR({ reason: refusal }))
    })
  }

  /** Why an answer is not relayed, `null` if it is. */
  function whyNot ({ statusCode, headers }: Dispatcher.ResponseData, hasBody: boolean): string | null {
    if (statusCode < 200 || statusCode > 599) return `the upstream answered ${statusCode}`
    // A browser would follow it: past this server, and with what it sends to this one.
    if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) return `the upstream answered a redirect, ${statusCode}`
    // Without a body its length is that of another answer.
    if (hasBody && Number(headers['content-length']) > maxResponse) return `the upstream announced more than ${maxResponse} bytes`
    return null
  }

  function metered (body: Readable, exchange: Exchange): MeteredBody {
    const meter = new MeteredBody(body, {
      limit: maxResponse,
      tooMuch: () => new UPSTREAM_ERROR({ reason: `the upstream sent more than ${maxResponse} bytes` }),
      broken: (error) => exchange.fault ?? toUpstreamError(error)
    })
    // undici's own time limit stands still while nobody reads.
    const timer = setTimeout(() => {
      if (meter.readableLength === 0) timer.refresh()
      else meter.destroy(new UPSTREAM_ERROR({ reason: 'the caller took nothing of the answer within "readTimeout"' }))
    }, readTimeout)
    meter.onProgress = () => timer.refresh()
    // Half-read it would hold its socket for ever.
    meter.on('close', () => {
      clearTimeout(timer)
      body.destroy()
    })
    return meter
  }

  return { request, close: () => pool.destroy() }
}

/** undici misses the bytes that a 304 announces. */
function without (body: Readable): Readable {
  body.on('error', () => {}).resume()
  return Readable.from([])
}

function toUpstreamError (error: unknown): GatehouseError {
  if (error instanceof GatehouseError) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
  const failure = TIMEOUTS.has(code) ? UPSTREAM_TIMEOUT : UPSTREAM_ERROR
  return new failure({ reason: `the upstream could not be called, or broke off (${code})` })
}
