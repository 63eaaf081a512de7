import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { toPublicError } from './refuse.js'
import { requestSlot } from './request-slot.js'
import { upstreamOutcome } from './upstream-client/refusal.js'

export interface DecisionAuditOptions {
  /** The action of a granted request; `null`: granted requests are not audited. */
  granted: string | null
  /** The action of a refused request. */
  refused: string
  resourceType: string
  /** Whether an answered request was refused. Default: unless its decision names what was handed out. */
  isRefused?: (decision: Decision, request: FastifyRequest, reply: FastifyReply) => boolean
}

/** What one request came to, filled in on its way. */
export interface Decision {
  userId: string | null
  userEmail: string | null
  /** What a known user asked for, where that has a name: the resource of a refusal. Of a stranger nothing is kept that the stranger chose. */
  asked: string | null
  /** What was handed out, by a digest; `null` as long as nothing was. */
  resourceId: string | null
  /** The upstream has answered a call that was forwarded to it, or the caller has left before. */
  isForwarded: boolean
  error: string | null
  details: Record<string, unknown>
}

/**
 * Audits each request of the scope once, as it is answered: what a route granted and what a guard, a rate limit or the route refused, preflights aside.
 * The function that it returns gives the decision of a request, for the route to fill in. Needs `app.audit`.
 */
export function auditDecisions (
  scope: FastifyInstance, { granted, refused, resourceType, isRefused = handedOutNothing }: DecisionAuditOptions
): (request: FastifyRequest) => Decision {
  const decisions = requestSlot<Decision>(scope)

  function decisionOf (request: FastifyRequest): Decision {
    const known = decisions.get(request)
    if (known !== null) return known
    const decision: Decision = { userId: null, userEmail: null, asked: null, resourceId: null, isForwarded: false, error: null, details: {} }
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
  scope.addHook('onSend', function auditDecision (request, reply, payload, done) {
    if (request.method === 'OPTIONS') return done(null, payload)
    const decision = decisionOf(request)
    const { userId, userEmail, asked, resourceId, error, details } = decision
    const action = isRefused(decision, request, reply) ? refused : granted
    if (action === null) return done(null, payload)
    // A guard answers by itself, so that only the status says what it decided.
    const outcome = action === granted ? 'granted' : error ?? String(reply.statusCode)
    scope.audit({
      action,
      request,
      userId,
      userEmail,
      resourceType,
      resourceId: resourceId ?? asked ?? undefined,
      changes: { ...details, outcome },
      refusal: action === refused
    })
    done(null, payload)
  })

  return decisionOf
}

function handedOutNothing ({ resourceId }: Decision): boolean {
  return resourceId === null
}
