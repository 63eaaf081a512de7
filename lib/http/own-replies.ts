import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

// Symbol.for, so that two copies of the package in one process share the property.
const OWN: unique symbol = Symbol.for('fastify-gatehouse.ownReply') as never

type Done = (error: null, payload: unknown) => void
type Handler = RouteOptions['handler']

/** A reply with the body that the suite sent; `undefined` on routes of the host. */
type OwnReply = FastifyReply & { [OWN]?: string }

/**
 * Protects the response bodies of a scope's routes from hooks of the host. The handler's object is serialised by the
 * route's response schema before Fastify receives it, so a host's `preSerialization` hook and reply serializer do not
 * apply. Changes of a host's `onSend` hook to the string are undone; streams and buffers, such as those of
 * `@fastify/compress`, are kept.
 */
export function keepOwnReplies (scope: FastifyInstance): void {
  if (!scope.hasReplyDecorator(OWN)) scope.decorateReply(OWN, '')
  scope.addHook('onRoute', function serializeOwn (route) {
    route.handler = serializing(route.handler)
    // Hooks of a route run after the hooks of all scopes.
    route.onSend = [...[route.onSend ?? []].flat(), restoreOwn]
  })
}

/** Sends a string. On a route of the suite, hooks of the host cannot change it. */
export function sendOwn (reply: FastifyReply, text: string): FastifyReply {
  const own = reply as OwnReply
  if (own[OWN] !== undefined) own[OWN] = text
  return reply.send(text)
}

function serializing (handler: Handler): Handler {
  return function answerOwn (request, reply) {
    const answer: unknown = handler.call(this, request, reply)
    return answer instanceof Promise ? answer.then((answer: unknown) => textOf(answer, reply)) : textOf(answer, reply)
  }
}

/** Returns the JSON of a plain object; any other value, including the reply, is returned unchanged. */
function textOf (answer: unknown, reply: FastifyReply): unknown {
  if (
    typeof answer !== 'object' || answer === null || answer === reply ||
    Object.getPrototypeOf(answer) !== Object.prototype
  ) return answer
  const serialize: unknown = reply.getSerializationFunction(String(reply.statusCode))
  const text = typeof serialize === 'function' ? String(serialize(answer)) : JSON.stringify(answer)
  if (!reply.hasHeader('content-type')) reply.type('application/json; charset=utf-8')
  ;(reply as OwnReply)[OWN] = text
  return text
}

function restoreOwn (_request: FastifyRequest, reply: OwnReply, payload: unknown, done: Done): void {
  const { [OWN]: own = '' } = reply
  if (typeof payload !== 'string' || own === '' || payload === own) return done(null, payload)
  reply.removeHeader('content-length')
  done(null, own)
}
