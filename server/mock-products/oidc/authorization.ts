import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { sendPage } from '../mock-product.js'
import { refusal } from '../page.js'
import type { ProviderSession } from '../sign-in/browser-sessions.js'
import { readParameters, withQuery } from '../sign-in/parameters.js'
import { signInForm } from '../sign-in/sign-in-form.js'
import { readAuthorizationRequest } from './authorization-request.js'
import type { AuthorizationError, AuthorizationRequest } from './authorization-request.js'
import { notifyApp } from './backchannel-logout.js'
import { PROVIDER_NAME } from './state.js'
import type { ProviderState } from './state.js'

/** The authorization endpoint and its sign-in form. */
export function authorizationRoutes (app: FastifyInstance, provider: ProviderState): void {
  const { client, people, sessions, known, grants, keys, now } = provider
  const sendSignInPage = signInForm<AuthorizationRequest>(app, {
    provider: PROVIDER_NAME,
    app: client.id,
    people,
    sessions,
    now,
    async signedIn (reply, wanted, { session, replaced }) {
      if (replaced !== null && known.has(replaced)) {
        await notifyApp(provider, { sub: replaced.person.id, sid: replaced.id })
      }
      return sendCode(reply, wanted, session)
    },
    cancelled: (reply, wanted) =>
      sendError(reply, wanted, { error: 'access_denied', description: 'The person cancelled the sign-in' })
  })

  async function authorize (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const read = readAuthorizationRequest(readParameters(request), client)
    if (read.verdict === 'refused') return sendPage(reply.code(400), refusal('This request is not valid', read.reason))
    if (read.verdict === 'error') return sendError(reply, read, read.error)
    const wanted = read.request
    const hinted = wanted.idTokenHint === null ? null : await keys.verifyIdToken(wanted.idTokenHint)
    if (wanted.idTokenHint !== null && hinted === null) {
      return sendError(reply, wanted, { error: 'invalid_request', description: 'id_token_hint is not valid' })
    }
    const session = sessions.find(request)
    if (session !== null && suffices(session, wanted, hinted?.sub)) return sendCode(reply, wanted, session)
    if (wanted.prompts.includes('none')) {
      return sendError(reply, wanted, { error: 'login_required', description: 'The person has to sign in' })
    }
    return sendSignInPage(reply, wanted, wanted.loginHint)
  }

  /** Returns whether a session answers the request without a new sign-in. */
  function suffices (
    { person, authTime }: ProviderSession,
    { prompts, maxAge, loginHint }: AuthorizationRequest,
    subject: string | undefined
  ): boolean {
    if (prompts.some((prompt) => prompt !== 'none')) return false
    if (maxAge !== null && now() - authTime >= maxAge) return false
    if (subject !== undefined && subject !== person.id) return false
    return loginHint === null || loginHint === person.email || !people.some(({ email }) => email === loginHint)
  }

  function sendCode (
    reply: FastifyReply,
    { redirectUri, codeChallenge, nonce, scopes, state }: AuthorizationRequest,
    session: ProviderSession
  ): FastifyReply {
    const code = grants.issueCode({ redirectUri, codeChallenge, nonce, scopes, session, authTime: session.authTime })
    return reply.redirect(withQuery(redirectUri, { code, state, iss: provider.issuer }), 303)
  }

  function sendError (
    reply: FastifyReply,
    { redirectUri, state }: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
    { error, description }: AuthorizationError
  ): FastifyReply {
    const answer = { error, error_description: description, state, iss: provider.issuer }
    return reply.redirect(withQuery(redirectUri, answer), 303)
  }

  app.route({ method: ['GET', 'POST'], url: '/authorize', handler: authorize })
}
