import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_JSON, INVALID_PIPELINE_KEY, INVALID_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import { collectBody } from '../../../lib/http/raw-body.js'
import { countMembers, memberInHead, mostMembers } from '../../../lib/json/text.js'
import type { TextLimits } from '../../../lib/json/text.js'
import { codingOf, inflateThen } from './inflate.js'

export interface JsonRules {
  /** Bytes that are read of a body, and bytes that it may have decompressed. */
  bodyLimit: number
  /** Bytes of the JSON beyond which it is refused without being parsed. Default: `bodyLimit`. */
  parseLimit?: number
  /** Bytes that a body may have decompressed as long as no source is known. Default: `bodyLimit`. */
  keylessLimit?: number
  /** The error for a longer body. */
  tooLarge: () => GatehouseError
  /** Limits beyond which a text is not parsed. */
  limits: TextLimits
  /** Checks the parsed value before any schema; throws. `members`: how many the text has, or more where `countMembers` was not worth its time. */
  check: (value: unknown, text: string, members: number) => void
  /** Whether `writeKey` in the body may be the request's pipeline key. */
  keyInBody: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as text, of which parts are stored as they came; on the ingestion routes alone. */
    jsonText: string
    /** At least as many as the members of that text. */
    jsonMembers: number
    /** What is wrong with a body whose pipeline key was read all the same, for the guard to raise once the source is known. */
    jsonFault: GatehouseError | null
  }
}

const BYTE_ORDER_MARK = 0xfeff
const KEY_MEMBER = /"writeKey"\s*:\s*"(dk_(?:live|test)_[A-Za-z0-9_-]{6,128})"/
const CHARSET = /charset\s*=\s*"?([^";]*)/gi
/** Shorter texts are parsed in less time than it takes to count all that they have. */
const SHORT = 4_096
/** Limits of a body of several events, far beyond those of an event, which are checked event by event: only what costs time is refused whole. */
export const TEXT_LIMITS: Omit<TextLimits, 'eventLevel'> = {
  depth: 1_000, values: 100_000, members: 50_000, eventMembers: 20_000, outerMembers: 10_000
}

/**
 * Makes a scope read JSON in strict UTF-8, plain or compressed, as `application/json`, as `text/plain` or without a Content-Type (as beacons
 * send it), and nothing else but gzip that says to be a form, which RudderStack's SDK sends. A byte order mark at the start is skipped.
 */
export function useJsonText (scope: FastifyInstance, rules: JsonRules): void {
  const keylessLimit = Math.min(rules.keylessLimit ?? rules.bodyLimit, rules.bodyLimit)
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
    const limit = request.resolvedSource === null ? keylessLimit : rules.bodyLimit
    const received = coding === 'identity' ? finish : inflateThen(coding, limit, finish)
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
    return read(request, text, bytes.length, rules)
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

function read (request: FastifyRequest, text: string, bytes: number, { limits, parseLimit = Infinity, tooLarge, check }: JsonRules): unknown {
  const members = text.length > SHORT ? countMembers(text, limits) : mostMembers(text)
  if (members === -1) throw new INVALID_REQUEST({ message: 'The JSON is nested too deep or has too many properties' })
  if (bytes > parseLimit) throw tooLarge()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // V8's message quotes the body, so it goes nowhere.
    throw new INVALID_JSON()
  }
  check(value, text, members)
  request.jsonText = text
  request.jsonMembers = members
  return value
}

/** The pipeline key in the first bytes of a plain body, `undefined` if there is none. */
export function keyInHead (head: Buffer, { headers }: FastifyRequest): string | undefined {
  if (codingOf(headers['content-encoding']) !== 'identity') return undefined
  // A key is ASCII; the last character may be cut.
  const text = memberInHead(head.subarray(head.indexOf('{')).toString('latin1'), 'writeKey')
  return text?.slice(1, -1)
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
