import type { FastifyInstance } from 'fastify'

import { INVALID_JSON, UNSUPPORTED_MEDIA_TYPE } from './errors.js'

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i

/**
 * Makes a scope read `application/json` in strict UTF-8 and nothing else: another media type, charset or content encoding is 415
 * `UNSUPPORTED_MEDIA_TYPE`, bytes that are no UTF-8 or no JSON, or that name `__proto__`, are 400 `INVALID_JSON`.
 *
 * Fastify's own parser decodes wrong bytes to U+FFFD, reads UTF-16 as if it were UTF-8, and takes `text/plain`, which a foreign page
 * may send without a preflight.
 */
export function useJsonBody (scope: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  const parseText = scope.getDefaultJsonParser('error', 'error')
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, function parseJson (request, body, done) {
    const charset = CHARSET.exec(request.headers['content-type'] ?? '')?.[1]?.toLowerCase()
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') return done(new UNSUPPORTED_MEDIA_TYPE())
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') return done(new UNSUPPORTED_MEDIA_TYPE())
    let text: string
    try {
      text = utf8.decode(body)
    } catch (cause) {
      return done(new INVALID_JSON({ cause }))
    }
    parseText(request, text, done)
  })
}
