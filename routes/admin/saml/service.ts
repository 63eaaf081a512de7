import type { SamlSettings } from '../../../schemas/admin-saml.js'
import type { SsoProvider } from '../sso/protocol.js'
import { skewOf } from './settings.js'
import type { ServiceUrls } from './sp-metadata.js'
import type { SamlTools } from './tools.js'

/** The services that the routes and the protocol of `adminSaml` share. */
export interface SamlService {
  tools: SamlTools
  /** Returns the URLs of this service provider for an identity provider. */
  urls (id: string): ServiceUrls
  now: () => number
}

/** Returns the settings of a provider: they have passed the schema before they were stored. */
export function settingsOf ({ settings }: SsoProvider): SamlSettings {
  return settings as unknown as SamlSettings
}

/** Returns what the responses of a provider must fit, except the id of the request. */
export function expectedOf ({ urls, now }: SamlService, provider: SsoProvider) {
  const { entityId, acs } = urls(provider.id)
  const settings = settingsOf(provider)
  return { issuer: settings.idp_entity_id, audience: entityId, recipient: acs, now: now(), skew: skewOf(settings) }
}
