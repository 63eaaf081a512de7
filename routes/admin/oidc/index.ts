import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { assertBoolean, assertWholeNumber, refuseUnknownOptions } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
import type { OidcSettings } from '../../../schemas/admin-oidc.js'
import { useAdminSso } from '../sso/core.js'
import { SSO_OPTIONS, ssoSettingsOf } from '../sso/options.js'
import type { ConfiguredProvider, SsoOptions } from '../sso/options.js'
import { backchannelLogoutRoute } from './backchannel-logout.js'
import { callbackRoute } from './callback.js'
import { KnownProviders } from './known-providers.js'
import { openPackages } from './packages.js'
import { oidcProtocol } from './protocol.js'
import type { OidcProtocolParts } from './protocol.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../../plugins/admin-guard/index.js'
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/token-store/index.js'

/** A provider of OpenID Connect that the host configures. */
export interface ConfiguredOidcProvider extends Omit<ConfiguredProvider, 'settings'> {
  /** As in the admin API. */
  settings: OidcSettings
}

export interface AdminOidcOptions extends SsoOptions {
  /**
   * Providers of the host, beside those that organisations add by the admin API. They may be at private addresses.
   * Default: none.
   */
  providers?: readonly ConfiguredOidcProvider[]
  /**
   * Lets organisations add providers at addresses of private networks and of this machine. The server then calls any
   * address that an owner of an organisation enters. Default: `false`.
   */
  allowPrivateProviders?: boolean
  /** Maximum time of each call to a provider, in milliseconds, 100 to 8 000. Default: 5 000. */
  timeout?: number
  /** Certificate authorities (PEM) of providers that replace the system's own. Default: the system's own. */
  ca?: UpstreamClientOptions['ca']
}

const KNOWN: KnownOptions<AdminOidcOptions> = {
  ...SSO_OPTIONS,
  providers: true,
  allowPrivateProviders: true,
  timeout: true,
  ca: true
}

/**
 * Registers the login of administrators at providers of OpenID Connect. Needs `adminAuth`, and the packages
 * `openid-client` and `jose`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminOidc, {
 *   jwtSecrets: [process.env.JWT_SECRET],
 *   publicUrl: 'https://gate.example.com',
 *   loginPage: '/login'
 * })
 */
const adminOidc: FastifyPluginAsync<AdminOidcOptions> = async (app, options) => {
  refuseUnknownOptions('adminOidc', options, KNOWN)
  const { providers: configured = [], allowPrivateProviders = false, timeout = 5_000, ca, ...shared } = options
  assertBoolean('admin-oidc', 'allowPrivateProviders', allowPrivateProviders)
  assertWholeNumber('admin-oidc', 'timeout', timeout, { min: 100, max: 8_000, unit: 'milliseconds' })
  const { prefix, publicUrl, loginPage, now } = ssoSettingsOf('admin-oidc', shared)
  const loadPackages = await openPackages()
  const core = await useAdminSso(app, 'admin-oidc', shared)
  const ofHost = new Set(configured.map(({ id }) => id))
  const baseUrl = `${publicUrl}${prefix}/auth/sso/oidc`
  const parts: OidcProtocolParts = {
    loadPackages,
    providers: new KnownProviders({
      loadPackages,
      timeout,
      allowPrivate: ({ id }) => allowPrivateProviders || ofHost.has(id),
      ca,
      clock: options.now ?? (() => performance.now()),
      log: app.log
    }),
    allowPrivateProviders,
    urlsOf: (id) => ({
      redirect_uri: `${baseUrl}/${id}/callback`,
      backchannel_logout_uri: `${baseUrl}/${id}/backchannel-logout`,
      post_logout_redirect_uri: loginPage
    }),
    now
  }
  core.use(oidcProtocol(parts), configured)
  await core.routes('oidc', async (scope) => {
    callbackRoute(scope, core, parts)
    await backchannelLogoutRoute(scope, core, parts)
  })
}

export default fp(adminOidc, {
  name: 'gatehouse-admin-oidc',
  fastify: '5.x',
  decorators: { fastify: ['adminLogins'] }
})
export type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
export type { OidcSettings } from '../../../schemas/admin-oidc.js'
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { AdminGuardOptions, AdminTokensOptions } from '../../../plugins/admin-guard/index.js'
export type { AdminScopeOptions } from '../admin-scope.js'
export type { ConfiguredDomain, ConfiguredProvider, SsoOptions } from '../sso/options.js'
export type { Role, RoleRules, SsoPolicy } from '../../../contracts/token-store/index.js'
