import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

// By Symbol.for, so that two copies of the package in one tree share it.
const OWN: unique symbol = Symbol.for('fastify-gatehouse.ownReply') as never

type Done = (error: null, payload: unknown) => void
type Handler = RouteOptions['handler']

/** A reply with the body that the suite sent; `undefined` on the routes of a host. */
type OwnReply = FastifyReply & { [OWN]?: string }

/**
 * Keeps the bodies of a scope's routes as the suite makes them. A host's `preSerialization` hook and reply serializer, which would wrap or replace
 * them, are not used: the handler's object is serialized by the route's response schema before Fastify gets it. What a host's `onSend` hook makes of
 * the text is undone; streams and buffers, such as those of `@fastify/compress`, pass.
 */
export function keepOwnReplies (scope: FastifyInstance): void {
  if (!scope.hasReplyDecorator(OWN)) scope.decorateReply(OWN, '')
  scope.addHook('onRoute', function serializeOwn (route) {
    route.handler = serializing(route.handler)
    // The hooks of a route run after those of all scopes.
    route.onSend = [...[route.onSend ?? []].flat(), restoreOwn]
  })
}

/** Sends a text; on a route of the suite it stays as it is, whatever the hooks of a host do. */
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

/** The JSON of a plain object; anything else, the reply included, as it is. */
function textOf (answer: unknown, reply: FastifyReply): unknown {
  if (typeof answer !== 'object' || answer === null || answer === reply || Object.getPrototypeOf(answer) !== Object.prototype) return answer
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
