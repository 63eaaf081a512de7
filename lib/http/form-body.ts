import type { FastifyInstance } from 'fastify'

import { INVALID_REQUEST } from '../errors.js'
import { unsupported } from './media-type.js'

/**
 * Makes a scope accept only `application/x-www-form-urlencoded`, as an object of strings. A content encoding is 415
 * `UNSUPPORTED_MEDIA_TYPE`. A repeated name is 400 `INVALID_REQUEST`, because two readers may read two values.
 */
export function useFormBody (scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    function parseForm (request, body, done) {
      if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') return done(unsupported('encoding'))
      const fields = new URLSearchParams(body)
      const form = new Map(fields)
      if (form.size !== fields.size) return done(new INVALID_REQUEST({ reason: 'the form repeats a name' }))
      done(null, Object.fromEntries(form))
    }
  )
}
