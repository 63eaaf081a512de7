import type { FastifyInstance, FastifyRequest } from 'fastify'

import { toPublicError } from './refuse.js'
import { requestSlot } from './request-slot.js'
import { upstreamOutcome } from './upstream-client/refusal.js'

export interface DecisionAuditOptions {
  /** The action of a request that got what it asked for. */
  granted: string
  /** The action of every other. */
  refused: string
  resourceType: string
}

/** What one request came to, filled in on its way. */
export interface Decision {
  userId: string | null
  userEmail: string | null
  /** What a known user asked for, where that has a name: the resource of a refusal. Of a stranger nothing is kept that the stranger chose. */
  asked: string | null
  /** What was handed out, by a digest; `null` as long as nothing was. */
  resourceId: string | null
  error: string | null
  details: Record<string, unknown>
}

/**
 * Audits each request of the scope once, as it is answered: what a route granted and what a guard, a rate limit or the route refused, preflights aside.
 * The function that it returns gives the decision of a request, for the route to fill in. Needs `app.audit`.
 */
export function auditDecisions (scope: FastifyInstance, { granted, refused, resourceType }: DecisionAuditOptions): (request: FastifyRequest) => Decision {
  const decisions = requestSlot<Decision>(scope)

  function decisionOf (request: FastifyRequest): Decision {
    const known = decisions.get(request)
    if (known !== null) return known
    const decision: Decision = { userId: null, userEmail: null, asked: null, resourceId: null, error: null, details: {} }
    decisions.set(request, decision)
    return decision
  }

  scope.addHook('onError', function noteError (request, _reply, error, done) {
    const { code, upstream } = toPublicError(error)
    const decision = decisionOf(request)
    decision.error = code
    Object.assign(decision.details, upstreamOutcome(upstream))
    done()
  })

  // Not onResponse, which does not come for a caller that has hung up; what was minted for it is a decision like any other.
  scope.addHook('onSend', function auditDecision (request, { statusCode }, payload, done) {
    if (request.method === 'OPTIONS') return done(null, payload)
    const { userId, userEmail, asked, resourceId, error, details } = decisionOf(request)
    const isGranted = resourceId !== null
    // A guard answers by itself, so that only the status says what it decided.
    const outcome = isGranted ? 'granted' : error ?? String(statusCode)
    scope.audit({
      action: isGranted ? granted : refused,
      request,
      userId,
      userEmail,
      resourceType,
      resourceId: resourceId ?? asked ?? undefined,
      changes: { ...details, outcome },
      refusal: !isGranted
    })
    done(null, payload)
  })

  return decisionOf
}
