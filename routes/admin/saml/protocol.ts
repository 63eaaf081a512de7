import { randomBytes } from 'node:crypto'

import { SamlSettingsBodySchema } from '../../../schemas/admin-saml.js'
import type { SamlSettings } from '../../../schemas/admin-saml.js'
import type { SsoProtocol } from '../sso/protocol.js'
import type { NameId } from './name-id.js'
import { signUrl } from './redirect-binding.js'
import { settingsOf } from './service.js'
import type { SamlService } from './service.js'
import { certificateWarnings, checkSecret, checkSettings, completeSettings } from './settings.js'

/** The data of a login between its start and the response: the id of the AuthnRequest. */
export interface LoginData extends Record<string, string> {
  request: string
}

/** Returns the protocol SAML 2.0: settings, the AuthnRequest and the LogoutRequest. */
export function samlProtocol (service: SamlService): SsoProtocol {
  const { tools, urls, now } = service

  function sideOf (id: string) {
    const { entityId, acs } = urls(id)
    return { audience: entityId, recipient: acs }
  }

  return {
    kind: 'saml',
    issuerSetting: 'idp_entity_id',
    settingsSchema: SamlSettingsBodySchema,
    completeSettings: (body) => completeSettings(tools.parseXml, body),
    checkSettings: (settings) => checkSettings(settings as unknown as SamlSettings),
    checkSecret: (secret, settings) => checkSecret(secret, settings as unknown as SamlSettings),
    warningsOf: (settings) => certificateWarnings(settings as unknown as SamlSettings, now()),
    urlsOf (id) {
      const { entityId, acs, slo } = urls(id)
      return { entity_id: entityId, metadata_url: entityId, acs_url: acs, slo_url: slo }
    },
    async start (provider, { state }) {
      const settings = settingsOf(provider)
      const request = `_${randomBytes(20).toString('hex')}`
      const saml = await tools.saml(settings, sideOf(provider.id), { generateUniqueId: () => request })
      const url = await saml.getAuthorizeUrlAsync(state, undefined, {})
      const [key] = settings.sign_requests === true ? provider.secrets : []
      return { url: key === undefined ? url : signUrl(url, 'SAMLRequest', key), data: { request } satisfies LoginData }
    },
    async logoutUrl (provider, { providerSession }, hint) {
      const settings = settingsOf(provider)
      if (settings.logout_url === undefined || settings.logout_binding === 'post' || hint === null) return null
      const { value, format, nameQualifier, spNameQualifier } = JSON.parse(hint) as NameId
      const saml = await tools.saml(settings, sideOf(provider.id))
      const url = await saml.getLogoutUrlAsync({
        issuer: settings.idp_entity_id,
        nameID: value,
        // Without a format the attribute is empty, which is the same as unspecified.
        nameIDFormat: format ?? '',
        ...nameQualifier === null ? {} : { nameQualifier },
        ...spNameQualifier === null ? {} : { spNameQualifier },
        ...providerSession === null ? {} : { sessionIndex: providerSession }
      }, '', {})
      const [key] = provider.secrets
      return key === undefined ? url : signUrl(url, 'SAMLRequest', key)
    }
  }
}
