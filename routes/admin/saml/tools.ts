import type { CacheProvider, SAML, SamlConfig } from '@node-saml/node-saml'

import { importOptionalLater } from '../../../lib/optional-package.js'
import type { SamlSettings } from '../../../schemas/admin-saml.js'
import { signMessage } from './sign-message.js'
import { PERSISTENT } from './name-id.js'
import { openXmlParser } from './xml.js'
import type { ParseXml } from './xml.js'

/** The URLs of this service provider for one identity provider. */
export interface Side {
  /** The entity id of this service provider. */
  audience: string
  /** The URL of the assertion consumer service. */
  recipient: string
}

/** The functions of the optional packages of SAML. */
export interface SamlTools {
  parseXml: ParseXml
  /**
   * Returns the protocol for one provider as it is now: settings are never cached. Times are not checked by it but by
   * `readAssertion`, which knows the clock of the app.
   */
  saml (settings: SamlSettings, side: Side, more?: Partial<SamlConfig>): Promise<SAML>
  /** Signs a message with a private key (PEM). */
  signXml (xml: string, key: string): Promise<string>
}

/** Ids of requests are in the transaction of the browser, not in the memory of one process. */
const NO_CACHE: CacheProvider = {
  saveAsync: async () => null,
  getAsync: async () => null,
  removeAsync: async () => null
}

/** @throws Error that says what to install if a package is missing */
export async function openSamlTools (): Promise<SamlTools> {
  const why = 'SAML single sign-on of administrators'
  const loadSaml = await importOptionalLater('@node-saml/node-saml', () => import('@node-saml/node-saml'), why)
  const loadCrypto = await importOptionalLater('xml-crypto', () => import('xml-crypto'), why)
  return {
    parseXml: await openXmlParser(),
    signXml: async (xml, key) => signMessage(await loadCrypto(), xml, key),
    saml: async (settings, { audience, recipient }, more = {}) => new (await loadSaml()).SAML({
      issuer: audience,
      // `readAssertion` checks it, for an audit entry with the right reason.
      audience: false,
      callbackUrl: recipient,
      idpCert: [...settings.certificates],
      idpIssuer: settings.idp_entity_id,
      entryPoint: settings.entry_point,
      ...settings.logout_url === undefined ? {} : { logoutUrl: settings.logout_url },
      identifierFormat: settings.name_id_format ?? PERSISTENT,
      disableRequestedAuthnContext: true,
      acceptedClockSkewMs: -1,
      wantAssertionsSigned: true,
      signatureAlgorithm: 'sha256',
      digestAlgorithm: 'sha256',
      cacheProvider: NO_CACHE,
      ...more
    })
  }
}
