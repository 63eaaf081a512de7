import { Readable } from 'node:stream'

import replyFrom from '@fastify/reply-from'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { capturePlugin } from '../../../lib/capture-plugin.js'
import { GatehouseError, INVALID_REQUEST, PAYLOAD_TOO_LARGE, UPSTREAM_ERROR } from '../../../lib/errors.js'
import { upstreamRefusal } from '../../../lib/upstream-client/refusal.js'
import type { UpstreamRefusal } from '../../../lib/upstream-client/refusal.js'
import { faultIn } from '../guest-token/answer.js'
import { requestSlot } from '../../../lib/request-slot.js'
import { Exchange } from './exchange.js'
import { requestHeaders, responseHeaders } from './headers.js'
import { MeteredBody } from './metered-body.js'
import type { CheckedOptions } from './options.js'
import { EXCHANGE } from './pinned-upstream.js'
import type { PinnedUpstream } from './pinned-upstream.js'

/** Bytes of a refusal that are looked at. */
const MAX_LOOK = 65_536

type Headers = ReturnType<typeof requestHeaders>

interface FromOptions {
  rewriteRequestHeaders (request: FastifyRequest, headers: Headers): Headers
  rewriteHeaders (headers: Headers): Headers
  onResponse (request: FastifyRequest, reply: FastifyReply, answer: { stream: MeteredBody }): void
  onError (reply: FastifyReply, failure: { error: Error }): void
  queryString (): string
}
type From = (this: FastifyReply, source: string, options: FromOptions) => FastifyReply

export interface ForwardedCall {
  /** Below the base path of the upstream, from its `/` on. */
  path: string
  /** Without its question mark; empty for none. Goes out byte for byte. */
  query: string
  token: string
  /** Told once, before the page is: the status of the answer, or `null` where the caller has left before it. Must not reject. */
  answered (statusCode: number | null): Promise<void> | undefined
  /** Told of an answer of 400 and more, once it has gone through: what it says, without the token. */
  refused (refusal: UpstreamRefusal): void
}

/** Forwards the call of a request and answers with what comes back. Throws `INVALID_REQUEST` where nobody waits for it any more. */
export async function forwarder (
  scope: FastifyInstance, upstream: PinnedUpstream, options: CheckedOptions
): Promise<(request: FastifyRequest, reply: FastifyReply, call: ForwardedCall) => void> {
  const { upstreamUrl, bodyLimit } = options
  const { pathname } = new URL(upstreamUrl)
  const basePath = pathname === '/' ? '' : pathname
  // It tries nothing twice, and calls by our own client: its default would take any certificate.
  const replyFromOptions = { base: upstreamUrl, undici: upstream, retryMethods: [], disableRequestLogging: true, disableCache: true }
  const decorators = await capturePlugin(scope, replyFrom, replyFromOptions, { name: '@fastify/reply-from', decorators: ['from'] })
  const from = decorators['from'] as From
  const relayed = requestSlot<string[]>(scope)

  // An answer that breaks off before its first byte becomes an error of ours, under our own headers.
  scope.addHook('onError', function dropRelayedHeaders (request, reply, _error, done) {
    for (const name of relayed.get(request) ?? []) reply.removeHeader(name)
    done()
  })

  return function forward (request, reply, { path, query, token, answered, refused }) {
    if (hasLeft(request, reply)) throw leaving()
    const upload = uploadOf(request)
    // The very stream goes out; what else a parser may have made of it does not.
    request.body = upload ?? undefined
    const exchange = new Exchange(upload, options)
    reply.raw.once('close', () => exchange.giveUp(leaving()))
    // The answer to a call that waits in a pipeline is not told.
    request.raw.once('aborted', () => exchange.giveUp(leaving()))

    from.call(reply, basePath + path, {
      queryString: () => query,
      rewriteRequestHeaders (_request, headers) {
        const sent = requestHeaders(headers, token)
        // A host's own hook may have put another stream in the place of the one that was announced.
        if (upload === null || upload.source !== request.raw) delete sent['content-length']
        return Object.assign(sent, { [EXCHANGE]: exchange })
      },
      rewriteHeaders (headers) {
        const kept = responseHeaders(headers)
        relayed.set(request, Object.keys(kept))
        return kept
      },
      onResponse (_request, _reply, { stream }) {
        exposeFileName(reply)
        const { statusCode } = reply
        if (statusCode >= 400) {
          stream.keep = MAX_LOOK
          stream.once('close', () => refused(upstreamRefusal(statusCode, faultIn(Buffer.concat(stream.kept)), [token])))
        }
        const told = answered(reply.statusCode)
        if (told === undefined) reply.send(stream)
        else told.then(() => reply.send(stream), (error: unknown) => reply.send(error))
      },
      onError (_reply, { error }) {
        // What is still to come of the body must not be waited for.
        if (!request.raw.complete) reply.header('connection', 'close')
        if (hasLeft(request, reply)) answered(null)
        reply.send(error.cause instanceof GatehouseError ? error.cause : new UPSTREAM_ERROR({ reason: 'the call could not be made' }))
      }
    })
  }

  function uploadOf ({ body }: FastifyRequest): MeteredBody | null {
    if (!(body instanceof Readable)) return null
    return new MeteredBody(body, {
      limit: bodyLimit,
      tooMuch: () => new PAYLOAD_TOO_LARGE(),
      broken: () => new INVALID_REQUEST({ message: 'The body did not arrive' })
    })
  }
}

function leaving (): GatehouseError {
  return new INVALID_REQUEST({ reason: 'the caller has left' })
}

/** `Content-Disposition` beside what a page of another origin may read already. */
function exposeFileName (reply: FastifyReply): void {
  const exposed = reply.getHeader('access-control-expose-headers')
  if (exposed !== undefined) reply.header('access-control-expose-headers', `${String(exposed)}, content-disposition`)
}

/** Whether the caller has hung up, so that no answer will arrive. One that waits in a pipeline is told by its socket alone. */
export function hasLeft (request: FastifyRequest, reply: FastifyReply): boolean {
  return !reply.raw.writableFinished && (reply.raw.closed || request.raw.socket.destroyed)
}
