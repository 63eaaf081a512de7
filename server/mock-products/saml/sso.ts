import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { sendPage } from '../mock-product.js'
import { refusal } from '../page.js'
import type { ProviderSession } from '../sign-in/browser-sessions.js'
import { signInForm } from '../sign-in/sign-in-form.js'
import { readAuthnRequest } from './authn-request.js'
import type { AuthnRequest } from './authn-request.js'
import { readMessage } from './bindings.js'
import type { Status } from './message.js'
import { nameIdOf } from './name-id.js'
import { postPage } from './post-page.js'
import { errorXml, successXml } from './response.js'
import { PROVIDER_NAME } from './state.js'
import type { ProviderState } from './state.js'

/** The single sign-on service and its sign-in form. */
export function ssoRoutes (app: FastifyInstance, provider: ProviderState): void {
  const { sp, people, sessions, issued, now } = provider
  const sendSignInPage = signInForm<AuthnRequest>(app, {
    provider: PROVIDER_NAME,
    app: sp.entityId,
    people,
    sessions,
    now,
    // The app is not notified of a replaced session: single logout needs the browser, which now signs in.
    signedIn: (reply, wanted, { session }) => sendAssertion(reply, wanted, session),
    cancelled: (reply, wanted) => sendError(reply, wanted, ['Responder', 'AuthnFailed'])
  })

  async function singleSignOn (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const read = readAuthnRequest(readMessage(request, provider), provider)
    if (read.verdict === 'refused') return sendPage(reply.code(400), refusal('This request is not valid', read.reason))
    if (read.verdict === 'error') return sendError(reply, read, read.status)
    const wanted = read.request
    const session = sessions.find(request)
    if (session !== null && !wanted.forceAuthn) return sendAssertion(reply, wanted, session)
    if (wanted.isPassive) return sendError(reply, wanted, ['Responder', 'NoPassive'])
    return sendSignInPage(reply, wanted)
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
}
