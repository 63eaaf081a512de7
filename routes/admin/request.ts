import type { onRequestHookHandler, preValidationHookHandler } from 'fastify'

import { NOT_FOUND } from '../../lib/errors.js'

const ID = /^[A-Za-z0-9_-]{1,64}$/

/** The id in a path; what can be none is 404, as an id that nothing has. */
export function idOf (params: unknown, name = 'id'): string {
  const { [name]: id = '' } = params as Record<string, string>
  if (!ID.test(id)) throw new NOT_FOUND()
  return id
}

/** Many clients name a media type even where they send nothing; then there is nothing to parse. */
const forgetMediaType: onRequestHookHandler = function forgetMediaType ({ headers }, _reply, done) {
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') delete headers['content-type']
  done()
}

const emptyObject: preValidationHookHandler = function emptyObject (request, _reply, done) {
  if (request.body === undefined) request.body = {}
  done()
}

/** Route options with which a POST needs no body, and none is read as `{}`. */
export const optionalBody = { onRequest: forgetMediaType, preValidation: emptyObject }
