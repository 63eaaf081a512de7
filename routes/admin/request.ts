import type { onRequestHookHandler, preValidationHookHandler } from 'fastify'

import { NOT_FOUND } from '../../lib/errors.js'

const ID = /^[A-Za-z0-9_-]{1,64}$/

/** Returns the id in the path of a request. Throws `NOT_FOUND` for a malformed id, as for an unknown id. */
export function idOf (params: unknown, name = 'id'): string {
  const { [name]: id = '' } = params as Record<string, string>
  if (!ID.test(id)) throw new NOT_FOUND()
  return id
}

// Many clients send a Content-Type without a body, which Fastify would refuse.
const removeContentType: onRequestHookHandler = function removeContentType ({ headers }, _reply, done) {
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') {
    delete headers['content-type']
  }
  done()
}

const defaultToEmptyObject: preValidationHookHandler = function defaultToEmptyObject (request, _reply, done) {
  if (request.body === undefined) request.body = {}
  done()
}

/** Route options that make the body of a POST or DELETE optional. A missing body becomes `{}`. */
export const optionalBody = { onRequest: removeContentType, preValidation: defaultToEmptyObject }
