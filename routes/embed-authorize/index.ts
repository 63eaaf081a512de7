import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../../plugins/audit-log/index.js'
import { auditDecisions } from '../../lib/decision-audit.js'
import type { Decision } from '../../lib/decision-audit.js'
import { refuseRevokedGrant } from '../../plugins/embed-revocation.js'
import { CONFLICT, FORBIDDEN, INVALID_REQUEST } from '../../lib/errors.js'
import { hasGuard } from '../../lib/guard/index.js'
import { authorizeByHost } from '../../lib/authorize.js'
import { useJsonBody } from '../../lib/json/body.js'
import { sendOwn } from '../../lib/http/own-replies.js'
import { named } from '../../lib/limits/rate-limit.js'
import { logRefusal, logUpstreamRefusal, toPublicError } from '../../lib/refuse.js'
import { routeScope } from '../../lib/http/route-scope.js'
import tokenStore from '../../plugins/token-store/index.js'
import { upstreamOutcome } from '../../lib/upstream-client/refusal.js'
import { embedAuthorizeSchema } from '../../schemas/embed-authorize.js'
import type { EmbedAuthorizeBody } from '../../schemas/embed-authorize.js'
import type { EmbedIdentity } from '../../signing/boldbi/identity.js'
import { buildEmbedQuery } from '../../signing/boldbi/signature.js'
import { auditedNames } from './dashboards.js'
import type { EmbedGrant } from './grant.js'
import { checkedOptions } from './options.js'
import type { AuthorizeEmbed, EmbedAuthorizeOptions } from './options.js'
import { checkQuery } from './policy.js'
import type { CheckedQuery, EmbedDetails } from './policy.js'
import { revocableEmbed } from './revocable.js'
import { relayAnswer, sdkRefusal } from './sdk-answer.js'
import type { EmbedAnswer } from './sdk-answer.js'
import { checkForObjects, embedServers, selectServer } from './servers.js'
import type { EmbedServer, EmbedServerOptions } from './servers.js'
import { embedCall } from './transport.js'
import type { EmbedTransport, GrantedEmbed } from './transport.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../../plugins/audit-log/index.js'
export type {} from '../../plugins/token-store/index.js'
export type {} from '../../plugins/user-reference/index.js'

export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
export type { SecretSource } from '../../lib/secrets/secret-source.js'
export type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
export type { AuthorizeEmbed, EmbedAuthorizeOptions, EmbedDetails, EmbedGrant, EmbedIdentity, EmbedServerOptions, EmbedTransport }

type EmbedRequest = FastifyRequest<{ Body: EmbedAuthorizeBody }>

/** For how long a nonce may not come again, milliseconds. */
const NONCE_LIFE = 900_000
/** What the SDK would hide behind a status text: a policy's no, and the upstream's failures. */
const HIDDEN_BY_SDK = new Set([403, 502, 504])

/** The authorization server of the Bold BI embed SDK: `POST /authorize`. */
const embedAuthorize: FastifyPluginAsync<EmbedAuthorizeOptions> = async (app, options) => {
  const own = checkedOptions(options)
  const { authorize, path, modes, maxExpiration, maxDashboards, transport, maxUrlLength, pinboard } = own
  const { errors, bodyLimit, rateLimit, guards, now } = own
  const { connectTimeout, timeout, retries, ca, prefix, cors, secretMaxAge: maxAge } = options
  const servers = await embedServers(options.servers, { connectTimeout, timeout, retries, ca }, { log: app.log, maxAge })
  if (transport === 'object') checkForObjects(servers, app.log)
  app.addHook('onClose', async function closeUpstreams () {
    await Promise.all([...servers.values()].map(({ upstream }) => upstream.close()))
  })
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)

  await routeScope(app, { prefix, rateLimit: named(rateLimit, path), cors }, async (scope) => {
    const decisionOf = auditDecisions(scope, { granted: 'embed.authorized', refused: 'embed.refused', resourceType: 'dashboard' })
    const gatehouse = hasGuard(scope, 'userReference') ? { userReference: 'optional' as const, ...guards } : guards
    useJsonBody(scope)
    scope.post<{ Body: EmbedAuthorizeBody }>(path, { schema: embedAuthorizeSchema, bodyLimit, config: { gatehouse } }, authorizeEmbed)

    async function authorizeEmbed (request: EmbedRequest, reply: FastifyReply): Promise<FastifyReply> {
      const decision = decisionOf(request)
      decision.userId = request.userReference?.sub ?? null
      const server = selected(request.body)
      const time = Math.floor(now() / 1000)
      decision.details = { server: server.apiUrl }
      const checked = checkQuery(queryOf(request.body), server.apiUrl, { pinboard, maxExpiration, maxDashboards }, time)
      if (decision.userId !== null) decision.asked = auditedNames(checked.details.dashboards)
      try {
        const embed = await permitted(request, checked, time, decision)
        const secret = await server.secret.get()
        const call = signable(() => embedCall(server, secret, embed, { transport, maxUrlLength }))
        const answer = relayAnswer(await server.upstream.call(call), { secret, isSent: transport === 'object' })
        // Bold BI may have taken seconds: who was cut off meanwhile gets no token.
        await refuseRevokedGrant(app, embed.revocable)
        noteAnswer(decision, answer)
        if (answer.refusal !== null) logUpstreamRefusal(reply, answer.refusal)
        return send(reply, answer.text)
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

  function selected ({ dashboardServerApiUrl }: EmbedAuthorizeBody): EmbedServer {
    const server = selectServer(servers, dashboardServerApiUrl)
    if (server === null) throw new FORBIDDEN({ message: 'This dashboard server is not allowed', reason: 'the server is not among "servers"' })
    return server
  }

  /** What may be signed, once mode, host, administrators and nonce have said yes. */
  async function permitted (request: EmbedRequest, checked: CheckedQuery, time: number, decision: Decision): Promise<GrantedEmbed> {
    const { query, nonce, details } = checked
    if (!modes.includes(details.mode)) throw new FORBIDDEN({ reason: 'this embed mode is not among "modes"' })
    decision.details = { ...decision.details, mode: details.mode }
    const identity = await authorizeByHost(() => authorize(request, details))
    decision.asked = auditedNames(details.dashboards)
    const whole = signable(() => buildEmbedQuery(query, identity, time))
    decision.userId = identity.username ?? decision.userId ?? identity.email ?? null
    decision.userEmail = identity.email ?? null
    const revocable = signable(() => revocableEmbed(request, identity, details, now()))
    await refuseRevokedGrant(app, revocable)
    if (!await app.tokenStore.claim(`embed-nonce:${nonce}`, NONCE_LIFE)) throw new CONFLICT({ reason: 'the nonce was used before' })
    return { checked, identity, whole, revocable }
  }
}

/** A refusal by Bold BI is relayed as it came, and the audit entry records it as a refusal with the upstream's code. */
function noteAnswer (decision: Decision, { refusal }: EmbedAnswer): void {
  decision.details = { ...decision.details, grantedByServer: refusal === null }
  if (refusal === null) {
    decision.resourceId = decision.asked
    return
  }
  decision.error = 'FORBIDDEN'
  Object.assign(decision.details, upstreamOutcome(refusal))
}

function queryOf ({ embedQuerString, embedQueryString }: EmbedAuthorizeBody): string {
  const text = embedQuerString ?? embedQueryString
  if (text === undefined) throw new INVALID_REQUEST({ details: [{ path: '/embedQuerString', message: 'is missing' }] })
  if (embedQueryString !== undefined && embedQueryString !== text) throw new INVALID_REQUEST({ message: 'The two spellings of the embed query differ' })
  return text
}

/** A user with a name that could break out of the query is refused like one who may not; the log names the field. */
function signable<Result> (build: () => Result): Result {
  try {
    return build()
  } catch (error) {
    if (error instanceof TypeError) throw new FORBIDDEN({ reason: `what "authorize" returned must not be signed: ${error.message}` })
    throw error
  }
}

function send (reply: FastifyReply, json: string): FastifyReply {
  reply.header('Cache-Control', 'no-store').header('X-Content-Type-Options', 'nosniff').type('application/json; charset=utf-8')
  return sendOwn(reply, json)
}

export default fp(embedAuthorize, { name: 'gatehouse-embed-authorize', fastify: '5.x' })
export type { HostDecision } from '../../lib/authorize.js'
export type { UpstreamClientOptions } from '../../lib/upstream-client/index.js'
export type { EmbedFilter, EmbedFilters, EmbedOperator, EmbedValue } from '../../signing/boldbi/filter.js'
