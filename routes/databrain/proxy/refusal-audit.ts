import type { FastifyInstance, FastifyRequest } from 'fastify'

import { toPublicError } from '../../../lib/refuse.js'
import { requestSlot } from '../../../lib/request-slot.js'
import { upstreamOutcome } from '../../../lib/upstream-client/refusal.js'
import { hasLeft } from './caller.js'

/** What a call came to, filled in on its way. */
export interface CallNotes {
  userId: string | null
  details: Record<string, unknown>
  error: string | null
  /** The upstream has answered, or was called for someone who has left: no refusal. */
  isForwarded: boolean
}

/** Audits each call of the scope that is refused, by whatever refused it, preflights aside. The function that it returns gives the notes of a call. */
export function auditRefusals (scope: FastifyInstance): (request: FastifyRequest) => CallNotes {
  const notes = requestSlot<CallNotes>(scope)

  function notesOf (request: FastifyRequest): CallNotes {
    const known = notes.get(request)
    if (known !== null) return known
    const fresh: CallNotes = { userId: null, details: {}, error: null, isForwarded: false }
    notes.set(request, fresh)
    return fresh
  }

  // A socket that has gone says whose it was only if it was asked before.
  scope.addHook('onRequest', function askAddress ({ ip: _known }, _reply, done) {
    done()
  })

  scope.addHook('onError', function noteError (request, _reply, error, done) {
    const { code, upstream } = toPublicError(error)
    const known = notesOf(request)
    known.error = code
    Object.assign(known.details, upstreamOutcome(upstream))
    done()
  })

  scope.addHook('onSend', function auditRefusal (request, reply, payload, done) {
    const { userId, details, error, isForwarded } = notesOf(request)
    // Who leaves in the middle of a call breaks it off and is refused nothing.
    const isRefused = !isForwarded || (error !== null && !hasLeft(request, reply))
    if (request.method !== 'OPTIONS' && isRefused) {
      scope.audit({
        action: 'databrain_proxy.refused', request, userId, resourceType: 'guest_token', changes: { ...details, outcome: error ?? String(reply.statusCode) }, refusal: true
      })
    }
    done(null, payload)
  })

  return notesOf
}
