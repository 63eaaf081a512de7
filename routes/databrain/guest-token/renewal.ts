import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { auditDecisions } from '../../../lib/decision-audit.js'
import { rateKeyOf, refuseRevokedGrant } from '../../../plugins/embed-revocation.js'
import { INTERNAL_ERROR } from '../../../lib/errors.js'
import { hasGuard } from '../../../lib/guard/index.js'
import { optionalUserGuards } from '../../../lib/guard/user-guards.js'
import { signedUsers } from '../../../lib/signed-users.js'
import { authorizeByHost } from '../../../lib/authorize.js'
import { limitRate, named } from '../../../lib/limits/rate-limit.js'
import { requestSlot } from '../../../lib/request-slot.js'
import { routeScope } from '../../../lib/http/route-scope.js'
import { proxyAuthUrlSchema } from '../../../schemas/guest-token.js'
import type { ProxyAuthUrlReply } from '../../../schemas/guest-token.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { UserReferenceClaims } from '../../../signing/user-reference.js'
import { proxyAuthUrl } from './page-config.js'
import { checkedRenewalGrant } from './renewal-options.js'
import type { CheckedRenewal, CheckedRenewalGrant } from './renewal-options.js'

type References = FastifyInstance['userReference']

export interface RenewalParts {
  prefix: string
  now: () => number
  /** Whether the guest-token route uses the `sub` of a reference as client id, and therefore as tenant. */
  isSubTenant: boolean
  /** Returns the decorator that signs references with the keys of the guest-token route. */
  referencesOf(scope: FastifyInstance): Promise<References>
}

/** Share of a reference's lifetime after which a page fetches the next reference. */
const REFRESH_AFTER = 0.8

/**
 * Registers the endpoint that returns the next `proxyAuthUrl` of an open page. It identifies the user by the host's
 * session and refuses a session that began before a revocation, so that a reference cannot extend itself.
 */
export async function renewalRoute (app: FastifyInstance, options: CheckedRenewal, parts: RenewalParts): Promise<void> {
  const { url, path, authorize, cors, rateLimit, userRateLimit, guards } = options
  const { prefix, now, isSubTenant } = parts

  await routeScope(app, { prefix, rateLimit: named(rateLimit, `${path}-address`), cors }, async (scope) => {
    const decisionOf = auditDecisions(scope, {
      granted: 'user_reference.renewed',
      refused: 'user_reference.refused',
      resourceType: 'user_reference',
      product: 'user_reference'
    })
    const grants = requestSlot<CheckedRenewalGrant>(scope)
    const references = await parts.referencesOf(scope)

    scope.addHook('preHandler', async function identifyUser (request) {
      const granted = await authorizeByHost(() => authorize(request))
      const grant = checkedRenewalGrant(granted, signedUsers(request), now(), isSubTenant)
      const decision = decisionOf(request)
      decision.userId = grant.user
      decision.details['tenant'] = grant.tenant
      await refuseRevokedGrant(app, grant.revocable)
      grants.set(request, grant)
    })
    const userLimit = named(userRateLimit, `${path}-user`)
    const byUser = { keyGenerator: (request: FastifyRequest) => rateKeyOf(grants.need(request)) }
    await limitRate(scope, userLimit === false ? false : { ...byUser, ...userLimit, hook: 'preHandler' })

    // Only DataBrain's servers have the proxy key, and a reference must not renew itself.
    const otherGuards = {
      ...optionalUserGuards(scope),
      ...Object.fromEntries(
        (['proxyKey', 'userReference'] as const).filter((name) => hasGuard(scope, name)).map((name) => [name, false])
      )
    }
    scope.get(path, {
      schema: proxyAuthUrlSchema,
      // A HEAD request would sign a reference.
      exposeHeadRoute: false,
      config: { gatehouse: { ...otherGuards, ...guards } }
    }, sendUrl)

    function sendUrl (request: FastifyRequest, reply: FastifyReply): FastifyReply {
      const { claims } = grants.need(request)
      const reference = signReference(references, claims)
      decisionOf(request).resourceId = sha256Hex(reference).slice(0, 16)
      return reply.header('Cache-Control', 'no-store').send(replyOf(references, reference))
    }
  })

  function replyOf (references: References, reference: string): ProxyAuthUrlReply {
    const { iat, exp } = references.verify(reference) ?? throwNotVerifiable()
    return {
      proxyAuthUrl: proxyAuthUrl(url, reference),
      issuedAt: iso(iat),
      refreshAfter: iso(iat + (exp - iat) * REFRESH_AFTER),
      expiresAt: iso(exp)
    }
  }
}

function signReference (references: References, claims: UserReferenceClaims): string {
  try {
    return references.sign(claims)
  } catch (cause) {
    throw new INTERNAL_ERROR({ reason: 'the claims that "renewal.authorize" returned cannot be signed', cause })
  }
}

/** Throws if a rotation between the two calls has replaced the keys. */
function throwNotVerifiable (): never {
  throw new INTERNAL_ERROR({ reason: 'a reference that was just signed is not valid' })
}

function iso (time: number): string {
  return new Date(time).toISOString()
}
