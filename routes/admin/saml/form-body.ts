import type { FastifyInstance } from 'fastify'

import { INVALID_REQUEST } from '../../../lib/errors.js'

/**
 * Accepts forms (`application/x-www-form-urlencoded`) as bodies, and no other media type. A repeated field is refused,
 * because two readers may read two values.
 */
export function useFormBody (scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    function parseForm (_request, body, done) {
      const fields = new URLSearchParams(body)
      const form = Object.fromEntries(fields)
      if (Object.keys(form).length === fields.size) done(null, form)
      else done(new INVALID_REQUEST({ reason: 'a field of the form is repeated' }))
    }
  )
}
