import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { LiveTokens, secretForThisRun, sendPage } from '../mock-product.js'
import { escapeHtml, refusal } from '../page.js'
import { accountRoute } from '../sign-in/account.js'
import type { ProviderSession } from '../sign-in/browser-sessions.js'
import { messagePage, signOutPage } from '../sign-in/pages.js'
import { ownFormsOnly, readParameters, withQuery } from '../sign-in/parameters.js'
import { notifyApp } from './backchannel-logout.js'
import { readLogoutRequest } from './logout-request.js'
import type { LogoutRequest } from './logout-request.js'
import { PROVIDER_NAME } from './state.js'
import type { ProviderState } from './state.js'

const DECISION_TIME = 600_000

/** The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0), and the provider's own page with its buttons. */
export function signOutRoutes (app: FastifyInstance, provider: ProviderState): void {
  const { sessions, known, now } = provider
  const pending = new LiveTokens<LogoutRequest>(now)

  async function endSession (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const wanted = await readLogoutRequest(readParameters(request), provider)
    if (typeof wanted === 'string') return sendPage(reply.code(400), refusal('This request is not valid', wanted))
    const session = sessions.find(request)
    if (session === null) return leave(reply, wanted, 'No one was signed in.')
    // Any page can send a person here: only the ID token of this session shows that the app's user asks for it.
    if (wanted.sid === session.id) return leave(reply, wanted, await endHere(session))
    const id = secretForThisRun()
    pending.add(id, wanted, now() + DECISION_TIME)
    return sendPage(reply, signOutPage(PROVIDER_NAME, id, session.person))
  }

  async function signOut (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const form = readParameters(request)
    const id = form?.get('request')
    const wanted = id === undefined ? null : pending.take(id)
    if (form === null || (id !== undefined && wanted === null)) {
      return sendPage(reply.code(400), refusal('This page has expired', 'Go back to the app and sign out again.'))
    }
    const session = sessions.find(request)
    if (form.has('stay')) return reply.redirect('/', 303)
    if (session === null) return leave(reply, wanted, 'No one was signed in.')
    const outcome = form.get('scope') === 'everywhere' ? await endEverywhere(session) : await endHere(session)
    return leave(reply, wanted, outcome)
  }

  /** Ends one session, and notifies the app if it knows the session. */
  async function endHere (session: ProviderSession): Promise<string> {
    sessions.end(session)
    const { id, person } = session
    return known.has(session) ? notifyApp(provider, { sub: person.id, sid: id }) : 'The app did not know this session.'
  }

  /** Ends the sessions of a person in all browsers, and the app's sessions of earlier sign-ins too. */
  async function endEverywhere ({ person: { id } }: ProviderSession): Promise<string> {
    sessions.end(...sessions.ofPerson(id))
    return notifyApp(provider, { sub: id, sid: null })
  }

  function leave (reply: FastifyReply, wanted: LogoutRequest | null, outcome: string): FastifyReply {
    if (wanted !== null && wanted.redirectUri !== null) {
      return reply.redirect(withQuery(wanted.redirectUri, { state: wanted.state }), 303)
    }
    return sendPage(reply, messagePage(PROVIDER_NAME, 'Signed out', `<p>${escapeHtml(outcome)}</p>`))
  }

  app.route({ method: ['GET', 'POST'], url: '/end-session', handler: endSession })
  app.post('/sign-out', { preHandler: ownFormsOnly }, signOut)
  accountRoute(app, PROVIDER_NAME, sessions)
}
