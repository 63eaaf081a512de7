import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'

import type { Dispatcher } from 'undici'

import { GatehouseError, UPSTREAM_ERROR, UPSTREAM_TIMEOUT } from '../../../lib/errors.js'
import type { CheckedOptions } from './options.js'
import type { Exchange } from './exchange.js'
import { MeteredBody } from './metered-body.js'

/** Key of the exchange in a call's headers, because `@fastify/reply-from` passes only the headers object unchanged. */
export const EXCHANGE: unique symbol = Symbol('gatehouse exchange')

export interface PinnedReply {
  statusCode: number
  headers: IncomingHttpHeaders
  body: MeteredBody
}

type Call = Dispatcher.RequestOptions & { headers: Record<string, string | string[]> & { [EXCHANGE]?: Exchange } }
type Callback = (error: GatehouseError | null, reply?: PinnedReply) => void

/** A client for `@fastify/reply-from`, which calls `request` as on an undici client. */
export interface PinnedUpstream {
  request(call: Call, callback: Callback): void
  /** Closes all sockets immediately. */
  close(): Promise<void>
}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])

/**
 * Creates the client of a single origin, whose certificate is always verified. A response that must not be forwarded is
 * an error. Errors never contain sent or received data.
 */
export async function pinnedUpstream (options: CheckedOptions): Promise<PinnedUpstream> {
  const { Pool } = await import('undici')
  const { upstreamUrl, connections, connectTimeout, idleTimeout, readTimeout, maxResponse, ca } = options
  const { origin } = new URL(upstreamUrl)
  const pool = new Pool(origin, {
    connections,
    // The exchange has its own timeout.
    headersTimeout: 0,
    bodyTimeout: idleTimeout,
    connect: { timeout: connectTimeout, ...ca === undefined ? {} : { ca } }
  })

  function request ({ method, path, headers, body }: Call, callback: Callback): void {
    const { [EXCHANGE]: exchange, ...sent } = headers
    if (exchange === undefined) return callback(new UPSTREAM_ERROR({ reason: 'the call has no exchange' }))
    const call = { method, path, headers: sent, body: body ?? null, signal: exchange }
    let isOver = false
    // undici reports an abort only after the call has a socket.
    exchange.once('abort', () => {
      if (isOver) return
      isOver = true
      callback(exchange.error)
    })
    pool.request(call, (error, reply) => {
      if (isOver) {
        if (error === null) reply.body.on('error', () => {}).destroy()
        return
      }
      isOver = true
      exchange.stopTimeout()
      if (error !== null) return callback(exchange.error ?? toUpstreamError(error))
      const hasBody = method !== 'HEAD' && reply.statusCode !== 304
      const refusal = refusalReason(reply, hasBody)
      if (refusal === null) {
        const body = metered(hasBody ? reply.body : withoutBody(reply.body), exchange)
        return callback(null, { statusCode: reply.statusCode, headers: reply.headers, body })
      }
      reply.body.on('error', () => {}).destroy()
      callback(new UPSTREAM_ERROR({ reason: refusal }))
    })
  }

  /** Returns why a response must not be forwarded, or `null`. */
  function refusalReason ({ statusCode, headers }: Dispatcher.ResponseData, hasBody: boolean): string | null {
    if (statusCode < 200 || statusCode > 599) return `the upstream responded with status ${statusCode}`
    // A browser would follow a redirect around this server, with the headers for this server.
    if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) {
      return `the upstream responded with a redirect, status ${statusCode}`
    }
    // Without a body, Content-Length describes the response to another request.
    if (hasBody && Number(headers['content-length']) > maxResponse) {
      return `the upstream announced more than ${maxResponse} bytes`
    }
    return null
  }

  function metered (body: Readable, exchange: Exchange): MeteredBody {
    const meter = new MeteredBody(body, {
      limit: maxResponse,
      tooLarge: () => new UPSTREAM_ERROR({ reason: `the upstream sent more than ${maxResponse} bytes` }),
      onSourceError: (error) => exchange.error ?? toUpstreamError(error)
    })
    // undici's body timeout pauses while the client does not read.
    const timer = setTimeout(() => {
      if (meter.readableLength === 0) timer.refresh()
      else meter.destroy(new UPSTREAM_ERROR({ reason: 'the client read nothing of the response within "readTimeout"' }))
    }, readTimeout)
    meter.onProgress = () => timer.refresh()
    // A partly read body would keep its socket forever.
    meter.on('close', () => {
      clearTimeout(timer)
      body.destroy()
    })
    return meter
  }

  return { request, close: () => pool.destroy() }
}

/** Returns an empty body, because undici would wait for the bytes of a 304's Content-Length. */
function withoutBody (body: Readable): Readable {
  body.on('error', () => {}).resume()
  return Readable.from([])
}

function toUpstreamError (error: unknown): GatehouseError {
  if (error instanceof GatehouseError) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
  const failure = TIMEOUTS.has(code) ? UPSTREAM_TIMEOUT : UPSTREAM_ERROR
  return new failure({ reason: `the upstream call failed (${code})` })
}
