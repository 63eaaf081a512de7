import { Readable } from 'node:stream'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { capturePlugin } from '../../../lib/capture-plugin.js'
import { CHANNELS } from '../../../lib/channels.js'
import type { UpstreamMessage } from '../../../lib/channels.js'
import { GatehouseError, INVALID_REQUEST, PAYLOAD_TOO_LARGE, UPSTREAM_ERROR, UPSTREAM_TIMEOUT } from '../../../lib/errors.js'
import { upstreamRefusal } from '../../../lib/upstream-client/refusal.js'
import type { UpstreamRefusal } from '../../../lib/upstream-client/refusal.js'
import { outcomeOf } from '../../../lib/upstream-client/metered.js'
import { endUpstreamStep, startUpstreamStep } from '../../../lib/upstream-client/traced.js'
import { upstreamErrorIn } from '../guest-token/upstream-reply.js'
import { requestSlot } from '../../../lib/request-slot.js'
import { Exchange } from './exchange.js'
import { requestHeaders, responseHeaders } from './headers.js'
import { MeteredBody } from './metered-body.js'
import type { CheckedOptions } from './options.js'
import { EXCHANGE, pinnedUpstream } from './pinned-upstream.js'

/** Maximum bytes that are kept of an error response, to read its code and message. */
const MAX_ERROR_BYTES = 65_536

type Headers = ReturnType<typeof requestHeaders>

interface FromOptions {
  rewriteRequestHeaders(request: FastifyRequest, headers: Headers): Headers
  rewriteHeaders(headers: Headers): Headers
  onResponse(request: FastifyRequest, reply: FastifyReply, upstream: { stream: MeteredBody }): void
  onError(reply: FastifyReply, failure: { error: Error }): void
  queryString(): string
}
type From = (this: FastifyReply, source: string, options: FromOptions) => FastifyReply

export interface ForwardedCall {
  /** Path below the upstream's base path, with its leading slash. */
  path: string
  /** Query without the question mark; may be empty. Sent unchanged. */
  query: string
  token: string
  /**
   * Called once, before the response is sent, with the status of the upstream's response, or with `null` if the client
   * has disconnected. Must not reject.
   */
  onStatus(statusCode: number | null): Promise<void> | undefined
  /** Called after a response with status 400 or more has been sent, with its code and message, without the token. */
  onRefusal(refusal: UpstreamRefusal): void
}

/**
 * Creates the function that forwards a request and sends the response. It rejects with `INVALID_REQUEST` if the client
 * has disconnected. The first call loads the HTTP client, of more than 100 files.
 */
export function forwarder (
  scope: FastifyInstance,
  options: CheckedOptions
): (request: FastifyRequest, reply: FastifyReply, call: ForwardedCall) => Promise<void> {
  const { upstreamUrl, bodyLimit } = options
  const { pathname } = new URL(upstreamUrl)
  const basePath = pathname === '/' ? '' : pathname
  let opening: ReturnType<typeof openUpstream> | undefined
  scope.addHook('onClose', async () => (await opening?.catch(() => null))?.close())
  const relayed = requestSlot<string[]>(scope)
  // Like the other credentials of the user, the token of an identity provider is for this server only.
  const identityHeader = scope.hasDecorator('identityToken') ? scope.identityToken.header : null

  // If the response ends before its first byte, this server sends an error, without the upstream's headers.
  scope.addHook('onError', function dropRelayedHeaders (request, reply, _error, done) {
    for (const name of relayed.get(request) ?? []) reply.removeHeader(name)
    done()
  })

  return async function forward (request, reply, { path, query, token, onStatus, onRefusal }) {
    const { from } = await (opening ??= openUpstream(scope, options))
    if (hasDisconnected(request, reply)) throw clientDisconnected()
    const upload = uploadOf(request)
    // Forwards the raw stream, also if a parser of the host has replaced the body.
    request.body = upload ?? undefined
    const exchange = new Exchange(upload, options)
    reply.raw.once('close', () => {
      // Aborting a complete exchange changes nothing, and creates an error with a stack.
      if (!reply.raw.writableFinished || !exchange.isSettled) exchange.abort(clientDisconnected())
    })
    // A response that waits in a pipeline does not emit "close".
    request.raw.once('aborted', () => exchange.abort(clientDisconnected()))
    const trace = CHANNELS.step.hasSubscribers
      ? startUpstreamStep('databrain_proxy', upstreamUrl, request.method, scope)
      : null
    const start = performance.now()
    const publish = (outcome: UpstreamMessage['outcome']): void => {
      if (!CHANNELS.upstream.hasSubscribers) return
      const duration = performance.now() - start
      CHANNELS.upstream.publish({ server: scope, product: 'databrain_proxy', outcome, duration })
    }

    from.call(reply, basePath + path, {
      queryString: () => query,
      rewriteRequestHeaders (_request, headers) {
        const sent = requestHeaders(headers, token)
        if (identityHeader !== null) delete sent[identityHeader]
        // A hook of the host may have replaced the stream, so the length may be wrong.
        if (upload === null || upload.source !== request.raw) delete sent['content-length']
        return Object.assign(sent, trace?.headers, { [EXCHANGE]: exchange })
      },
      rewriteHeaders (headers) {
        const relayedHeaders = responseHeaders(headers)
        relayed.set(request, Object.keys(relayedHeaders))
        return relayedHeaders
      },
      onResponse (_request, _reply, { stream }) {
        exposeFileName(reply)
        const { statusCode } = reply
        publish(outcomeOf(statusCode))
        if (trace !== null) endUpstreamStep(trace, statusCode)
        if (statusCode >= 400) {
          stream.recordBytes = MAX_ERROR_BYTES
          stream.once(
            'close',
            () => onRefusal(upstreamRefusal(statusCode, upstreamErrorIn(Buffer.concat(stream.recorded)), [token]))
          )
        }
        const notified = onStatus(reply.statusCode)
        if (notified === undefined) reply.send(stream)
        else notified.then(() => reply.send(stream), (error: unknown) => reply.send(error))
      },
      onError (_reply, { error }) {
        // Closes the connection instead of waiting for the rest of the body.
        if (!request.raw.complete) reply.header('connection', 'close')
        if (hasDisconnected(request, reply)) onStatus(null)
        publish(
          hasDisconnected(request, reply)
            ? 'cancelled'
            : error.cause instanceof UPSTREAM_TIMEOUT ? 'timeout' : 'failed'
        )
        trace?.end(error.cause instanceof GatehouseError ? error.cause : error)
        reply.send(
          error.cause instanceof GatehouseError
            ? error.cause
            : new UPSTREAM_ERROR({ reason: 'the upstream call failed' })
        )
      }
    })
  }

  function uploadOf ({ body }: FastifyRequest): MeteredBody | null {
    if (!(body instanceof Readable)) return null
    return new MeteredBody(body, {
      limit: bodyLimit,
      tooLarge: () => new PAYLOAD_TOO_LARGE({ reason: 'the body has more bytes than "bodyLimit"' }),
      onSourceError: () => new INVALID_REQUEST({ message: 'The body did not arrive' })
    })
  }
}

/** Returns the `reply.from` of `@fastify/reply-from` for the upstream, and what closes its sockets. */
async function openUpstream (
  scope: FastifyInstance,
  options: CheckedOptions
): Promise<{ from: From, close: () => Promise<void> }> {
  const [upstream, { default: replyFrom }] = await Promise.all([pinnedUpstream(options), import('@fastify/reply-from')])
  // It tries nothing twice, and calls by our own client: its default would take any certificate.
  const replyFromOptions = {
    base: options.upstreamUrl,
    undici: upstream,
    retryMethods: [],
    disableRequestLogging: true,
    disableCache: true
  }
  const { from } = await capturePlugin(scope, replyFrom, replyFromOptions, {
    name: '@fastify/reply-from',
    decorators: ['from']
  })
  return { from: from as From, close: () => upstream.close() }
}

function clientDisconnected (): GatehouseError {
  return new INVALID_REQUEST({ reason: 'the client has disconnected' })
}

/** Adds `Content-Disposition` to the headers that a page of another origin may read. */
function exposeFileName (reply: FastifyReply): void {
  const exposed = reply.getHeader('access-control-expose-headers')
  if (exposed !== undefined) reply.header('access-control-expose-headers', `${String(exposed)}, content-disposition`)
}

/** Returns whether the client has disconnected. For a request that waits in a pipeline only the socket shows it. */
export function hasDisconnected (request: FastifyRequest, reply: FastifyReply): boolean {
  return !reply.raw.writableFinished && (reply.raw.closed || request.raw.socket.destroyed)
}
