import type { FastifyInstance } from 'fastify'

import { isReadable } from '../../../../contracts/event-sink.js'
import type { ReadableEventSink } from '../../../../contracts/event-sink.js'
import { NOT_FOUND } from '../../../../lib/errors.js'

/** Returns the sink of the server. Throws `NOT_FOUND` if its events cannot be read. */
export function readableSink (scope: FastifyInstance): ReadableEventSink {
  const sink = scope.hasDecorator('eventSink') ? scope.eventSink : null
  if (sink === null || !isReadable(sink)) {
    throw new NOT_FOUND({ message: 'This server does not store events; read them in the system that receives them' })
  }
  return sink
}
