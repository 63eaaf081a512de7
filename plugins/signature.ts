import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

import { parseSignatureHeader, verifyBody, verifyTimestampedBody } from '../signing/datafly/body-signature.js'
import {
  INVALID_OPTIONS, INVALID_SIGNATURE, PAYLOAD_TOO_LARGE, SIGNATURE_REQUIRED,
  TIMESTAMP_OUT_OF_RANGE
} from '../lib/errors.js'
import type { GatehouseError } from '../lib/errors.js'
import { defineGuard, hasGuard } from '../lib/guard/index.js'
import { assertWholeNumber, optionAssertion, refuseUnknownOptions } from '../lib/options.js'
import type { AssertOption, KnownOptions } from '../lib/options.js'
import { claimsSignature } from '../lib/http/signature-headers.js'
import { checkBody, liveSecrets } from '../lib/http/signed-body.js'
import type { BodyCheck } from '../lib/http/signed-body.js'
import { refuse } from '../lib/refuse.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../lib/guard/index.js'
export type {} from '../contracts/source-request.js'

export type SignatureMode = 'off' | 'optional' | 'required'

export interface SignatureOptions {
  /**
   * Mode of all routes of this scope that do not set one; `true` is `'required'`, `false` is `'off'`. Default: `false`.
   */
  global?: boolean | SignatureMode
  /**
   * Returns the server secrets that verify a signature. Default: the valid secrets of the request's source, which needs
   * the pipelineKey guard.
   */
  secrets?: (request: FastifyRequest) => ReadonlyArray<string | Buffer>
  /** Maximum difference between `X-Timestamp` and the current time, in milliseconds. Default: 300 000. */
  tolerance?: number
  /** Creates the error for a signed body above the route's `bodyLimit`. Default: 413 `PAYLOAD_TOO_LARGE`. */
  tooLarge?: () => GatehouseError
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /**
     * `'optional'`: a signature must be valid if present; `'required'`: a valid signature is required. Default:
     * `'off'`.
     */
    signature?: SignatureMode
  }

  interface FastifyRequest {
    /** The bytes of a signed body as received; `null` without a signature. `rawBody` belongs to fastify-raw-body. */
    signedBody: Buffer | null
    /** The 32 bytes of the valid signature; `null` without a signature. A replay has the same bytes. */
    verifiedSignature: Buffer | null
  }
}

const KNOWN: KnownOptions<SignatureOptions> = { global: true, secrets: true, tolerance: true, tooLarge: true }
const assertOption: AssertOption = optionAssertion('signature')
const MISMATCH = 'does not match the raw body and any server secret'
const MODES: readonly unknown[] = ['off', 'optional', 'required'] satisfies SignatureMode[]

/**
 * Guards routes by an HMAC signature over the raw body, in `X-Datafly-Signature`, or in `X-Signature` with
 * `X-Timestamp`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(signature, { secrets: () => [process.env.WEBHOOK_SECRET] })
 * app.post('/orders', { config: { gatehouse: { signature: 'required' } } }, acceptOrder)
 */
const signature: FastifyPluginAsync<SignatureOptions> = async (app, options) => {
  refuseUnknownOptions('signature', options, KNOWN)
  const { global = false, secrets = secretsOfSource, tolerance = 300_000, tooLarge = () => new PAYLOAD_TOO_LARGE() } =
    options
  assertOption(
    typeof global === 'boolean' || MODES.includes(global),
    'global',
    'true, false, "off", "optional" or "required"',
    global
  )
  assertOption(typeof secrets === 'function', 'secrets', 'a function of the request')
  assertWholeNumber('signature', 'tolerance', tolerance, { unit: 'milliseconds' })
  assertOption(typeof tooLarge === 'function', 'tooLarge', 'a function that returns an error')
  if (options.secrets === undefined && !hasGuard(app, 'pipelineKey')) {
    throw new INVALID_OPTIONS('signature: "secrets" is missing; set "secrets" or register the pipelineKey plugin first')
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

  const bodyCheck: BodyCheck = { guard: 'signature', check: validateBody, tooLarge }
  app.addHook('preParsing', function checkSignature (request, reply, payload, done) {
    const mode = ruleFor(request)
    if (mode === undefined || mode === 'off') return done(null, payload)
    if (!claimsSignature(request.headers)) {
      if (mode === 'optional') return done(null, payload)
      refuse(reply, new SIGNATURE_REQUIRED({ reason: 'the route requires a signature' }), 'signature')
      return
    }
    const error = validateHeaders(request)
    if (error !== null) {
      refuse(reply, error, 'signature')
      return
    }
    checkBody(request, reply, payload, bodyCheck, done)
  })

  /** Returns the error of a signed body, or `null`; then the request is marked as signed. */
  function validateBody (request: FastifyRequest, body: Buffer): GatehouseError | null {
    const { 'x-datafly-signature': plain, 'x-signature': timestamped, 'x-timestamp': timestamp } = request
      .headers as Record<string, string | undefined>
    const validSecrets = secrets(request).filter(({ length }) => length > 0)
    if (plain !== undefined && verifyBody(plain, validSecrets, body) !== 'valid') {
      return new INVALID_SIGNATURE({ reason: `X-Datafly-Signature ${MISMATCH}` })
    }
    if (timestamped !== undefined && timestamp !== undefined) {
      const result = verifyTimestampedBody(
        { header: timestamped, timestamp, now: Date.now(), tolerance },
        validSecrets,
        body
      )
      if (result === 'timestamp_out_of_range') {
        return new TIMESTAMP_OUT_OF_RANGE({ reason: `X-Timestamp is not milliseconds within ${tolerance} of this clock` })
      }
      if (result !== 'valid') return new INVALID_SIGNATURE({ reason: `X-Signature ${MISMATCH}` })
    }
    request.signed = true
    request.signedBody = body
    request.verifiedSignature = parseSignatureHeader(timestamped ?? plain ?? '')
    return null
  }
}

/** Returns the error that the headers alone show, or `null`. */
function validateHeaders ({ headers, source }: FastifyRequest): GatehouseError | null {
  if (headers['x-timestamp'] !== undefined && headers['x-signature'] === undefined) {
    return new INVALID_SIGNATURE({ reason: 'X-Timestamp without X-Signature' })
  }
  if (headers['x-timestamp'] === undefined && headers['x-signature'] !== undefined) {
    return new TIMESTAMP_OUT_OF_RANGE({ reason: 'no X-Timestamp' })
  }
  if (source?.requireTimestamp === true && headers['x-signature'] === undefined) {
    return new TIMESTAMP_OUT_OF_RANGE({ reason: 'the source requires a timestamp' })
  }
  return null
}

function secretsOfSource ({ resolvedSource }: FastifyRequest): readonly Buffer[] {
  return resolvedSource === null ? [] : liveSecrets(resolvedSource.secrets)
}

export default fp(signature, { name: 'gatehouse-signature', fastify: '5.x' })
export type { ErrorDetail, GatehouseError, UpstreamRefusal } from '../lib/errors.js'
