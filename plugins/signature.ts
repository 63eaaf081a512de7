import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

import { parseSignatureHeader, verifyBody, verifyTimestampedBody } from '../signing/datafly/body-signature.js'
import { INVALID_OPTIONS, INVALID_SIGNATURE, PAYLOAD_TOO_LARGE, SIGNATURE_REQUIRED, TIMESTAMP_OUT_OF_RANGE } from '../lib/errors.js'
import type { GatehouseError } from '../lib/errors.js'
import { defineGuard, hasGuard } from '../lib/guard/index.js'
import { refuseUnknownOptions } from '../lib/options.js'
import type { KnownOptions } from '../lib/options.js'
import { claimsSignature } from '../lib/http/signature-headers.js'
import { checkBody, liveSecrets } from '../lib/http/signed-body.js'
import type { BodyCheck } from '../lib/http/signed-body.js'
import { refuse } from '../lib/refuse.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../lib/guard/index.js'
export type {} from '../contracts/source-request.js'

export type SignatureMode = 'off' | 'optional' | 'required'

export interface SignatureOptions {
  /** The mode of every route of this scope that does not name one; `true` is `'required'`, `false` is `'off'`. Default: `false`. */
  global?: boolean | SignatureMode
  /** The server secrets that may have signed, the live ones of the request's source by default, which needs the pipelineKey guard. */
  secrets?: (request: FastifyRequest) => ReadonlyArray<string | Buffer>
  /** How far `X-Timestamp` may lie before or after now, milliseconds. Default: 300 000. */
  tolerance?: number
  /** What a signed body beyond the route's `bodyLimit` is answered with. Default: 413 `PAYLOAD_TOO_LARGE`. */
  tooLarge?: () => GatehouseError
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** `'optional'`: a signature that is there must hold; `'required'`: there must be one. Default: `'off'`. */
    signature?: SignatureMode
  }

  interface FastifyRequest {
    /** The bytes of a signed body as they came on the wire; `null` if it is not signed. Not `rawBody`, a property of fastify-raw-body. */
    signedBody: Buffer | null
    /** The signature that holds, its 32 bytes; `null` if there is none. Tells a replay from another request. */
    verifiedSignature: Buffer | null
  }
}

const KNOWN: KnownOptions<SignatureOptions> = { global: true, secrets: true, tolerance: true, tooLarge: true }
const MODES: readonly unknown[] = ['off', 'optional', 'required'] satisfies SignatureMode[]

const signature: FastifyPluginAsync<SignatureOptions> = async (app, options) => {
  refuseUnknownOptions('signature', options, KNOWN)
  const { global = false, secrets = secretsOfSource, tolerance = 300_000, tooLarge = () => new PAYLOAD_TOO_LARGE() } = options
  if (typeof global !== 'boolean' && !MODES.includes(global)) {
    throw new INVALID_OPTIONS('signature: "global" must be true, false, "off", "optional" or "required"')
  }
  if (typeof secrets !== 'function') throw new INVALID_OPTIONS('signature: "secrets" must be a function of the request')
  if (!Number.isFinite(tolerance) || tolerance <= 0) throw new INVALID_OPTIONS('signature: "tolerance" must be a positive number of milliseconds')
  if (options.secrets === undefined && !hasGuard(app, 'pipelineKey')) {
    throw new INVALID_OPTIONS('signature: register the pipelineKey plugin first, whose source has the secrets, or give "secrets"')
  }
  const ruleFor = defineGuard(app, {
    name: 'signature',
    fallback: global === true ? 'required' : global === false ? undefined : global,
    accepts: (value) => MODES.includes(value),
    expected: '"off", "optional" or "required"',
    securityScheme: 'signature'
  })
  for (const [name, value] of [['signed', false], ['signedBody', null], ['verifiedSignature', null]] as const) {
    if (!app.hasRequestDecorator(name)) app.decorateRequest(name, value)
  }

  const bodyCheck: BodyCheck = { check: faultOfBody, tooLarge }
  app.addHook('preParsing', function checkSignature (request, reply, payload, done) {
    const mode = ruleFor(request)
    if (mode === undefined || mode === 'off') return done(null, payload)
    if (!claimsSignature(request.headers)) {
      if (mode === 'optional') return done(null, payload)
      refuse(reply, new SIGNATURE_REQUIRED())
      return
    }
    const fault = faultOfHeaders(request)
    if (fault !== null) {
      refuse(reply, fault)
      return
    }
    checkBody(request, reply, payload, bodyCheck, done)
  })

  /** On success the request is marked as signed. */
  function faultOfBody (request: FastifyRequest, body: Buffer): GatehouseError | null {
    const { 'x-datafly-signature': plain, 'x-signature': timestamped, 'x-timestamp': timestamp } = request.headers as Record<string, string | undefined>
    const live = secrets(request).filter(({ length }) => length > 0)
    if (plain !== undefined && verifyBody(plain, live, body) !== 'valid') return new INVALID_SIGNATURE({ reason: 'X-Datafly-Signature' })
    if (timestamped !== undefined && timestamp !== undefined) {
      const verdict = verifyTimestampedBody({ header: timestamped, timestamp, now: Date.now(), tolerance }, live, body)
      if (verdict === 'timestamp_out_of_range') return new TIMESTAMP_OUT_OF_RANGE()
      if (verdict !== 'valid') return new INVALID_SIGNATURE({ reason: 'X-Signature' })
    }
    request.signed = true
    request.signedBody = body
    request.verifiedSignature = parseSignatureHeader(timestamped ?? plain ?? '')
    return null
  }
}

/** What is wrong before a byte of the body is read. */
function faultOfHeaders ({ headers, source }: FastifyRequest): GatehouseError | null {
  if (headers['x-timestamp'] !== undefined && headers['x-signature'] === undefined) return new INVALID_SIGNATURE({ reason: 'X-Timestamp without X-Signature' })
  if (headers['x-timestamp'] === undefined && headers['x-signature'] !== undefined) return new TIMESTAMP_OUT_OF_RANGE({ reason: 'no X-Timestamp' })
  if (source?.requireTimestamp === true && headers['x-signature'] === undefined) return new TIMESTAMP_OUT_OF_RANGE({ reason: 'the source requires a timestamp' })
  return null
}

function secretsOfSource ({ resolvedSource }: FastifyRequest): readonly Buffer[] {
  return resolvedSource === null ? [] : liveSecrets(resolvedSource.secrets)
}

export default fp(signature, { name: 'gatehouse-signature', fastify: '5.x' })
export type { ErrorDetail, GatehouseError, UpstreamRefusal } from '../lib/errors.js'
