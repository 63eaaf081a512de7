import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { LiveTokens, secretForThisRun, sendPage } from '../mock-product.js'
import { refusal } from '../page.js'
import type { ProviderSession } from '../sign-in/browser-sessions.js'
import { signInPage } from '../sign-in/pages.js'
import { ownFormsOnly, readParameters } from '../sign-in/parameters.js'
import { readAuthnRequest } from './authn-request.js'
import type { AuthnRequest } from './authn-request.js'
import { readMessage } from './bindings.js'
import type { Status } from './message.js'
import { nameIdOf } from './name-id.js'
import { postPage } from './post-page.js'
import { errorXml, successXml } from './response.js'
import { PROVIDER_NAME } from './state.js'
import type { ProviderState } from './state.js'

const SIGN_IN_TIME = 600_000

/** The single sign-on service, and the sign-in form that its page sends. */
export function ssoRoutes (app: FastifyInstance, provider: ProviderState): void {
  const { sp, people, sessions, issued, now } = provider
  const pending = new LiveTokens<AuthnRequest>(now)

  async function singleSignOn (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const read = readAuthnRequest(readMessage(request, provider), provider)
    if (read.verdict === 'refused') return sendPage(reply.code(400), refusal('This request is not valid', read.reason))
    if (read.verdict === 'error') return sendError(reply, read, read.status)
    const wanted = read.request
    const session = sessions.find(request)
    if (session !== null && !wanted.forceAuthn) return sendAssertion(reply, wanted, session)
    if (wanted.isPassive) return sendError(reply, wanted, ['Responder', 'NoPassive'])
    const id = secretForThisRun()
    pending.add(id, wanted, now() + SIGN_IN_TIME)
    return sendPage(reply, signInPage({ provider: PROVIDER_NAME, app: sp.entityId, request: id, people }))
  }

  async function signIn (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const form = readParameters(request)
    const wanted = pending.take(form?.get('request') ?? '')
    const person = people.find(({ id }) => id === form?.get('person'))
    if (wanted !== null && form?.has('cancel') === true) return sendError(reply, wanted, ['Responder', 'AuthnFailed'])
    if (wanted === null || person === undefined) {
      return sendPage(
        reply.code(400),
        refusal('This page has expired', 'Go back to the app and start the sign-in again.')
      )
    }
    return sendAssertion(reply, wanted, sessions.signIn(request, reply, person).session)
  }

  function sendAssertion (reply: FastifyReply, request: AuthnRequest, session: ProviderSession): FastifyReply {
    const nameId = nameIdOf(session.person, request.nameIdFormat, sp.entityId)
    issued.set(session, nameId)
    return sendResponse(reply, successXml(provider, request, session, nameId), request.relayState)
  }

  function sendError (
    reply: FastifyReply,
    { id, relayState }: Pick<AuthnRequest, 'id' | 'relayState'>,
    status: Status
  ): FastifyReply {
    return sendResponse(reply, errorXml(provider, id, status), relayState)
  }

  function sendResponse (reply: FastifyReply, xml: string, relayState: string | null): FastifyReply {
    return sendPage(reply, postPage(sp.acsUrl, 'SAMLResponse', xml, relayState))
  }

  app.route({ method: ['GET', 'POST'], url: '/sso', handler: singleSignOn })
  app.post('/sign-in', { preHandler: ownFormsOnly }, signIn)
}
