import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_JSON, INVALID_PIPELINE_KEY, INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import { unsupported } from '../../../lib/http/media-type.js'
import { collectBody } from '../../../lib/http/raw-body.js'
import { jsonProblem } from '../../../lib/json/problem.js'
import { countMembers, memberInHead, mostMembers } from '../../../lib/json/scan.js'
import type { Boundaries, ScanLimits } from '../../../lib/json/scan.js'
import { codingOf, inflateThen } from './inflate.js'

export interface JsonRules {
  /** Maximum size of a body, in bytes, both as sent and decompressed. */
  bodyLimit: number
  /** Maximum size of the JSON, in bytes; a longer text is refused before it is parsed. Default: `bodyLimit`. */
  parseLimit?: number
  /** Maximum decompressed size, in bytes, while the source is unknown. Default: `bodyLimit`. */
  keylessLimit?: number
  /** Creates the error for a body above a limit. */
  tooLarge: () => GatehouseError
  /** Limits of the JSON structure; a text above them is refused before it is parsed. */
  limits: ScanLimits
  /**
   * Checks the parsed value before the schema does, and throws the error. `members` is the number of members in the
   * text, or an upper bound for a short text.
   */
  check: (value: unknown, json: string, members: number) => void
  /** Whether `writeKey` in the body may be the request's pipeline key. */
  keyInBody: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as JSON text, on the ingestion routes only. Events are stored as slices of it. */
    rawJson: string
    /** An upper bound for the number of members in `rawJson`. */
    jsonMembers: number
    /** Where the events of a batch begin and end in `rawJson`; `null` for other bodies and for a short batch. */
    jsonBoundaries: Boundaries | null
    /** The error of an invalid body that contains a pipeline key. The guard throws it after it has found the source. */
    jsonError: GatehouseError | null
    /** The decompressed bytes of a body that is not valid; `null` for other bodies. */
    invalidBody: Buffer | null
  }
}

const BYTE_ORDER_MARK = 0xfeff
const KEY_MEMBER = /"writeKey"\s*:\s*"(dk_(?:live|test)_[A-Za-z0-9_-]{6,128})"/
const CHARSET = /charset\s*=\s*"?([^";]*)/gi
/** Characters. A shorter text takes less time to parse than to count. */
const SHORT_BODY = 4_096
/** Limits of a whole batch. They only bound the time to parse; the lower limits of an event are checked per event. */
export const BATCH_SCAN_LIMITS: Omit<ScanLimits, 'eventLevel'> = {
  depth: 1_000,
  values: 100_000,
  members: 50_000,
  eventMembers: 20_000,
  outerMembers: 10_000
}

/**
 * Adds the body parsers of a scope: JSON in strict UTF-8, plain or compressed, as `application/json`, `text/plain` or
 * without a Content-Type (beacons). Also accepts gzip with the type of a form, which RudderStack's SDK sends. Refuses
 * other types with `UNSUPPORTED_MEDIA_TYPE`, and skips a byte order mark.
 */
export function addJsonParsers (scope: FastifyInstance, rules: JsonRules): void {
  const keylessLimit = Math.min(rules.keylessLimit ?? rules.bodyLimit, rules.bodyLimit)
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(['application/json', 'text/plain'], parseJson)
  scope.addContentTypeParser('application/x-www-form-urlencoded', function parseGzip (request, payload, done) {
    if (codingOf(request.headers['content-encoding']) === 'gzip') parseJson(request, payload, done)
    else done(unsupported('type'))
  })
  scope.addContentTypeParser('*', function parseTypeless (request, payload, done) {
    if (request.headers['content-type'] === undefined) parseJson(request, payload, done)
    else done(unsupported('type'))
  })

  function parseJson (
    request: FastifyRequest,
    payload: IncomingMessage,
    done: (error: Error | null, body?: unknown) => void
  ): void {
    const { headers, signedBody } = request
    const coding = codingOf(headers['content-encoding'])
    if (coding === null) return done(unsupported('encoding'))
    if (!isUnicode(headers['content-type'] ?? '')) return done(unsupported('charset'))
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
        request.invalidBody = bytes
        return done(thrown as GatehouseError)
      }
      done(null, body)
    }
  }
}

function parse (request: FastifyRequest, bytes: Buffer, rules: JsonRules): unknown {
  try {
    const json = decodeUtf8(bytes)
    const { value, members, boundaries } = parseText(json, bytes.length, rules)
    request.rawJson = json
    request.jsonMembers = members
    request.jsonBoundaries = boundaries
    return value
  } catch (thrown) {
    if (!rules.keyInBody || request.resolvedSource !== null) throw thrown
    // A key is ASCII, so latin1 finds it in a body with another encoding too.
    request.invalidBody = bytes
    return keyOnlyBody(request, bytes.toString('latin1'), thrown as GatehouseError)
  }
}

function decodeUtf8 (bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new INVALID_JSON({ reason: 'the body is not UTF-8' })
  const json = bytes.toString('utf8')
  return json.charCodeAt(0) === BYTE_ORDER_MARK ? json.slice(1) : json
}

export interface ParsedText {
  value: unknown
  /** An upper bound of the number of properties. */
  members: number
  /** As in `jsonBoundaries` of a request. */
  boundaries: Boundaries | null
}

/** Parses a body. Throws the error of the client. */
export function parseText (
  json: string,
  bytes: number,
  { limits, parseLimit = Infinity, tooLarge, check }: JsonRules
): ParsedText {
  const isShort = json.length <= SHORT_BODY
  const boundaries = isShort || limits.eventLevel === 0 ? null : { at: [], members: [] }
  const members = isShort ? mostMembers(json) : countMembers(json, limits, boundaries)
  if (members === -1) throw new INVALID_REQUEST({ message: 'The JSON is nested too deep or has too many properties' })
  if (bytes > parseLimit) throw tooLarge()
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new INVALID_JSON({ reason: jsonProblem(error) })
  }
  check(value, json, members)
  return { value, members, boundaries }
}

/** Returns the pipeline key in the first bytes of an uncompressed body; `undefined` if it is not there. */
export function keyInHead (head: Buffer, { headers }: FastifyRequest): string | undefined {
  if (codingOf(headers['content-encoding']) !== 'identity') return undefined
  // A key is ASCII; latin1 accepts a last character that is cut.
  const json = memberInHead(head.subarray(head.indexOf('{')).toString('latin1'), 'writeKey')
  return json?.slice(1, -1)
}

/**
 * Returns only the pipeline key of an invalid body, so that the guard can find the source before the client gets the
 * error. Without a key it throws the error itself if the JSON is not valid, else `INVALID_PIPELINE_KEY`.
 */
function keyOnlyBody (request: FastifyRequest, json: string, error: GatehouseError): unknown {
  const key = KEY_MEMBER.exec(json)?.[1]
  if (key === undefined) {
    throw error.code === 'INVALID_JSON'
      ? error
      : new INVALID_PIPELINE_KEY({ reason: `no key in the body; ${error.code}` })
  }
  request.jsonError = error
  return { writeKey: key }
}

function isUnicode (contentType: string): boolean {
  if (contentType === 'application/json') return true
  // Fastify reads a list of two types as the first type with a parameter.
  if (contentType.includes(',')) return false
  for (const [, charset = ''] of contentType.matchAll(CHARSET)) {
    if (!/^utf-?8$/i.test(charset.trim())) return false
  }
  return true
}
