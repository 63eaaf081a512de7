import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { GatehouseError, INVALID_REQUEST, UNAVAILABLE } from '../../../lib/errors.js'
import { useFormBody } from '../../../lib/http/form-body.js'
import { backchannelLogoutSchema } from '../../../schemas/admin-oidc.js'
import type { LogoutTokenBody } from '../../../schemas/admin-oidc.js'
import type { SsoCore } from '../sso/protocol.js'
import { verifyLogoutToken } from './logout-token.js'
import type { OidcProtocolParts } from './protocol.js'
import { completeSettings } from './settings.js'

type LogoutRequest = FastifyRequest<{ Params: { id: string }, Body: LogoutTokenBody }>

const MAX_BODY = 32_768

/** Registers the route to which providers post logout tokens. */
export async function backchannelLogoutRoute (
  scope: FastifyInstance,
  core: SsoCore,
  { loadPackages, providers, now: clock }: OidcProtocolParts
): Promise<void> {
  await scope.register(async (forms) => {
    useFormBody(forms)
    forms.post('/:id/backchannel-logout', {
      schema: backchannelLogoutSchema,
      bodyLimit: MAX_BODY,
      errorHandler (error, request, reply) {
        // The specification defines the response for an invalid request; other errors are those of every route.
        const isInvalid = error instanceof INVALID_REQUEST || error.validation !== undefined
        if (isInvalid) refuseToken(request, reply, 'the form is not valid')
        else throw error
      }
    }, async function endSessions (request: LogoutRequest, reply: FastifyReply) {
      const provider = await core.find('oidc', request.params.id)
      const now = clock()
      const known = await providers.get(provider).catch(unavailable)
      const settings = completeSettings(provider.settings)
      const packages = await loadPackages()
      const notice = await verifyLogoutToken(packages, known, settings, { token: request.body.logout_token, now })
      if (typeof notice === 'string') return refuseToken(request, reply, notice)
      const key = JSON.stringify(['oidc-logout', provider.id, notice.jti])
      if (!await scope.tokenStore.claim(key, notice.endsAt - now)) {
        return refuseToken(request, reply, 'the token was used before')
      }
      const { subject, providerSession } = notice
      await core.endSessions(request, provider, {
        ...subject === null ? {} : { subject },
        ...providerSession === null ? {} : { providerSession }
      })
      return reply.code(200).send()
    })
  })
}

function refuseToken (request: FastifyRequest, reply: FastifyReply, reason: string): FastifyReply {
  request.log.warn({ reason }, 'a logout token is refused')
  return reply.code(400).send({ error: 'invalid_request', error_description: 'The logout token is not valid' })
}

/** The caller is the provider: 503 tells it to send the token again. */
function unavailable (error: unknown): never {
  const reason = error instanceof GatehouseError ? error.reason : undefined
  throw new UNAVAILABLE({ reason: reason ?? 'the provider could not be called', cause: error })
}
