import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

// Symbol.for, so that two copies of the package in one process share the property.
const SENT_BODY: unique symbol = Symbol.for('fastify-gatehouse.sentBody') as never

type Done = (error: null, payload: unknown) => void
type Handler = RouteOptions['handler']

/** A reply with the body that the suite sent; `undefined` on routes of the host. */
type ProtectedReply = FastifyReply & { [SENT_BODY]?: string }

/**
 * Protects the response bodies of a scope's routes from hooks of the host. The handler's object is serialised by the
 * route's response schema before Fastify receives it, so a host's `preSerialization` hook and reply serializer do not
 * apply. Changes of a host's `onSend` hook to the string are undone; streams and buffers, such as those of
 * `@fastify/compress`, are kept.
 */
export function protectReplies (scope: FastifyInstance): void {
  if (!scope.hasReplyDecorator(SENT_BODY)) scope.decorateReply(SENT_BODY, '')
  scope.addHook('onRoute', function protectRoute (route) {
    route.handler = serializing(route.handler)
    // Hooks of a route run after the hooks of all scopes.
    route.onSend = [...[route.onSend ?? []].flat(), restoreBody]
  })
}

/** Sends a string. On a route of the suite, hooks of the host cannot change it. */
export function sendProtected (reply: FastifyReply, body: string): FastifyReply {
  const protectedReply = reply as ProtectedReply
  if (protectedReply[SENT_BODY] !== undefined) protectedReply[SENT_BODY] = body
  return reply.send(body)
}

function serializing (handler: Handler): Handler {
  return function serializingHandler (request, reply) {
    const result: unknown = handler.call(this, request, reply)
    return result instanceof Promise
      ? result.then((result: unknown) => serializeResult(result, reply))
      : serializeResult(result, reply)
  }
}

/** Returns the JSON of a plain object; any other value, including the reply, is returned unchanged. */
function serializeResult (result: unknown, reply: FastifyReply): unknown {
  if (
    typeof result !== 'object' || result === null || result === reply ||
    Object.getPrototypeOf(result) !== Object.prototype
  ) return result
  const serialize: unknown = reply.getSerializationFunction(String(reply.statusCode))
  const body = typeof serialize === 'function' ? String(serialize(result)) : JSON.stringify(result)
  if (!reply.hasHeader('content-type')) reply.type('application/json; charset=utf-8')
  ;(reply as ProtectedReply)[SENT_BODY] = body
  return body
}

function restoreBody (_request: FastifyRequest, reply: ProtectedReply, payload: unknown, done: Done): void {
  const { [SENT_BODY]: sent = '' } = reply
  if (typeof payload !== 'string' || sent === '' || payload === sent) return done(null, payload)
  reply.removeHeader('content-length')
  done(null, sent)
}
