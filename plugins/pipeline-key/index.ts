import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, RequestPayload } from 'fastify'

import { INVALID_OPTIONS, INVALID_PIPELINE_KEY, SIGNATURE_REQUIRED } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { UnknownKeyLimiter } from '../../lib/limits/unknown-key-limiter.js'
import type { GuessLimit } from '../../lib/limits/unknown-key-limiter.js'
import { readKeyless } from './keyless-body.js'
import { assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { presentedKey, wellFormed } from './presented-key.js'
import { holdBody } from '../../lib/http/raw-body.js'
import { refuse, refusedOrigin, toPublicError } from '../../lib/refuse.js'
import { requestSlot } from '../../lib/request-slot.js'
import type { RequestSlot } from '../../lib/request-slot.js'
import { claimsSignature } from '../../lib/http/signature-headers.js'
import { allowsOrigin, grantBySomeSource, grantOrigin, varyByOrigin, withdrawOrigin } from '../../lib/cors/source-cors.js'
import type { ResolvedSource, Source } from '../../contracts/token-store/index.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'
export type {} from '../../contracts/source-request.js'

export interface PipelineKeyOptions {
  /** Guard every route of this scope that does not say `pipelineKey: false`, its 404 handler included. Default: `false`. */
  global?: boolean
  /** How many look-ups of unknown keys one address may cause; `false`: any number. Default: 500 in 10 s. */
  guessLimit?: GuessLimit | false
  /**
   * Reads a key from the parsed body; `undefined`: there is none. It is asked on every guarded route: an unsigned request with
   * neither `Authorization` nor `?wk=` is then judged after its body was read, and a key in the body that differs from the
   * request's is refused. Default: bodies carry no key.
   */
  keyInBody?: (request: FastifyRequest) => unknown
  /**
   * What else is wrong with a body that brought the key; `null`: nothing. It is raised once the source is known, so that it is told
   * before anything else that is wrong. Default: nothing.
   */
  faultInBody?: (request: FastifyRequest) => Error | null
  /**
   * Bytes of a body that are read before the key of the request is known. A body with its key in it may not be longer, unless `keyInHead`
   * finds the key in its first bytes. Default: 65 536.
   */
  keylessLimit?: number
  /**
   * Reads the key from the first `keylessLimit` bytes of a longer body; `undefined`: there is none. The rest of the body is read once the
   * source is known, and `keyInBody` must then find the same key. Needs `holdBody`. Default: longer bodies without a key are refused.
   */
  keyInHead?: (head: Buffer, request: FastifyRequest) => unknown
  /**
   * Reads the body of a request, up to `keylessLimit`, while the look-up of its key takes time, so that a request that has arrived is taken
   * although its client has closed the connection by then. The source of such a request is known from `preParsing` on, not from
   * `onRequest` on. Only for routes whose parsers read bodies by `collectBody`; other parsers would find nothing to read. Default: `false`.
   */
  holdBody?: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** Demand the pipeline key of an enabled source, and from pages an origin that the source allows. */
    pipelineKey?: boolean
  }
}

type Done = (error?: Error) => void
type PayloadDone = (error: Error | null, payload: RequestPayload) => void

/** A look-up that has begun and takes time. */
type LookUp = Promise<ResolvedSource | null>

const KNOWN: KnownOptions<PipelineKeyOptions> = {
  global: true, guessLimit: true, keyInBody: true, faultInBody: true, keylessLimit: true, keyInHead: true, holdBody: true
}

const pipelineKey: FastifyPluginAsync<PipelineKeyOptions> = async (app, options) => {
  refuseUnknownOptions('pipelineKey', options, KNOWN)
  const { global = false, guessLimit = {}, keyInBody, faultInBody = () => null, keylessLimit = 65_536, keyInHead, holdBody: holding = false } = options
  if (typeof global !== 'boolean') throw new INVALID_OPTIONS('pipeline-key: "global" must be true or false')
  assertWholeNumber('pipeline-key', 'keylessLimit', keylessLimit, { unit: 'bytes' })
  if (keyInHead !== undefined && !holding) throw new INVALID_OPTIONS('pipeline-key: "keyInHead" needs "holdBody"')
  const { sources } = app.tokenStore
  const guesses = guessLimit === false ? null : new UnknownKeyLimiter(guessLimit)
  const lookUps = holding ? requestSlot<LookUp>(app) : null
  const keyless = { limit: keylessLimit, holding, keyInHead }
  /** The keys that were found in the first bytes of a body. */
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
    else if (key === undefined && mayCarryKeyInBody(request)) done()
    else refuseUnknown(request, reply, new INVALID_PIPELINE_KEY({ reason: key === null ? 'malformed or differing keys' : 'no key' }))
  })

  // Not in onRequest: a preParsing hook of the host may replace the stream, and the new one has to be read.
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
      if (key === null) refuseUnknown(request, reply, new INVALID_PIPELINE_KEY({ reason: 'no key, nor one in the body' }))
      else lookUp(key, request, reply, () => done(faultInBody(request) ?? undefined), null)
    } else if (inBody !== undefined && inBody !== resolvedSource.key) {
      refuse(reply, new INVALID_PIPELINE_KEY({ reason: 'the key in the body differs' }))
    } else if (inBody === undefined && headKeys !== null && headKeys.get(request) !== null) {
      refuse(reply, new INVALID_PIPELINE_KEY({ reason: 'the first bytes of the body have a key that the body does not have' }))
    } else if (request.signed) {
      // A server that signs is no page, whatever origin it names.
      if (request.headers.origin !== undefined) withdrawOrigin(reply)
      done()
    } else {
      const fault = claimsSignature(request.headers) ? faultOfUnsigned(request, resolvedSource.source) : null
      if (fault === null) done()
      else refuse(reply, fault)
    }
  })

  /** Admits a request whose key is still being looked up, and reads the body of a request that has shown no key so far. */
  function readBeforeAdmission (request: FastifyRequest, reply: FastifyReply, payload: RequestPayload, done: PayloadDone): void {
    const pending = lookUps?.get(request) ?? null
    if (pending !== null) {
      holdBody(payload, reply.raw, Math.min(keylessLimit, request.routeOptions.bodyLimit))
      settle(pending, request, reply, (error) => done(error ?? null, payload))
      return
    }
    readKeyless(keyless, request, reply, payload, (error, key, stream) => {
      if (error === null && key === null) return done(null, stream)
      // A refused client may be sending still.
      reply.header('connection', 'close')
      if (error !== null || key === null) return refuseUnknown(request, reply, error ?? new INVALID_PIPELINE_KEY())
      headKeys?.set(request, { key })
      lookUp(key, request, reply, () => {
        reply.removeHeader('connection')
        done(null, payload)
      }, null)
    })
  }

  function mayCarryKeyInBody ({ headers, routeOptions }: FastifyRequest): boolean {
    return keyInBody !== undefined && hasBody(headers) && !claimsSignature(headers) && routeOptions.config.gatehouse?.signature !== 'required'
  }

  /** Answered from the cache this takes no turn of the event loop; `later`: where to leave a look-up that takes time. */
  function lookUp (key: string, request: FastifyRequest, reply: FastifyReply, done: Done, later: RequestSlot<LookUp> | null): void {
    let found: ReturnType<typeof sources.resolve>
    try {
      found = guesses === null ? sources.resolve(key) : guesses.look(key, request, sources)
    } catch (error) {
      return refuseUnknown(request, reply, toPublicError(error))
    }
    if (found === null || !('then' in found)) return admit(found, request, reply, done)
    if (later === null) {
      settle(found, request, reply, done)
    } else {
      // Until it is awaited, a rejection of it is nobody's.
      found.catch(() => {})
      later.set(request, found)
      done()
    }
  }

  function settle (found: LookUp, request: FastifyRequest, reply: FastifyReply, done: Done): Promise<void> {
    return found.then((resolved) => admit(resolved, request, reply, done), (error: unknown) => refuseUnknown(request, reply, toPublicError(error)))
  }

  function admit (resolved: ResolvedSource | null, request: FastifyRequest, reply: FastifyReply, done: Done): void {
    if (resolved === null || !isLive(resolved)) {
      return refuseUnknown(request, reply, new INVALID_PIPELINE_KEY({ reason: resolved === null ? 'unknown key' : 'disabled source or ended key' }))
    }
    request.resolvedSource = resolved
    request.source = resolved.source
    const { origin } = request.headers
    if (origin !== undefined && allowsOrigin(resolved.source, origin)) grantOrigin(reply, origin)
    // Who claims to have signed is judged once the signature is.
    const fault = claimsSignature(request.headers) ? null : faultOfUnsigned(request, resolved.source)
    if (fault === null) done()
    else refuse(reply, fault)
  }

  function refuseUnknown (request: FastifyRequest, reply: FastifyReply, error: GatehouseError): void {
    if (request.headers.origin === undefined) refuse(reply, error)
    else grantBySomeSource(request, reply, sources).then(() => refuse(reply, error))
  }
}

function hasBody (headers: FastifyRequest['headers']): boolean {
  return headers['content-type'] !== undefined || headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined
}

function isLive ({ source, keyExpiresAt }: ResolvedSource): boolean {
  return source.enabled && (keyExpiresAt === null || keyExpiresAt > Date.now())
}

function faultOfUnsigned ({ headers: { origin } }: FastifyRequest, source: Readonly<Source>): GatehouseError | null {
  if (origin !== undefined && !allowsOrigin(source, origin)) return refusedOrigin(origin)
  const { requireSignature } = source
  const demanded = requireSignature === 'always' || (requireSignature === 'without_origin' && origin === undefined)
  return demanded ? new SIGNATURE_REQUIRED({ reason: `the source requires a signature: ${requireSignature}` }) : null
}

export default fp(pipelineKey, {
  name: 'gatehouse-pipeline-key', fastify: '5.x', decorators: { fastify: ['tokenStore'] }
})
export type { GuessLimit } from '../../lib/limits/unknown-key-limiter.js'
