import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { samlAcsRouteSchema } from '../../../schemas/admin-saml.js'
import type { AcsBody } from '../../../schemas/admin-saml.js'
import type { TokenStore } from '../../../contracts/token-store/index.js'
import { sha256 } from '../../../signing/digest.js'
import type { ProvenIdentity, SsoCore, SsoProvider, SsoTransaction } from '../sso/protocol.js'
import { identityOf } from './identity.js'
import { parseResponse, ProviderRefusal, verifyResponse } from './response.js'
import type { ReceivedResponse } from './response.js'
import { expectedOf, settingsOf } from './service.js'
import type { SamlService } from './service.js'
import { InvalidMessage } from './xml.js'

/** Maximum bytes of a form with a response. */
export const FORM_LIMIT = 262_144

type AcsRequest = FastifyRequest<{ Params: { id: string }, Body: AcsBody }>

/** Registers the assertion consumer service, which receives the responses of providers to logins. */
export function acsRoute (scope: FastifyInstance, core: SsoCore, service: SamlService): void {
  scope.post<{ Params: { id: string }, Body: AcsBody }>(
    '/:id/acs',
    { schema: samlAcsRouteSchema, bodyLimit: FORM_LIMIT },
    async (request, reply) => {
      const provider = await core.find('saml', request.params.id)
      try {
        return await consume(request, reply, provider)
      } catch (error) {
        if (!(error instanceof InvalidMessage) && !(error instanceof ProviderRefusal)) throw error
        const reason = error instanceof ProviderRefusal ? 'access_denied' : 'invalid_response'
        return core.fail(request, reply, { provider, reason, detail: error.message })
      }
    }
  )

  async function consume (request: AcsRequest, reply: FastifyReply, provider: SsoProvider): Promise<FastifyReply> {
    const { SAMLResponse, RelayState = '' } = request.body
    const response = parseResponse(service.tools, SAMLResponse)
    // A login that the provider starts answers no request. Its RelayState is the provider's, and goes nowhere.
    const isUnsolicited = settingsOf(provider).allow_idp_initiated === true && response.inResponseTo === null
    const transaction = isUnsolicited
      ? null
      : await core.takeTransaction(request, reply, { provider, state: RelayState })
    if (!isUnsolicited && transaction === null) {
      return core.fail(request, reply, { provider, reason: 'expired', detail: 'the login is unknown or was finished' })
    }
    const identity = await verify(provider, response, transaction)
    return await core.finish(request, reply, { provider, returnTo: transaction?.returnTo ?? null, identity })
  }

  async function verify (
    provider: SsoProvider,
    response: ReceivedResponse,
    transaction: SsoTransaction | null
  ): Promise<ProvenIdentity> {
    const settings = settingsOf(provider)
    const requestId = transaction === null ? null : transaction.data.request ?? ''
    const expected = { ...expectedOf(service, provider), requestId }
    const assertion = await verifyResponse(service.tools, response, { settings, secrets: provider.secrets }, expected)
    const identity = identityOf(assertion, settings, provider.roles.claim)
    await useOnce(scope.tokenStore, `assertion:${provider.id}:${assertion.id}`, assertion.endsAt - expected.now)
    return identity
  }
}

/** Claims the id of a message until it would be refused as too old. Rejects with `InvalidMessage` for a repetition. */
export async function useOnce (store: TokenStore, id: string, ttl: number): Promise<void> {
  const isFirst = await store.claim(`saml:${sha256(id).toString('hex')}`, Math.max(1, Math.ceil(ttl)))
  if (!isFirst) throw new InvalidMessage('the message was used before')
}
