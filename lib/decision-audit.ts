import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { CHANNELS } from './channels.js'
import type { MintProduct } from './channels.js'
import { refusedOutcome } from './counts/outcomes.js'
import { refusalCode } from './refusal-log/index.js'
import { toPublicError } from './refuse.js'
import { requestSlot } from './request-slot.js'
import { upstreamOutcome } from './upstream-client/refusal.js'

export interface DecisionAuditOptions {
  /** The action of a granted request; `null`: granted requests are not audited. */
  granted: string | null
  /** The action of a refused request. */
  refused: string
  resourceType: string
  /** The product of the credential, for metrics. */
  product: MintProduct
  /** Returns whether a request was refused. Default: it was refused unless its decision has a `resourceId`. */
  isRefused?: (decision: Decision, request: FastifyRequest, reply: FastifyReply) => boolean
}

/** The decision on one request. Guards and the route fill it in. */
export interface Decision {
  userId: string | null
  userEmail: string | null
  /**
   * The resource that a known user requested, for the audit entry of a refusal. `null` for an unknown user, so that
   * unauthenticated callers cannot write strings into the audit log.
   */
  requested: string | null
  /** A digest of the issued token; `null` before a token is issued. */
  resourceId: string | null
  /** Whether the call was forwarded and the upstream has responded, or the caller has disconnected before. */
  isForwarded: boolean
  error: string | null
  details: Record<string, unknown>
}

/**
 * Audits each request of the scope once, when its response is sent: grants of the route, and refusals of guards, rate
 * limits and the route; preflights are not audited. Counts the decisions by product and outcome. Returns a function
 * that returns the decision of a request, which the route fills in. Requires `app.audit`.
 */
export function auditDecisions (
  scope: FastifyInstance,
  { granted, refused, resourceType, product, isRefused = handedOutNothing }: DecisionAuditOptions
): (request: FastifyRequest) => Decision {
  const decisions = requestSlot<Decision>(scope)

  // A host may decorate its own `audit`, without a token store.
  const counts = scope.hasDecorator('outcomeCounts') ? scope.outcomeCounts : null

  /** Returns the organisation of the audit entry. */
  function organisationOf (request: FastifyRequest): string {
    return (request as { admin?: { org_id: string } | null }).admin?.org_id ?? scope.auditOrg ?? 'default'
  }

  function decisionOf (request: FastifyRequest): Decision {
    const known = decisions.get(request)
    if (known !== null) return known
    const decision: Decision = {
      userId: null,
      userEmail: null,
      requested: null,
      resourceId: null,
      isForwarded: false,
      error: null,
      details: {}
    }
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

  // Not onResponse, which does not come for a caller that has hung up; what was minted for it is a decision like any
  // other.
  scope.addHook('onSend', function auditDecision (request, reply, payload, done) {
    if (request.method === 'OPTIONS') return done(null, payload)
    const decision = decisionOf(request)
    const { userId, userEmail, requested, resourceId, error, details } = decision
    const action = isRefused(decision, request, reply) ? refused : granted
    const outcome = action === refused ? 'refused' : details['cached'] === true ? 'cached' : 'minted'
    if (CHANNELS.mint.hasSubscribers) CHANNELS.mint.publish({ request, product, outcome })
    const counted = outcome === 'refused' ? refusedOutcome(error ?? refusalCode(reply) ?? '') : outcome
    counts?.add('embed', organisationOf(request), product, counted)
    if (action === null) return done(null, payload)
    // A guard answers by itself, so that only the status says what it decided. A copy of the details with one more
    // property takes 0.6 µs.
    details['outcome'] = action === granted ? 'granted' : error ?? String(reply.statusCode)
    scope.audit({
      action,
      request,
      userId,
      userEmail,
      resourceType,
      resourceId: resourceId ?? requested ?? undefined,
      changes: details,
      refusal: action === refused,
      repeatable: action === granted && details['cached'] === true
    })
    done(null, payload)
  })

  return decisionOf
}

function handedOutNothing ({ resourceId }: Decision): boolean {
  return resourceId === null
}
