import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { useFormBody } from '../../../lib/http/form-body.js'
import { sendProtected } from '../../../lib/http/protected-replies.js'
import { refuseUnknownOptions } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { samlMetadataRouteSchema } from '../../../schemas/admin-saml.js'
import type { SamlSettingsBody } from '../../../schemas/admin-saml.js'
import { useAdminSso } from '../sso/core.js'
import { SSO_OPTIONS, ssoSettingsOf } from '../sso/options.js'
import type { ConfiguredProvider, SsoOptions } from '../sso/options.js'
import { acsRoute } from './acs.js'
import { samlProtocol } from './protocol.js'
import { settingsOf } from './service.js'
import type { SamlService } from './service.js'
import { logoutRoutes } from './slo.js'
import { serviceMetadata } from './sp-metadata.js'
import { openSamlTools } from './tools.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../../plugins/admin-guard/index.js'
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/token-store/index.js'

/** A SAML provider that the host configures. */
export interface ConfiguredSamlProvider extends Omit<ConfiguredProvider, 'settings'> {
  /** As in the admin API: by hand, or with `metadata_xml`. */
  settings: SamlSettingsBody
}

export interface AdminSamlOptions extends SsoOptions {
  /** SAML providers that the host configures. Default: none, only those of the admin API. */
  providers?: readonly ConfiguredSamlProvider[]
}

const KNOWN: KnownOptions<AdminSamlOptions> = { ...SSO_OPTIONS, providers: true }

/**
 * Registers SAML 2.0 single sign-on for administrators: the shared routes of single sign-on, and the metadata, the
 * assertion consumer service and the single logout service of this service provider. Needs `adminAuth`, and the
 * packages `@node-saml/node-saml`, `@xmldom/xmldom` and `xml-crypto`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminSaml, { publicUrl: 'https://gate.example.com', loginPage: '/login' })
 */
const adminSaml: FastifyPluginAsync<AdminSamlOptions> = async (app, options) => {
  refuseUnknownOptions('adminSaml', options, KNOWN)
  const { providers = [], ...shared } = options
  const { prefix, publicUrl, loginPage, now } = ssoSettingsOf('admin-saml', shared)
  const path = `${prefix}/auth/sso/saml`
  const service: SamlService = {
    tools: await openSamlTools(),
    urls (id) {
      const base = `${publicUrl}${path}/${id}`
      return { entityId: `${base}/metadata`, acs: `${base}/acs`, slo: `${base}/slo` }
    },
    now
  }
  const core = await useAdminSso(app, 'admin-saml', shared)
  core.use(samlProtocol(service), providers)
  await core.routes('saml', async (scope) => {
    useFormBody(scope)
    scope.get<{ Params: { id: string } }>('/:id/metadata', { schema: samlMetadataRouteSchema }, async (request, reply) => {
      const provider = await core.find('saml', request.params.id)
      const xml = serviceMetadata(service.urls(provider.id), settingsOf(provider))
      return sendProtected(reply.type('application/samlmetadata+xml; charset=utf-8'), xml)
    })
    acsRoute(scope, core, service)
    logoutRoutes(scope, core, service, { loginPage, scriptUrl: `${publicUrl}${path}/submit.js` })
  })
}

export default fp(adminSaml, {
  name: 'gatehouse-admin-saml',
  fastify: '5.x',
  decorators: { fastify: ['adminLogins'] }
})
export { samlSettingsFrom } from './metadata-import.js'
export type { SamlSettings, SamlSettingsBody } from '../../../schemas/admin-saml.js'
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { AdminGuardOptions, AdminTokensOptions } from '../../../plugins/admin-guard/index.js'
export type { AdminScopeOptions } from '../admin-scope.js'
export type { Role, RoleRules, SsoPolicy } from '../../../contracts/token-store/index.js'
export type { ConfiguredDomain, ConfiguredProvider, SsoOptions } from '../sso/options.js'
