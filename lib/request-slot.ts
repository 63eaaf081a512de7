import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INTERNAL_ERROR } from './errors.js'

export interface RequestSlot<Value extends object> {
  /** `null` as long as nothing was set. */
  get (request: FastifyRequest): Value | null
  /** For what a hook must have set by then; `INTERNAL_ERROR` if it has not. */
  need (request: FastifyRequest): Value
  set (request: FastifyRequest, value: Value): void
}

/**
 * A place for one value on each request of the scope, which nobody else can name. A WeakMap would do the same at the price of a table that grows
 * with the requests until the next full garbage collection.
 */
export function requestSlot<Value extends object> (scope: FastifyInstance): RequestSlot<Value> {
  const key: unique symbol = Symbol('gatehouse slot')
  type Holder = FastifyRequest & { [key]: Value | null }
  scope.decorateRequest(key, null)
  return {
    get: (request) => (request as Holder)[key],
    need (request) {
      const value = (request as Holder)[key]
      if (value === null) throw new INTERNAL_ERROR({ reason: 'a hook that every request goes through was left out' })
      return value
    },
    set: (request, value) => { (request as Holder)[key] = value }
  }
}
