import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_JSON } from '../errors.js'
import { unsupported } from '../http/media-type.js'
import { countProperties } from './limits.js'
import { countMembers } from './scan.js'
import { assertUnrepeated, knownMembersOf } from './known-members.js'

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i
const DEPTH = 64

export interface JsonBodyOptions {
  /** Accepted media types. Default: `application/json`. */
  mediaTypes?: string[]
  /**
   * Maximum number of properties and elements of a body. Default: 1 000, more than a valid body of most routes has.
   */
  values?: number
}

/**
 * Makes a scope accept only `application/json`, or `mediaTypes`, in strict UTF-8. Another media type, charset or
 * content encoding is 415 `UNSUPPORTED_MEDIA_TYPE`. Invalid UTF-8, invalid JSON, a `__proto__` property, more than 64
 * levels or more than `values` properties and elements are 400 `INVALID_JSON`. A repeated property that the route's
 * schema names is 400 `INVALID_REQUEST`.
 *
 * Fastify's own parser replaces invalid bytes by U+FFFD, reads UTF-16 as UTF-8, and accepts `text/plain`, which a page
 * of another site can send without a preflight.
 */
export function useJsonBody (
  scope: FastifyInstance,
  { mediaTypes = ['application/json'], values = 1_000 }: JsonBodyOptions = {}
): void {
  const limits = {
    depth: DEPTH,
    values,
    members: values,
    eventMembers: Infinity,
    outerMembers: Infinity,
    eventLevel: 0
  }
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser<Buffer>(
    mediaTypes,
    { parseAs: 'buffer' },
    function parseJson (request, body, done) {
      const charset = CHARSET.exec(request.headers['content-type'] ?? '')?.[1]?.toLowerCase()
      if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') return done(unsupported('charset'))
      if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') return done(unsupported('encoding'))
      let json: string
      try {
        json = utf8.decode(body)
      } catch (cause) {
        return done(new INVALID_JSON({ reason: 'the body is not UTF-8', cause }))
      }
      const members = countMembers(json, limits)
      if (members === -1) {
        return done(new INVALID_JSON({ message: 'The JSON is nested too deep or has too many properties' }))
      }
      parse(request, json, function checkMembers (error: Error | null, value?: unknown) {
        done(error ?? validateBody(request, json, value, { members, values }), value)
      })
    }
  )
}

function validateBody (
  { routeOptions }: FastifyRequest,
  json: string,
  value: unknown,
  { members, values }: { members: number, values: number }
): Error | null {
  const schema = routeOptions.schema?.body
  try {
    const counted = countProperties(value, { depth: DEPTH, properties: values })
    if (members > counted && typeof schema === 'object' && schema !== null) {
      assertUnrepeated(json, knownMembersOf(schema))
    }
    return null
  } catch (error) {
    return error as Error
  }
}
