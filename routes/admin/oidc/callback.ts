import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { oidcCallbackSchema } from '../../../schemas/admin-oidc.js'
import type { OidcCallbackQuery } from '../../../schemas/admin-oidc.js'
import type { ProvenIdentity, SsoCore, SsoTransaction } from '../sso/protocol.js'
import { exchangeCode } from './code-exchange.js'
import { failureOf } from './failure.js'
import { verifiedClaims } from './id-token.js'
import { identityOf } from './identity.js'
import type { OidcProtocolParts } from './protocol.js'
import { completeSettings } from './settings.js'

type CallbackRequest = FastifyRequest<{ Params: { id: string }, Querystring: OidcCallbackQuery }>

/** Registers the redirect URI: verifies the response of a provider and finishes the login. */
export function callbackRoute (scope: FastifyInstance, core: SsoCore, parts: OidcProtocolParts): void {
  scope.get('/:id/callback', {
    schema: oidcCallbackSchema
  }, async function finishLogin (request: CallbackRequest, reply: FastifyReply) {
    const { params: { id }, query: { state = '', code = '' } } = request
    const provider = await core.find('oidc', id)
    const transaction = await core.takeTransaction(request, reply, { provider, state })
    if (transaction === null) {
      return core.fail(request, reply, { provider, reason: 'expired', detail: 'the login is unknown or was finished' })
    }
    const { data } = transaction
    const { issuer, client_id: clientId } = completeSettings(transaction.provider.settings)
    if (data['issuer'] !== issuer || data['client_id'] !== clientId) {
      return core.fail(request, reply, { provider, reason: 'expired', detail: 'the provider changed during the login' })
    }
    let identity: ProvenIdentity
    try {
      identity = await provenIdentity(request, transaction, state, parts)
    } catch (error) {
      const secrets = [...transaction.provider.secrets, code, data['verifier'] ?? '', data['nonce'] ?? '']
      return core.fail(request, reply, { provider, ...failureOf(await parts.loadPackages(), error, secrets) })
    }
    return await core.finish(request, reply, { provider, returnTo: transaction.returnTo, identity })
  })
}

async function provenIdentity (
  { query, log }: CallbackRequest,
  transaction: SsoTransaction,
  state: string,
  { loadPackages, providers, urlsOf, now: clock }: OidcProtocolParts
): Promise<ProvenIdentity> {
  const { provider } = transaction
  const settings = completeSettings(provider.settings)
  const known = await providers.get(provider)
  const packages = await loadPackages()
  const now = clock()
  const url = new URL(urlsOf(provider.id).redirect_uri)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  const exchange = { packages, known, settings, transaction, url, state, now, log }
  const { tokens, configuration } = await exchangeCode(exchange)
  const claims = await verifiedClaims(packages, known, settings, { tokens, now })
  const isInUserinfo = claims[settings.email_claim] === undefined && known.server.userinfo_endpoint !== undefined
  const userinfo = isInUserinfo
    ? await packages.client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
    : {}
  return identityOf({
    settings,
    // The signed claims prevail.
    claims: { ...userinfo, ...claims },
    roleClaim: provider.roles.claim,
    idToken: tokens.id_token ?? null,
    now
  })
}
