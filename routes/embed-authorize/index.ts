import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../../plugins/audit-log/index.js'
import { auditDecisions } from '../../lib/decision-audit.js'
import type { Decision } from '../../lib/decision-audit.js'
import { refuseRevokedGrant } from '../../plugins/embed-revocation.js'
import { CONFLICT, FORBIDDEN, INVALID_REQUEST } from '../../lib/errors.js'
import { optionalUserGuards } from '../../lib/guard/user-guards.js'
import type { Step } from '../../lib/channels.js'
import { authorizeByHost } from '../../lib/authorize.js'
import { useJsonBody } from '../../lib/json/body.js'
import { sendProtected } from '../../lib/http/protected-replies.js'
import { named } from '../../lib/limits/rate-limit.js'
import { logRefusal, logUpstreamRefusal } from '../../lib/refusal-log/index.js'
import { toPublicError } from '../../lib/refuse.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { traced } from '../../lib/trace.js'
import { signedUsers } from '../../lib/signed-users.js'
import tokenStore from '../../plugins/token-store/index.js'
import { upstreamOutcome } from '../../lib/upstream-client/refusal.js'
import { embedAuthorizeSchema } from '../../schemas/embed-authorize.js'
import type { EmbedAuthorizeBody } from '../../schemas/embed-authorize.js'
import type { EmbedIdentity } from '../../signing/boldbi/identity.js'
import { buildEmbedQuery } from '../../signing/boldbi/signature.js'
import { auditedNames } from './dashboards.js'
import type { EmbedGrant } from './grant.js'
import { identityGrant } from './identity-grant.js'
import { checkedOptions } from './options.js'
import type { AuthorizeEmbed, EmbedAuthorizeOptions } from './options.js'
import { checkQuery } from './policy.js'
import type { CheckedQuery, EmbedDetails } from './policy.js'
import { revocableEmbed } from './revocable.js'
import { readEmbedReply, sdkRefusal } from './embed-reply.js'
import type { EmbedReply } from './embed-reply.js'
import { checkForObjects, embedServers, selectServer } from './servers.js'
import type { EmbedServer, EmbedServerOptions } from './servers.js'
import { embedCall } from './transport.js'
import type { EmbedTransport, GrantedEmbed } from './transport.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../plugins/audit-log/index.js'
export type {} from '../../plugins/identity-token/index.js'
export type {} from '../../plugins/token-store/index.js'
export type {} from '../../plugins/user-reference/index.js'

export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
export type { SecretSource } from '../../lib/secrets/secret-source.js'
export type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
export { identityGrant }
export type {
  AuthorizeEmbed, EmbedAuthorizeOptions, EmbedDetails, EmbedGrant, EmbedIdentity, EmbedServerOptions,
  EmbedTransport
}

type EmbedRequest = FastifyRequest<{ Body: EmbedAuthorizeBody }>

/** Time in which a nonce must not be repeated, in milliseconds. */
const NONCE_LIFETIME = 900_000
const MINT: Step = { kind: 'mint', name: 'boldbi' }
/** Statuses whose message the SDK would replace by the status text: refusals by policy and failures of the upstream. */
const HIDDEN_BY_SDK = new Set([403, 502, 504])

/**
 * Registers the authorization server of the Bold BI embed SDK, `POST /authorize`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(embedAuthorize, {
 *   servers: [{ apiUrl: 'https://bi.example.com/bi/api/site/site1', embedSecret: process.env.EMBED_SECRET }],
 *   authorize: (request) => request.session.user ? { email: request.session.user.email } : null
 * })
 */
const embedAuthorize: FastifyPluginAsync<EmbedAuthorizeOptions> = async (app, options) => {
  const settings = checkedOptions(options)
  const { authorize, path, modes, maxExpiration, maxDashboards, transport, maxUrlLength, pinboard } = settings
  const { errors, bodyLimit, rateLimit, guards, now } = settings
  const { connectTimeout, timeout, retries, ca, prefix, cors, secretMaxAge: maxAge } = options
  const servers = await embedServers(options.servers, { connectTimeout, timeout, retries, ca }, app, maxAge)
  if (transport === 'object') checkForObjects(servers, app.log)
  app.addHook('onClose', async function closeUpstreams () {
    await Promise.all([...servers.values()].map(({ upstream }) => upstream.close()))
  })
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)

  await routeScope(app, { prefix, rateLimit: named(rateLimit, path), cors }, async (scope) => {
    const decisionOf = auditDecisions(scope, {
      granted: 'embed.authorized',
      refused: 'embed.refused',
      resourceType: 'dashboard',
      product: 'boldbi'
    })
    const gatehouse = { ...optionalUserGuards(scope), ...guards }
    useJsonBody(scope)
    scope.post<{ Body: EmbedAuthorizeBody }>(
      path,
      { schema: embedAuthorizeSchema, bodyLimit, config: { gatehouse } },
      authorizeEmbed
    )

    async function authorizeEmbed (request: EmbedRequest, reply: FastifyReply): Promise<FastifyReply> {
      const decision = decisionOf(request)
      decision.userId = signedUsers(request)[0]?.sub ?? null
      const server = selectedServer(request.body)
      const time = Math.floor(now() / 1000)
      decision.details = { server: server.apiUrl }
      const checked = checkQuery(queryOf(request.body), server.apiUrl, { pinboard, maxExpiration, maxDashboards }, time)
      if (decision.userId !== null) decision.requested = auditedNames(checked.details.dashboards)
      try {
        const embed = await authorizedEmbed(request, checked, time, decision)
        const secret = await server.secret.get()
        const call = refuseUnsafe(() => embedCall(server, secret, embed, { transport, maxUrlLength }))
        const response = await traced(MINT, () => server.upstream.call(call))
        const embedReply = readEmbedReply(response, { secret, isSent: transport === 'object' })
        // The call may have taken seconds, in which the grant may have been revoked.
        await refuseRevokedGrant(app, embed.revocable)
        recordReply(decision, embedReply)
        if (embedReply.refusal !== null) logUpstreamRefusal(reply, embedReply.refusal)
        return send(reply, embedReply.text)
      } catch (thrown) {
        const error = toPublicError(thrown)
        if (errors === 'http' || !HIDDEN_BY_SDK.has(error.statusCode)) throw error
        decision.error = error.code
        Object.assign(decision.details, upstreamOutcome(error.upstream))
        logRefusal(reply, error)
        return send(reply, sdkRefusal(error.message))
      }
    }
  })

  function selectedServer ({ dashboardServerApiUrl }: EmbedAuthorizeBody): EmbedServer {
    const server = selectServer(servers, dashboardServerApiUrl)
    if (server === null) {
      throw new FORBIDDEN({ message: 'This dashboard server is not allowed', reason: 'the server is not in "servers"' })
    }
    return server
  }

  /** Returns the embed to sign, after the checks of the mode, the host, the revocations and the nonce. */
  async function authorizedEmbed (
    request: EmbedRequest,
    checked: CheckedQuery,
    time: number,
    decision: Decision
  ): Promise<GrantedEmbed> {
    const { query, nonce, details } = checked
    if (!modes.includes(details.mode)) throw new FORBIDDEN({ reason: 'the embed mode is not in "modes"' })
    decision.details['mode'] = details.mode
    const identity = await authorizeByHost(() => authorize(request, details))
    decision.requested = auditedNames(details.dashboards)
    const signableQuery = refuseUnsafe(() => buildEmbedQuery(query, identity, time))
    decision.userId = identity.username ?? decision.userId ?? identity.email ?? null
    decision.userEmail = identity.email ?? null
    const revocable = refuseUnsafe(() => revocableEmbed(request, identity, details, now()))
    await refuseRevokedGrant(app, revocable)
    if (!await app.tokenStore.claim(`embed-nonce:${nonce}`, NONCE_LIFETIME)) {
      throw new CONFLICT({ message: 'The embed_nonce was used before' })
    }
    return { checked, identity, signableQuery, revocable }
  }
}

/** Records Bold BI's decision for the audit entry. The route sends a refusal by Bold BI unchanged. */
function recordReply (decision: Decision, { refusal }: EmbedReply): void {
  decision.details['grantedByServer'] = refusal === null
  if (refusal === null) {
    decision.resourceId = decision.requested
    return
  }
  decision.error = 'FORBIDDEN'
  Object.assign(decision.details, upstreamOutcome(refusal))
}

function queryOf ({ embedQuerString, embedQueryString }: EmbedAuthorizeBody): string {
  const text = embedQuerString ?? embedQueryString
  if (text === undefined) throw new INVALID_REQUEST({ details: [{ path: '/embedQuerString', message: 'is missing' }] })
  if (embedQueryString !== undefined && embedQueryString !== text) {
    throw new INVALID_REQUEST({ message: '"embedQuerString" and "embedQueryString" must be equal' })
  }
  return text
}

/** Converts a TypeError for an unsafe value into `FORBIDDEN`. The log names the field. */
function refuseUnsafe<Result> (build: () => Result): Result {
  try {
    return build()
  } catch (error) {
    if (error instanceof TypeError) {
      throw new FORBIDDEN({ reason: `the result of "authorize" must not be signed: ${error.message}` })
    }
    throw error
  }
}

function send (reply: FastifyReply, json: string): FastifyReply {
  reply.header('Cache-Control', 'no-store').header('X-Content-Type-Options', 'nosniff').type(
    'application/json; charset=utf-8'
  )
  return sendProtected(reply, json)
}

const plugin = fp(embedAuthorize, { name: 'gatehouse-embed-authorize', fastify: '5.x' })

export default Object.assign(plugin, { identityGrant })
export type { IdentityGrantOptions, IdentityToken, IdentityUser } from '../../plugins/identity-token/index.js'
export type { HostDecision } from '../../lib/authorize.js'
export type { UpstreamClientOptions } from '../../lib/upstream-client/index.js'
export type { EmbedFilter, EmbedFilters, EmbedOperator, EmbedValue } from '../../signing/boldbi/filter.js'
