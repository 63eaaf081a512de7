import type { FastifyInstance, FastifyRequest } from 'fastify'

export interface RequestSlot<Value extends object> {
  /** `null` as long as nothing was set. */
  get (request: FastifyRequest): Value | null
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
    set: (request, value) => { (request as Holder)[key] = value }
  }
}
