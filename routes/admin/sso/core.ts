import type { FastifyInstance, FastifyRequest } from 'fastify'

import { requestNetwork } from '../../../lib/http/client-address.js'
import { INVALID_OPTIONS } from '../../../lib/errors.js'
import type { VerifiedDomain } from '../../../contracts/token-store/index.js'
import { adminScope, callerKey, limitBy } from '../admin-scope.js'
import { ssoAccounts } from './accounts.js'
import { domainRoutes } from './domain-routes.js'
import { domainProof } from './domain-proof.js'
import { ssoFinish } from './finish.js'
import { identityRoutes } from './identity-routes.js'
import { ssoLoginRoutes, ssoLogoutRoute, ssoTokenRoute } from './login-routes.js'
import { ssoSettingsOf } from './options.js'
import type { SsoOptions } from './options.js'
import type { SsoCore } from './protocol.js'
import { providerRoutes } from './provider-routes.js'
import { Providers } from './providers.js'
import { ssoTransactions } from './transactions.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The services that the plugins for single sign-on share. Decorated by the first of them. */
    adminSso: { core: SsoCore, options: string }
  }
}

/**
 * Returns what the plugins for single sign-on share in one app. The first plugin registers the shared routes. Throws
 * `INVALID_OPTIONS`, also if the options of the plugins differ.
 */
export async function useAdminSso (app: FastifyInstance, plugin: string, options: SsoOptions): Promise<SsoCore> {
  const settings = ssoSettingsOf(plugin, options)
  const { now: _now, ...comparable } = settings
  const text = JSON.stringify({ ...comparable, domains: [...comparable.domains] })
  if (!app.hasDecorator('adminSso')) {
    app.decorate('adminSso', { core: await createCore(app, options), options: text })
  } else if (app.adminSso.options !== text) {
    throw new INVALID_OPTIONS(
      `${plugin}: the plugins for single sign-on share their options in one app; give them the same "publicUrl", ` +
        '"loginPage", "domains" and limits'
    )
  }
  return app.adminSso.core

  async function createCore (app: FastifyInstance, options: SsoOptions): Promise<SsoCore> {
    const { prefix, publicUrl, loginPage, domains, loginRateLimit, userRateLimit, now } = settings
    const { ssoDomains, identityProviders, sessions } = app.tokenStore
    const providers = new Providers(identityProviders)
    const configuredDomain = (domain: string): VerifiedDomain | null => domains.get(domain) ?? null
    const findDomain = async (domain: string) => configuredDomain(domain) ?? await ssoDomains.findVerified(domain)
    app.adminLogins.configuredDomains = configuredDomain
    app.adminLogins.isSsoValid = async ({ providerId, subject }, userId) =>
      await providers.isEnabled(providerId) &&
      (await app.tokenStore.identities.find(providerId, subject))?.userId === userId
    let core: SsoCore | null = null

    await adminScope(app, 'admin-sso', { ...options, prefix }, async (scope) => {
      const { box } = scope.adminTokens
      const transactions = ssoTransactions({ box, claim: (key, ttl) => scope.tokenStore.claim(key, ttl), now })
      // A logout at the provider may arrive while its response is verified, which takes calls of the provider.
      const arrivals = new WeakMap<FastifyRequest, number>()
      const arrivedAt = (request: FastifyRequest) => arrivals.get(request) ?? now()
      const accountOf = ssoAccounts(scope, { findDomain })
      const shared: SsoCore = core = {
        publicUrl,
        now,
        use: (protocol, configured) => providers.add(protocol, configured),
        find: (kind, id) => providers.find(kind, id),
        ...ssoFinish(scope, { loginPage, transactions, accountOf, box, arrivedAt, now }),

        async takeTransaction (request, reply, response) {
          arrivals.set(request, now())
          return await transactions.take(request, reply, response)
        },

        async endSessions (request, { id, orgId }, by) {
          const ended = await sessions.endSso(id, by)
          for (const { id: sid, userId, email } of ended) {
            scope.audit({
              action: 'auth.logout',
              request,
              orgId,
              userId,
              userEmail: email,
              resourceType: 'session',
              resourceId: sid,
              changes: { reason: 'identity_provider', provider_id: id }
            })
          }
          return ended.length
        },

        async routes (kind, define) {
          await adminScope(app, `admin-${kind}`, { ...options, prefix: `${prefix}/auth/sso/${kind}` }, async (own) => {
            await limitBy(own, `sso-${kind}`, loginRateLimit, requestNetwork)
            await define(own)
          })
        }
      }
      const baseUrl = publicUrl + prefix
      await scope.register(async (open) => {
        await limitBy(open, 'sso-login', loginRateLimit, requestNetwork)
        ssoLoginRoutes(open, { core: shared, providers, transactions, findDomain, baseUrl, box })
        await open.register(async (page) => {
          app.adminLogins.guardPages(page)
          ssoTokenRoute(page, { core: shared, transactions, box })
        })
      })
      await scope.register(async (guarded) => {
        await limitBy(guarded, 'sso', userRateLimit, callerKey)
        ssoLogoutRoute(guarded, { core: shared, providers, box })
        providerRoutes(guarded, { providers, quota: settings.providerQuota, now })
        domainRoutes(guarded, {
          quota: settings.domainQuota,
          isProved: domainProof(settings.nameServers),
          hasProvider: async (orgId) => (await providers.ofOrganisation(orgId)).length > 0
        })
        identityRoutes(guarded)
      })
    })
    if (core === null) throw new INVALID_OPTIONS(`${plugin}: the routes could not be registered`)
    return core
  }
}
