import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_JSON, INVALID_PIPELINE_KEY, INVALID_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE } from '../../plugins/errors.js'
import type { GatehouseError } from '../../plugins/errors.js'
import { collectBody } from '../../plugins/raw-body.js'
import { codingOf, inflateThen } from './inflate.js'
import { exceeds } from '../../plugins/json-text.js'

export interface JsonRules {
  /** Bytes that are read of a body, and bytes that it may have decompressed. */
  bodyLimit: number
  /** What a longer one is answered with. */
  tooLarge: () => GatehouseError
  /** How many levels there are around an event. */
  eventLevel: number
  /** Properties of an event beyond which a text is not even parsed. Default: 20 000. */
  properties?: number
  /** Looks at what was parsed, before any schema; throws. */
  check: (value: unknown, bytes: number) => void
  /** Whether `writeKey` in the body may be the request's pipeline key. */
  keyInBody: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as text, of which parts are stored as they came; on the ingestion routes alone. */
    jsonText: string
    /** What is wrong with a body whose pipeline key was read all the same, for the guard to raise once the source is known. */
    jsonFault: GatehouseError | null
  }
}

const BYTE_ORDER_MARK = 0xfeff
const KEY_MEMBER = /"writeKey"\s*:\s*"(dk_(?:live|test)_[A-Za-z0-9_-]{6,128})"/
const CHARSET = /charset\s*=\s*"?([^";]*)/gi
/** Shorter texts can't hold JSON.parse up, which takes most of a second for some megabytes of brackets, of which gzip makes a few kilobytes. */
const SHORT = 4_096
/** Far more than any event, or all of a batch, may have: the exact limits are for `check`, event by event. */
const HOPELESS = { depth: 1_000, properties: 20_000, containers: 250_000 }

/**
 * Makes a scope read JSON in strict UTF-8, plain or compressed, as `application/json`, as `text/plain` or without a Content-Type (as beacons
 * send it), and nothing else but gzip that says to be a form, which RudderStack's SDK sends. A byte order mark at the start is skipped.
 */
export function useJsonText (scope: FastifyInstance, rules: JsonRules): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(['application/json', 'text/plain'], parseJson)
  scope.addContentTypeParser('application/x-www-form-urlencoded', function parseGzip (request, payload, done) {
    if (codingOf(request.headers['content-encoding']) === 'gzip') parseJson(request, payload, done)
    else done(new UNSUPPORTED_MEDIA_TYPE())
  })
  scope.addContentTypeParser('*', function parseTypeless (request, payload, done) {
    if (request.headers['content-type'] === undefined) parseJson(request, payload, done)
    else done(new UNSUPPORTED_MEDIA_TYPE())
  })

  function parseJson (request: FastifyRequest, payload: IncomingMessage, done: (error: Error | null, body?: unknown) => void): void {
    const { headers, signedBody } = request
    const coding = codingOf(headers['content-encoding'])
    if (coding === null || !isUnicode(headers['content-type'] ?? '')) return done(new UNSUPPORTED_MEDIA_TYPE())
    const received = coding === 'identity' ? finish : inflateThen(coding, rules.bodyLimit, finish)
    if (signedBody !== null) received(null, signedBody)
    else collectBody(payload, headers, rules.bodyLimit, received)

    function finish (error: GatehouseError | null, bytes: Buffer): void {
      if (error !== null) return done(error instanceof PAYLOAD_TOO_LARGE ? rules.tooLarge() : error)
      let body: unknown
      try {
        body = parse(request, bytes, rules)
      } catch (thrown) {
        return done(thrown as GatehouseError)
      }
      done(null, body)
    }
  }
}

function parse (request: FastifyRequest, bytes: Buffer, rules: JsonRules): unknown {
  try {
    const text = textOf(bytes)
    const value = read(text, bytes.length, rules)
    request.jsonText = text
    return value
  } catch (thrown) {
    if (!rules.keyInBody || request.resolvedSource !== null) throw thrown
    // A key is ASCII, so that it is found in other encodings than UTF-8 too.
    return bodyWithFault(request, bytes.toString('latin1'), thrown as GatehouseError)
  }
}

function textOf (bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new INVALID_JSON({ reason: 'not UTF-8' })
  const text = bytes.toString('utf8')
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text
}

function read (text: string, bytes: number, { eventLevel, properties = HOPELESS.properties, check }: JsonRules): unknown {
  if (text.length > SHORT && exceeds(text, { ...HOPELESS, properties, eventLevel })) {
    throw new INVALID_REQUEST({ message: 'The JSON is nested too deep or has too many properties' })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // V8's message quotes the body, so it goes nowhere.
    throw new INVALID_JSON()
  }
  check(value, bytes)
  return value
}

/**
 * A body that brings the pipeline key and has another fault: the key alone, so that the guard finds the source, and then the fault is
 * answered, which the sender can mend. Throws the fault of broken JSON in which no key is found, and `INVALID_PIPELINE_KEY` for other
 * bodies without a key.
 */
function bodyWithFault (request: FastifyRequest, text: string, fault: GatehouseError): unknown {
  const key = KEY_MEMBER.exec(text)?.[1]
  if (key === undefined) throw fault.code === 'INVALID_JSON' ? fault : new INVALID_PIPELINE_KEY({ reason: `no key in the body; ${fault.code}` })
  request.jsonFault = fault
  return { writeKey: key }
}

function isUnicode (contentType: string): boolean {
  if (contentType === 'application/json') return true
  // A list of two types, which Fastify takes for the first with a parameter.
  if (contentType.includes(',')) return false
  for (const [, charset = ''] of contentType.matchAll(CHARSET)) {
    if (!/^utf-?8$/i.test(charset.trim())) return false
  }
  return true
}
