import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import {
  samlLogoutByPostRouteSchema,
  samlLogoutByRedirectRouteSchema,
  samlSubmitScriptRouteSchema
} from '../../../schemas/admin-saml.js'
import type { SloMessage } from '../../../schemas/admin-saml.js'
import { sendProtected } from '../../../lib/http/protected-replies.js'
import type { SsoCore, SsoProvider } from '../sso/protocol.js'
import { FORM_LIMIT, useOnce } from './acs.js'
import { openPostedLogout, openRedirectedLogout } from './logout-request.js'
import type { LogoutRequest } from './logout-request.js'
import { logoutResponsePage, logoutResponseUrl } from './logout-response.js'
import { expectedOf, settingsOf } from './service.js'
import type { SamlService } from './service.js'
import { InvalidMessage } from './xml.js'

const SUBMIT_SCRIPT = 'document.forms[0].submit()\n'

export interface LogoutRoutesOptions {
  /** Where the browser goes after a logout. */
  loginPage: string
  /** The URL path of the script that submits the page. */
  scriptUrl: string
}

/** Registers the single logout service, which receives the LogoutRequests and LogoutResponses of providers. */
export function logoutRoutes (
  scope: FastifyInstance,
  core: SsoCore,
  service: SamlService,
  { loginPage, scriptUrl }: LogoutRoutesOptions
): void {
  const { tools, urls } = service

  scope.get<{ Params: { id: string }, Querystring: SloMessage }>(
    '/:id/slo',
    { schema: samlLogoutByRedirectRouteSchema },
    async (request, reply) => {
      const url = request.raw.url ?? ''
      return await receive(request, reply, request.query, (provider) =>
        openRedirectedLogout(tools, url.slice(url.indexOf('?') + 1), expectedLogout(provider))
      )
    }
  )

  scope.post<{ Params: { id: string }, Body: SloMessage }>(
    '/:id/slo',
    { schema: samlLogoutByPostRouteSchema, bodyLimit: FORM_LIMIT },
    async (request, reply) => await receive(request, reply, request.body, (provider, encoded) =>
      openPostedLogout(tools, encoded, expectedLogout(provider))
    )
  )

  scope.get('/submit.js', { schema: samlSubmitScriptRouteSchema }, async (_request, reply) => {
    reply.type('text/javascript; charset=utf-8').header('X-Content-Type-Options', 'nosniff')
    return sendProtected(reply, SUBMIT_SCRIPT)
  })

  function expectedLogout (provider: SsoProvider) {
    const { slo: destination } = urls(provider.id)
    const settings = settingsOf(provider)
    return { ...expectedOf(service, provider), settings, secrets: provider.secrets, destination }
  }

  async function receive (
    request: FastifyRequest<{ Params: { id: string } }>,
    reply: FastifyReply,
    { SAMLRequest, SAMLResponse, RelayState = '' }: SloMessage,
    open: (provider: SsoProvider, encoded: string) => LogoutRequest | Promise<LogoutRequest>
  ): Promise<FastifyReply> {
    const provider = await core.find('saml', request.params.id)
    // The session here has ended before the LogoutRequest was sent: a response changes nothing.
    if (SAMLRequest === undefined && SAMLResponse !== undefined) return reply.redirect(loginPage, 303)
    try {
      const logout = await open(provider, SAMLRequest ?? '')
      await useOnce(scope.tokenStore, `logout:${provider.id}:${logout.id}`, logout.endsAt - service.now())
      await endSessions(request, provider, logout)
      return await answer(reply, provider, logout.id, RelayState)
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error
      const detail = `logout: ${error.message}`
      return core.fail(request, reply, { provider, reason: 'invalid_response', detail })
    }
  }

  async function endSessions (
    request: FastifyRequest,
    provider: SsoProvider,
    { subject, sessionIndexes }: LogoutRequest
  ): Promise<void> {
    if (sessionIndexes.length === 0) await core.endSessions(request, provider, { subject })
    for (const providerSession of sessionIndexes) {
      await core.endSessions(request, provider, { subject, providerSession })
    }
  }

  async function answer (
    reply: FastifyReply,
    provider: SsoProvider,
    requestId: string,
    relayState: string
  ): Promise<FastifyReply> {
    const settings = settingsOf(provider)
    if (settings.logout_url === undefined) return reply.redirect(loginPage, 303)
    const { audience, recipient } = expectedOf(service, provider)
    const key = provider.secrets[0] ?? null
    const logout = { settings, side: { audience, recipient }, requestId, relayState, key }
    if (settings.logout_binding !== 'post') return reply.redirect(await logoutResponseUrl(tools, logout), 303)
    const target = new URL(settings.logout_url).origin
    reply.type('text/html; charset=utf-8').header('X-Content-Type-Options', 'nosniff').header(
      'Content-Security-Policy',
      `default-src 'none'; script-src 'self'; form-action ${target}; base-uri 'none'; frame-ancestors 'none'`
    )
    return sendProtected(reply, await logoutResponsePage(tools, logout, scriptUrl))
  }
}
