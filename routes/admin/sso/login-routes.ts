import type { FastifyInstance } from 'fastify'

import { GatehouseError, INVALID_CREDENTIALS, INVALID_REQUEST, NOT_FOUND } from '../../../lib/errors.js'
import type { ProviderKind, VerifiedDomain } from '../../../contracts/token-store/index.js'
import { ssoSchemas } from '../../../schemas/admin-sso.js'
import type { Discovery, DiscoveryQuery, SsoLogout, SsoTokenBody, StartQuery } from '../../../schemas/admin-sso.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { SecretBox } from '../../../signing/secret-box.js'
import { adminOf } from '../admin-scope.js'
import { idOf, optionalBody } from '../request.js'
import { emailOf } from './domain-name.js'
import { HINT_CONTEXT, LOGIN_CONTEXT, safeError } from './finish.js'
import type { FinishedLogin } from './finish.js'
import type { SsoCore } from './protocol.js'
import type { Providers } from './providers.js'
import type { SsoTransactions } from './transactions.js'

export interface LoginRouteParts {
  core: SsoCore
  providers: Providers
  transactions: SsoTransactions
  findDomain: (domain: string) => Promise<VerifiedDomain | null>
  /** `publicUrl` and the path prefix of the routes. */
  baseUrl: string
  box: SecretBox
}

const open = { gatehouse: { admin: false } }
/** One slash, and no backslash, which browsers read as a slash. */
const PATH = /^\/(?![/\\])[^\\\p{Cc}\p{Cs}]*$/u

/** Registers the routes of a login at an identity provider that need no access token. */
export function ssoLoginRoutes (scope: FastifyInstance, parts: LoginRouteParts): void {
  const { core, providers, transactions, findDomain, baseUrl } = parts

  scope.get<{ Querystring: DiscoveryQuery }>(
    '/auth/sso',
    { schema: ssoSchemas.discover, config: open },
    async function discover (request): Promise<Discovery> {
      const { email } = request.query
      if (email === undefined) return { required: false, providers: providers.configured().map(viewStart) }
      const address = emailOf(email)
      const domain = address === null ? null : await findDomain(address.domain)
      if (domain === null) return { required: false, providers: [] }
      const found = await providers.ofOrganisation(domain.orgId)
      return { required: domain.sso === 'required', providers: found.map(viewStart) }
    }
  )

  scope.get<{ Querystring: StartQuery, Params: { kind: ProviderKind } }>(
    '/auth/sso/:kind/:id/start',
    { schema: ssoSchemas.start, config: open },
    async function start (request, reply) {
      const { return_to: returnTo = null, login_hint: loginHint = null } = request.query
      if (returnTo !== null && !isPath(returnTo)) {
        throw new INVALID_REQUEST({ details: [{ path: '/return_to', message: 'must be a path of this site' }] })
      }
      const provider = await core.find(request.params.kind, idOf(request.params))
      const parts = providers.protocolOf(provider.kind)
      if (parts === null) throw new INVALID_REQUEST()
      const state = transactions.newState()
      let started
      try {
        started = await parts.protocol.start(provider, { state, loginHint })
      } catch (cause) {
        if (!(cause instanceof GatehouseError)) throw cause
        const detail = cause.reason ?? cause.code
        return core.fail(request, reply, { provider, reason: 'provider_unavailable', detail, cause })
      }
      transactions.begin(request, reply, { provider, state, returnTo, data: started.data })
      return reply.redirect(started.url, 303)
    }
  )

  function viewStart ({ id, kind, name }: { id: string, kind: ProviderKind, name: string }) {
    return { id, kind, name, start_url: `${baseUrl}/auth/sso/${kind}/${id}/start` }
  }
}

/** Registers the route that exchanges the code of a finished login for tokens. */
export function ssoTokenRoute (
  scope: FastifyInstance,
  { core, transactions, box }: Pick<LoginRouteParts, 'core' | 'transactions' | 'box'>
): void {
  const { ssoLogins, users } = scope.tokenStore

  scope.post<{ Body: SsoTokenBody }>(
    '/auth/sso/token',
    { schema: ssoSchemas.token, config: open },
    async function exchangeCode (request, reply) {
      const binding = transactions.boundOf(request)
      if (binding === null) throw expired('the browser has no cookie of a finished login')
      const sealed = await ssoLogins.take(sha256Hex(request.body.code))
      transactions.unbind(reply)
      if (sealed === null) throw expired('the code is unknown, used or expired')
      const login = openLogin(sealed)
      if (login.binding !== binding) throw expired('the code belongs to another browser')
      const { userId, orgId, epoch, sso, mfaAt } = login
      const provider = await core.find(login.kind, sso.providerId).catch((error: unknown) => {
        if (error instanceof NOT_FOUND) return null
        throw error
      })
      const user = await users.get(userId, orgId)
      if (provider === null || user === null || user.disabled || user.epoch !== epoch) {
        throw expired('the user or the provider has changed since')
      }
      return scope.adminLogins.continueLogin(request, reply, user, {
        sso: { ...sso, kind: provider.kind },
        mfaAt,
        audit: { action: 'auth.sso_login', changes: { provider_id: provider.id, provider: provider.name } }
      })
    }
  )

  function openLogin (sealed: string): FinishedLogin {
    try {
      return JSON.parse(box.open(sealed, LOGIN_CONTEXT).toString()) as FinishedLogin
    } catch {
      throw expired('the login cannot be decrypted; check that "jwtSecrets" is the same on all instances')
    }
  }
}

/** Registers the logout of a session that an identity provider started. */
export function ssoLogoutRoute (
  scope: FastifyInstance,
  { core, providers, box }: Pick<LoginRouteParts, 'core' | 'providers' | 'box'>
): void {
  const { sessions } = scope.tokenStore

  scope.post(
    '/auth/sso/logout',
    { schema: ssoSchemas.logout, config: { gatehouse: { admin: true } }, ...optionalBody },
    async function logout (request): Promise<SsoLogout> {
      const { sid, sub } = adminOf(request)
      const sso = await sessions.ssoOf(sid)
      await sessions.end(sid, sub)
      scope.adminLogins.forgetRefreshToken(request)
      scope.audit({
        action: 'auth.logout',
        request,
        resourceType: 'session',
        resourceId: sid,
        changes: { reason: 'logout', ...sso === null ? {} : { provider_id: sso.providerId } }
      })
      if (sso === null) return { logout_url: null }
      try {
        const kind = providers.configured().find(({ id }) => id === sso.providerId)?.kind ??
          (await scope.tokenStore.identityProviders.resolve(sso.providerId))?.kind
        if (kind === undefined) return { logout_url: null }
        const provider = await core.find(kind, sso.providerId)
        const protocol = providers.protocolOf(kind)?.protocol
        return { logout_url: await protocol?.logoutUrl(provider, sso, openHint(sso.sealedHint)) ?? null }
      } catch (error) {
        // The session here has ended; the provider's page is an addition.
        request.log.warn(
          { err: safeError(error), providerId: sso.providerId },
          'the identity provider cannot be logged out of'
        )
        return { logout_url: null }
      }
    }
  )

  function openHint (sealed: string | null): string | null {
    try {
      return sealed === null ? null : box.open(sealed, HINT_CONTEXT).toString()
    } catch {
      return null
    }
  }
}

function isPath (text: string): boolean {
  if (!PATH.test(text)) return false
  const url = new URL(text, 'https://gatehouse.invalid')
  return url.host === 'gatehouse.invalid' && url.pathname !== '' && !url.pathname.startsWith('//')
}

function expired (reason: string): GatehouseError {
  return new INVALID_CREDENTIALS({ message: 'The login has expired; log in again', reason })
}
