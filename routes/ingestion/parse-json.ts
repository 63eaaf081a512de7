import { isUtf8 } from 'node:buffer'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_JSON, INVALID_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE } from '../../plugins/errors.js'
import type { GatehouseError } from '../../plugins/errors.js'
import { collectBody } from '../../plugins/raw-body.js'
import { nestsDeeper } from './json-text.js'

export interface JsonRules {
  /** Bytes that are read of a body. */
  bodyLimit: number
  /** What a longer one is answered with. */
  tooLarge: () => GatehouseError
  /** Looks at what was parsed, before any schema; throws. */
  check: (value: unknown, bytes: number) => void
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as text, of which parts are stored as they came; on the ingestion routes alone. */
    jsonText: string
  }
}

const CHARSET = /charset\s*=\s*"?([^";]*)/gi
/** Shorter texts can't nest deep enough to hold JSON.parse up, which takes most of a second for some megabytes of brackets. */
const SHORT = 4_096
/** Far more than any event may have: the exact limit is for `check`, event by event. */
const HOPELESS_DEPTH = 1_000

/** Makes a scope read JSON in strict UTF-8, as `application/json` or `text/plain` (what a beacon sends), and nothing else. */
export function useJsonText (scope: FastifyInstance, rules: JsonRules): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(['application/json', 'text/plain'], function parseJson (request, payload, done) {
    const { headers, rawBody } = request
    if (!isUnicode(headers['content-type'] ?? '') || (headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
      done(new UNSUPPORTED_MEDIA_TYPE())
    } else if (rawBody !== null) {
      finish(request, rawBody)
    } else {
      collectBody(payload, headers, rules.bodyLimit, (error, bytes) => {
        if (error === null) finish(request, bytes)
        else done(error instanceof PAYLOAD_TOO_LARGE ? rules.tooLarge() : error)
      })
    }

    function finish (request: FastifyRequest, bytes: Buffer): void {
      let body: unknown
      try {
        body = parse(request, bytes, rules.check)
      } catch (error) {
        return done(error as GatehouseError)
      }
      done(null, body)
    }
  })
}

function parse (request: FastifyRequest, bytes: Buffer, check: JsonRules['check']): unknown {
  if (!isUtf8(bytes)) throw new INVALID_JSON({ reason: 'not UTF-8' })
  const text = bytes.toString('utf8')
  if (text.length > SHORT && nestsDeeper(text, HOPELESS_DEPTH)) throw new INVALID_REQUEST({ message: 'The JSON is nested too deep' })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // V8's message quotes the body, so it goes nowhere.
    throw new INVALID_JSON()
  }
  check(value, bytes.length)
  request.jsonText = text
  return value
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
