import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, RequestPayload } from 'fastify'

import { CHANNELS, publishAllowed } from '../../lib/channels.js'
import { INVALID_OPTIONS, INVALID_PIPELINE_KEY } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { UnknownKeyLimiter } from '../../lib/limits/unknown-key-limiter.js'
import type { GuessLimit } from '../../lib/limits/unknown-key-limiter.js'
import { keyUsesOf } from './key-uses.js'
import { readKeyless } from './keyless-body.js'
import { assertBoolean, assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { hasBody, presentedKey, wellFormed } from './presented-key.js'
import { isLive, validateUnsigned } from './source-check.js'
import { bufferBody } from '../../lib/http/raw-body.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { requestSlot } from '../../lib/request-slot.js'
import type { RequestSlot } from '../../lib/request-slot.js'
import { tracedValue } from '../../lib/trace.js'
import { claimsSignature } from '../../lib/http/signature-headers.js'
import {
  allowsOrigin, grantBySomeSource, grantOrigin, varyByOrigin,
  withdrawOrigin
} from '../../lib/cors/source-cors.js'
import type { ResolvedSource } from '../../contracts/token-store/index.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'
export type {} from '../../contracts/source-request.js'

export interface PipelineKeyOptions {
  /**
   * Guards every route of this scope, and its 404 handler, that does not set `pipelineKey: false`. Default: `false`.
   */
  global?: boolean
  /** Maximum look-ups of unknown keys per client address; `false` disables the limit. Default: 500 in 10 seconds. */
  guessLimit?: GuessLimit | false
  /**
   * Returns the key in the parsed body, or `undefined`. Called on all guarded routes: an unsigned request without
   * `Authorization` and `?wk=` is checked after its body was read, and a key in the body that differs from the key of
   * the request is refused. Default: bodies contain no key.
   */
  keyInBody?: (request: FastifyRequest) => unknown
  /**
   * Returns another error of a body that contains the key, or `null`. It is reported once the source is known, before
   * any other error. Default: `null`.
   */
  bodyError?: (request: FastifyRequest) => Error | null
  /**
   * Maximum bytes of a body that are read before the key is known. A body that contains the key must not be longer,
   * unless `keyInHead` finds the key in its first bytes. Default: 65 536.
   */
  keylessLimit?: number
  /**
   * Returns the key in the first `keylessLimit` bytes of a longer body, or `undefined`. The rest of the body is read
   * once the source is known, and `keyInBody` must return the same key. Needs `bufferBody`. Default: longer bodies
   * without a key are refused.
   */
  keyInHead?: (head: Buffer, request: FastifyRequest) => unknown
  /**
   * Reads up to `keylessLimit` bytes of the body while the look-up of the key is in flight, so that a complete request
   * is accepted although its client closes the connection early. The source is then known from `preParsing` on. Only
   * for routes whose parsers read bodies with `collectBody`; other parsers would find an empty stream. Default:
   * `false`.
   */
  bufferBody?: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** Requires the pipeline key of an enabled source and, from pages, an origin that the source allows. */
    pipelineKey?: boolean
  }
}

type Done = (error?: Error) => void
type PayloadDone = (error: Error | null, payload: RequestPayload) => void

/** A look-up in flight. */
type LookUp = Promise<ResolvedSource | null>

const KNOWN: KnownOptions<PipelineKeyOptions> = {
  global: true,
  guessLimit: true,
  keyInBody: true,
  bodyError: true,
  keylessLimit: true,
  keyInHead: true,
  bufferBody: true
}

/**
 * Guards routes by the pipeline key of a source, and by the origins that the source allows. Needs `app.tokenStore`.
 * Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(pipelineKey)
 * app.post('/hook', { config: { gatehouse: { pipelineKey: true } } }, async ({ source }) => ({ source: source?.id }))
 */
const pipelineKey: FastifyPluginAsync<PipelineKeyOptions> = async (app, options) => {
  refuseUnknownOptions('pipelineKey', options, KNOWN, { holdBody: 'bufferBody', faultInBody: 'bodyError' })
  const {
    global = false,
    guessLimit = {},
    keyInBody,
    bodyError = () => null,
    keylessLimit = 65_536,
    keyInHead,
    bufferBody: buffersBody = false
  } = options
  assertBoolean('pipeline-key', 'global', global)
  assertWholeNumber('pipeline-key', 'keylessLimit', keylessLimit, { unit: 'bytes' })
  if (keyInHead !== undefined && !buffersBody) {
    throw new INVALID_OPTIONS('pipeline-key: "keyInHead" needs "bufferBody: true"')
  }
  const { sources, sourceKeys } = app.tokenStore
  const keyUses = keyUsesOf(sourceKeys, app.log)
  const unknownKeys = guessLimit === false ? null : new UnknownKeyLimiter(guessLimit)
  const lookUps = buffersBody ? requestSlot<LookUp>(app) : null
  const keyless = { limit: keylessLimit, buffersBody, keyInHead }
  /** The keys that `keyInHead` returned. */
  const headKeys = keyInHead === undefined ? null : requestSlot<{ key: string }>(app)
  const ruleFor = defineGuard(app, {
    name: 'pipelineKey',
    fallback: global || undefined,
    accepts: (value) => typeof value === 'boolean',
    expected: 'true or false',
    securityScheme: 'pipelineKey'
  })
  for (const [name, value] of [['source', null], ['resolvedSource', null], ['signed', false]] as const) {
    if (!app.hasRequestDecorator(name)) app.decorateRequest(name, value)
  }

  app.addHook('onRequest', function checkPipelineKey (request, reply, done) {
    if (ruleFor(request) !== true) return done()
    varyByOrigin(reply)
    const key = presentedKey(request)
    if (typeof key === 'string') lookUp(key, request, reply, done, lookUps)
    else if (key === undefined && mayHaveKeyInBody(request)) done()
    else {
      refuseUnknown(
        request,
        reply,
        new INVALID_PIPELINE_KEY({ reason: key === null ? 'malformed or differing keys' : 'no key' })
      )
    }
  })

  // In preParsing and not in onRequest, because a preParsing hook of the host may replace the stream.
  app.addHook('preParsing', function awaitPipelineKey (request, reply, payload, done) {
    if (request.resolvedSource !== null || ruleFor(request) !== true) return done(null, payload)
    readBeforeAdmission(request, reply, payload, done)
  })

  app.addHook('preValidation', function settlePipelineKey (request, reply, done) {
    if (ruleFor(request) !== true) return done()
    const inBody = keyInBody?.(request)
    const { resolvedSource } = request
    if (resolvedSource === null) {
      const key = wellFormed(inBody)
      if (key === null) {
        refuseUnknown(
          request,
          reply,
          new INVALID_PIPELINE_KEY({ reason: 'no key in the headers, the query or the body' })
        )
      } else lookUp(key, request, reply, () => allow(request, () => done(bodyError(request) ?? undefined)), null)
    } else if (inBody !== undefined && inBody !== resolvedSource.key) {
      refuse(reply, new INVALID_PIPELINE_KEY({ reason: 'the key in the body differs' }), 'pipelineKey')
    } else if (inBody === undefined && headKeys !== null && headKeys.get(request) !== null) {
      refuse(
        reply,
        new INVALID_PIPELINE_KEY({
          reason: 'the first bytes of the body contain a key that the parsed body does not contain'
        }),
        'pipelineKey'
      )
    } else if (request.signed) {
      // A signed request comes from a server, so its Origin header is ignored.
      if (request.headers.origin !== undefined) withdrawOrigin(reply)
      allow(request, done)
    } else {
      const error = claimsSignature(request.headers) ? validateUnsigned(request, resolvedSource.source) : null
      if (error === null) allow(request, done)
      else refuse(reply, error, 'pipelineKey')
    }
  })

  app.addHook('onClose', () => keyUses.close())

  /** Waits for a look-up in flight, or reads the body of a request without a key. */
  function readBeforeAdmission (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: RequestPayload,
    done: PayloadDone
  ): void {
    const pending = lookUps?.get(request) ?? null
    if (pending !== null) {
      bufferBody(payload, reply.raw, Math.min(keylessLimit, request.routeOptions.bodyLimit))
      awaitLookUp(pending, request, reply, (error) => done(error ?? null, payload))
      return
    }
    readKeyless(keyless, request, reply, payload, (error, key, stream) => {
      if (error === null && key === null) return done(null, stream)
      // A refused client may still be sending its body.
      reply.header('connection', 'close')
      if (error !== null || key === null) return refuseUnknown(request, reply, error ?? new INVALID_PIPELINE_KEY())
      headKeys?.set(request, { key })
      lookUp(key, request, reply, () => {
        reply.removeHeader('connection')
        done(null, payload)
      }, null)
    })
  }

  function mayHaveKeyInBody ({ headers, routeOptions }: FastifyRequest): boolean {
    return keyInBody !== undefined && hasBody(headers) && !claimsSignature(headers) &&
      routeOptions.config.gatehouse?.signature !== 'required'
  }

  /** Looks up a key; synchronous on a cache hit. `later` stores a look-up in flight, for preParsing. */
  function lookUp (
    key: string,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done,
    later: RequestSlot<LookUp> | null
  ): void {
    let found: ReturnType<typeof sources.resolve>
    try {
      found = CHANNELS.step.hasSubscribers
        ? tracedValue({ kind: 'guard', name: 'pipelineKey', request }, () => resolve(key, request))
        : resolve(key, request)
    } catch (error) {
      return refuseUnknown(request, reply, toPublicError(error))
    }
    if (found === null || !('then' in found)) return acceptSource(found, request, reply, done)
    if (later === null) {
      awaitLookUp(found, request, reply, done)
    } else {
      // Prevents an unhandled rejection before preParsing awaits the look-up.
      found.catch(() => {})
      later.set(request, found)
      done()
    }
  }

  function resolve (key: string, request: FastifyRequest): ReturnType<typeof sources.resolve> {
    return unknownKeys === null ? sources.resolve(key) : unknownKeys.look(key, request, sources)
  }

  function awaitLookUp (found: LookUp, request: FastifyRequest, reply: FastifyReply, done: Done): Promise<void> {
    return found.then(
      (resolved) => acceptSource(resolved, request, reply, done),
      (error: unknown) => refuseUnknown(request, reply, toPublicError(error))
    )
  }

  function acceptSource (
    resolved: ResolvedSource | null,
    request: FastifyRequest,
    reply: FastifyReply,
    done: Done
  ): void {
    if (resolved === null || !isLive(resolved)) {
      const reason = resolved === null ? 'unknown, ended or disabled key' : 'disabled source or ended key'
      return refuseUnknown(request, reply, new INVALID_PIPELINE_KEY({ reason }))
    }
    request.resolvedSource = resolved
    request.source = resolved.source
    const { origin } = request.headers
    if (origin !== undefined && allowsOrigin(resolved.source, origin)) grantOrigin(reply, origin)
    // Signed requests are checked later, after their signature has been verified.
    const error = claimsSignature(request.headers) ? null : validateUnsigned(request, resolved.source)
    if (error === null) done()
    else refuse(reply, error, 'pipelineKey')
  }

  /** Ends the guard's last check of a request. */
  function allow (request: FastifyRequest, done: Done): void {
    if (request.resolvedSource !== null) keyUses.note(request.resolvedSource.key, Date.now())
    publishAllowed(request, 'pipelineKey')
    done()
  }

  function refuseUnknown (request: FastifyRequest, reply: FastifyReply, error: GatehouseError): void {
    if (request.headers.origin === undefined) refuse(reply, error, 'pipelineKey')
    else grantBySomeSource(request, reply, sources).then(() => refuse(reply, error, 'pipelineKey'))
  }
}

export default fp(pipelineKey, {
  name: 'gatehouse-pipeline-key',
  fastify: '5.x',
  decorators: { fastify: ['tokenStore'] }
})
export type { GuessLimit } from '../../lib/limits/unknown-key-limiter.js'
