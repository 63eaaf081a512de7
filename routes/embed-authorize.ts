import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../plugins/audit-log.js'
import { CONFLICT, FORBIDDEN, INVALID_REQUEST, UNAUTHORIZED } from '../plugins/errors.js'
import type { GatehouseError } from '../plugins/errors.js'
import { hasGuard } from '../plugins/guard.js'
import { useJsonBody } from '../plugins/json-body.js'
import { logRefusal, toPublicError } from '../plugins/refuse.js'
import { routeScope } from '../plugins/route-scope.js'
import { preflightRoute } from '../plugins/site-cors.js'
import { useStrictValidation } from '../plugins/strict-validation.js'
import tokenStore from '../plugins/token-store/index.js'
import type {} from '../plugins/user-reference.js'
import { embedAuthorizeSchema } from '../schemas/embed-authorize.js'
import type { EmbedAuthorizeBody } from '../schemas/embed-authorize.js'
import type { EmbedIdentity } from '../signing/embed-identity.js'
import { buildEmbedQuery, signedEmbedQuery } from '../signing/embed-signature.js'
import { checkedOptions } from './embed-authorize/options.js'
import type { AuthorizeEmbed, EmbedAuthorizeOptions } from './embed-authorize/options.js'
import { checkQuery } from './embed-authorize/policy.js'
import type { CheckedQuery, EmbedDetails } from './embed-authorize/policy.js'
import { relayAnswer, sdkRefusal } from './embed-authorize/sdk-answer.js'
import type { EmbedAnswer } from './embed-authorize/sdk-answer.js'
import { embedServers, selectServer } from './embed-authorize/servers.js'
import type { EmbedServer, EmbedServerOptions } from './embed-authorize/servers.js'
import { embedCall } from './embed-authorize/transport.js'
import type { EmbedTransport } from './embed-authorize/transport.js'

export type { AuthorizeEmbed, EmbedAuthorizeOptions, EmbedDetails, EmbedIdentity, EmbedServerOptions, EmbedTransport }

type EmbedRequest = FastifyRequest<{ Body: EmbedAuthorizeBody }>

/** How far a request has come, for the audit log and for the form of a refusal. */
interface Attempt {
  server?: EmbedServer
  checked?: CheckedQuery
  identity?: EmbedIdentity
}

/** For how long a nonce may not come again, milliseconds. */
const NONCE_LIFE = 900_000
/** What the SDK would hide behind a status text: a policy's no, and the upstream's failures. */
const HIDDEN_BY_SDK = new Set([403, 502, 504])

/** The authorization server of the Bold BI embed SDK: `POST /authorize`. */
const embedAuthorize: FastifyPluginAsync<EmbedAuthorizeOptions> = async (app, options) => {
  const { authorize, path, modes, maxExpiration, transport, maxUrlLength, pinboard, errors, bodyLimit, rateLimit, guards, now } = checkedOptions(options)
  const { connectTimeout, timeout, retries, ca, prefix, cors } = options
  const servers = embedServers(options.servers, { connectTimeout, timeout, retries, ca })
  app.addHook('onClose', async function closeUpstreams () {
    await Promise.all([...servers.values()].map(({ upstream }) => upstream.close()))
  })
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)

  await routeScope(app, { prefix, rateLimit, cors }, async (scope) => {
    useJsonBody(scope)
    useStrictValidation(scope)
    if (cors !== undefined) preflightRoute(scope, path)
    const gatehouse = hasGuard(scope, 'userReference') ? { userReference: 'optional' as const, ...guards } : guards
    scope.post<{ Body: EmbedAuthorizeBody }>(path, { schema: embedAuthorizeSchema, bodyLimit, config: { gatehouse } }, authorizeEmbed)
  })

  async function authorizeEmbed (request: EmbedRequest, reply: FastifyReply): Promise<FastifyReply> {
    const attempt: Attempt = {}
    try {
      const answer = await embed(request, attempt)
      audit(request, attempt, answer.granted ? 'granted' : 'refused_by_server')
      return send(reply, answer.text)
    } catch (thrown) {
      const error = toPublicError(thrown)
      audit(request, attempt, error)
      if (errors === 'http' || attempt.checked === undefined || !HIDDEN_BY_SDK.has(error.statusCode)) throw error
      logRefusal(reply, error)
      return send(reply, sdkRefusal(error.message))
    }
  }

  async function embed (request: EmbedRequest, attempt: Attempt): Promise<EmbedAnswer> {
    const server = attempt.server = selected(request.body)
    const time = Math.floor(now() / 1000)
    const checked = attempt.checked = checkQuery(queryOf(request.body), server.apiUrl, { pinboard, maxExpiration }, time)
    if (!modes.includes(checked.details.mode)) throw new FORBIDDEN({ reason: 'this embed mode is not among "modes"' })
    const identity = await authorize(request, checked.details)
    if (identity == null) throw new UNAUTHORIZED({ reason: '"authorize" named no user' })
    const query = queryFor(checked, identity, time)
    attempt.identity = identity
    if (!await app.tokenStore.claim(`embed-nonce:${checked.nonce}`, NONCE_LIFE)) throw new CONFLICT({ reason: 'the nonce was used before' })
    const signed = signedEmbedQuery(query, server.embedSecret)
    return relayAnswer(await server.upstream.call(embedCall(server, signed, transport, maxUrlLength)))
  }

  function selected ({ dashboardServerApiUrl }: EmbedAuthorizeBody): EmbedServer {
    const server = selectServer(servers, dashboardServerApiUrl)
    if (server === null) throw new FORBIDDEN({ message: 'This dashboard server is not allowed', reason: 'the server is not among "servers"' })
    return server
  }

  function audit (request: EmbedRequest, { server, checked, identity }: Attempt, outcome: string | GatehouseError): void {
    const refused = typeof outcome !== 'string'
    app.audit({
      action: refused ? 'embed.refused' : 'embed.authorized',
      request,
      userId: identity?.username,
      userEmail: identity?.email,
      resourceType: 'dashboard',
      resourceId: checked?.details.dashboards.join(',').slice(0, 1024),
      changes: { server: server?.apiUrl ?? null, mode: checked?.details.mode ?? null, outcome: refused ? outcome.code : outcome },
      refusal: refused
    })
  }
}

function queryOf ({ embedQuerString, embedQueryString }: EmbedAuthorizeBody): string {
  const text = embedQuerString ?? embedQueryString
  if (text === undefined) throw new INVALID_REQUEST({ details: [{ path: '/embedQuerString', message: 'is missing' }] })
  if (embedQueryString !== undefined && embedQueryString !== text) throw new INVALID_REQUEST({ message: 'The two spellings of the embed query differ' })
  return text
}

/** A user with a name that could break out of the query is refused like one who may not; the log names the field. */
function queryFor ({ query }: CheckedQuery, identity: EmbedIdentity, time: number): string {
  try {
    return buildEmbedQuery(query, identity, time)
  } catch (error) {
    if (error instanceof TypeError) throw new FORBIDDEN({ reason: `what "authorize" returned must not be signed: ${error.message}` })
    throw error
  }
}

function send (reply: FastifyReply, json: string): FastifyReply {
  return reply.header('Cache-Control', 'no-store').header('X-Content-Type-Options', 'nosniff').type('application/json; charset=utf-8').send(json)
}

export default fp(embedAuthorize, { name: 'gatehouse-embed-authorize', fastify: '5.x' })
