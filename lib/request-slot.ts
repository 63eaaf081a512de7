import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INTERNAL_ERROR } from './errors.js'

export interface RequestSlot<Value extends object> {
  /** Returns the value, or `null` before `set`. */
  get (request: FastifyRequest): Value | null
  /** Returns the value that an earlier hook must have set. Throws `INTERNAL_ERROR` without a value. */
  need (request: FastifyRequest): Value
  set (request: FastifyRequest, value: Value): void
}

/**
 * Reserves a private property for one value on each request of the scope. A WeakMap would need a table that grows with
 * the requests until the next full garbage collection.
 */
export function requestSlot<Value extends object> (scope: FastifyInstance): RequestSlot<Value> {
  const key: unique symbol = Symbol('gatehouse slot')
  type Holder = FastifyRequest & { [key]: Value | null }
  scope.decorateRequest(key, null)
  return {
    get: (request) => (request as Holder)[key],
    need (request) {
      const value = (request as Holder)[key]
      if (value === null) throw new INTERNAL_ERROR({ reason: 'a required hook did not run' })
      return value
    },
    set: (request, value) => { (request as Holder)[key] = value }
  }
}
