import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { LiveTokens, sendPage } from '../mock-product.js'
import { escapeHtml, refusal } from '../page.js'
import { accountRoute } from '../sign-in/account.js'
import type { ProviderSession } from '../sign-in/browser-sessions.js'
import { messagePage } from '../sign-in/pages.js'
import { ownFormsOnly, readParameters } from '../sign-in/parameters.js'
import { readMessage, redirectUrl } from './bindings.js'
import type { Message } from './bindings.js'
import { logoutRequestXml, logoutResponseXml, readLogoutRequest } from './logout.js'
import type { LogoutRequest } from './logout.js'
import { checkMessage, readStatus } from './message.js'
import type { Status } from './message.js'
import { EMAIL_FORMAT, nameIdOf, PERSISTENT_FORMAT } from './name-id.js'
import { postPage } from './post-page.js'
import { signXml } from './signatures.js'
import { PROVIDER_NAME } from './state.js'
import type { ProviderState } from './state.js'
import { attribute } from './xml.js'

const ANSWER_TIME = 600_000

/** The single logout service, and the provider's own page with its buttons. */
export function sloRoutes (app: FastifyInstance, provider: ProviderState): void {
  const { sp, people, sessions, issued, xml, keys, now } = provider
  /** The IDs of logout requests that the app has not answered. */
  const pending = new LiveTokens<true>(now)

  async function singleLogout (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const message = readMessage(request, provider)
    if (typeof message === 'string') return refuse(reply, message)
    return message.name === 'SAMLRequest' ? answer(reply, message) : finish(reply, message)
  }

  /** Ends the sessions that a logout request of the app names, and responds in the same binding. */
  function answer (reply: FastifyReply, message: Message): FastifyReply {
    const { sloUrl } = sp
    if (sloUrl === null) return refuse(reply, 'The service provider has no single logout service.')
    const request = readLogoutRequest(message, provider)
    if (typeof request === 'string') return refuse(reply, request)
    const response = logoutResponseXml(provider, sloUrl, request.id, endNamed(request))
    const { isPost, relayState } = message
    if (!isPost) return reply.redirect(redirectUrl(sloUrl, 'SAMLResponse', response, relayState, provider), 303)
    return sendPage(reply, postPage(sloUrl, 'SAMLResponse', signXml(xml, response, keys.newest), relayState))
  }

  function endNamed ({ nameId: { format, value }, sessionIndexes }: LogoutRequest): Status {
    const person = people.find((known) =>
      [PERSISTENT_FORMAT, EMAIL_FORMAT].some((each) =>
        (format ?? each) === each && nameIdOf(known, each, sp.entityId).value === value
      )
    )
    if (person === undefined) return ['Requester', 'UnknownPrincipal']
    const all = sessions.ofPerson(person.id)
    sessions.end(...sessionIndexes.length === 0 ? all : all.filter(({ id }) => sessionIndexes.includes(id)))
    return ['Success']
  }

  /** Shows how the app has answered a logout request. */
  function finish (reply: FastifyReply, message: Message): FastifyReply {
    const checked = checkMessage(message, 'LogoutResponse', provider.sloUrl, provider)
    if ('reason' in checked) return refuse(reply, checked.reason)
    if (pending.take(attribute(message.root, 'InResponseTo') ?? '') === null) {
      return refuse(reply, 'InResponseTo must be a logout request that has no response yet.')
    }
    const status = readStatus(message.root)
    return showResult(reply, status === 'Success'
      ? 'The app has ended its session too.'
      : `The app responded with the status ${status}: its own session may continue.`)
  }

  async function signOut (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const session = sessions.find(request)
    if (session === null) return showResult(reply, 'No one was signed in.')
    const isEverywhere = readParameters(request)?.get('scope') === 'everywhere'
    const ended = isEverywhere ? sessions.ofPerson(session.person.id) : [session]
    sessions.end(...ended)
    return notifyApp(reply, ended, isEverywhere)
  }

  /** Sends the browser to the app with a logout request. */
  function notifyApp (reply: FastifyReply, ended: readonly ProviderSession[], isEverywhere: boolean): FastifyReply {
    const { sloUrl } = sp
    if (sloUrl === null) return showResult(reply, 'The app has no single logout: its own session continues.')
    const known = ended.find((session) => issued.has(session))
    const nameId = known === undefined ? undefined : issued.get(known)
    if (known === undefined || nameId === undefined) return showResult(reply, 'The app did not know this session.')
    const { id, xml: request } = logoutRequestXml(provider, sloUrl, nameId, isEverywhere ? null : known.id)
    pending.add(id, true, now() + ANSWER_TIME)
    return reply.redirect(redirectUrl(sloUrl, 'SAMLRequest', request, null, provider), 303)
  }

  function showResult (reply: FastifyReply, outcome: string): FastifyReply {
    return sendPage(reply, messagePage(PROVIDER_NAME, 'Signed out', `<p>${escapeHtml(outcome)}</p>`))
  }

  function refuse (reply: FastifyReply, reason: string): FastifyReply {
    return sendPage(reply.code(400), refusal('This request is not valid', reason))
  }

  app.route({ method: ['GET', 'POST'], url: '/slo', handler: singleLogout })
  app.post('/sign-out', { preHandler: ownFormsOnly }, signOut)
  accountRoute(app, PROVIDER_NAME, sessions)
}
