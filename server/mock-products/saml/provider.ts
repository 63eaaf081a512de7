import { X509Certificate } from 'node:crypto'

import { listenOnLoopback, mockProductApp } from '../mock-product.js'
import type { MockProduct } from '../mock-product.js'
import { serveAssets } from '../page.js'
import { BrowserSessions } from '../sign-in/browser-sessions.js'
import { acceptForms } from '../sign-in/parameters.js'
import { DEMO_PEOPLE } from '../sign-in/people.js'
import type { Person } from '../sign-in/people.js'
import { SigningPairs } from './certificate.js'
import { metadataRoute } from './metadata.js'
import { sloRoutes } from './slo.js'
import { ssoRoutes } from './sso.js'
import type { ProviderState, ServiceProvider } from './state.js'
import { loadXmlPackages } from './xml.js'

export type { ServiceProvider } from './state.js'

export interface SamlProviderOptions {
  /** The app that is registered with the provider. */
  sp: ServiceProvider
  /** Who can sign in. Default: the demo people. */
  people?: readonly Person[]
  /** The loopback port. A fixed port keeps the entity ID over restarts. Default: any free port. */
  port?: number
  /** Epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

export interface SamlProvider extends MockProduct {
  /** Also the URL of the metadata. */
  entityId: string
  metadataUrl: string
  ssoUrl: string
  sloUrl: string
  /** The published certificates as PEM, newest first. The newest signs. */
  readonly certificates: readonly string[]
  /** Signs with a new key from now on; the metadata keeps the previous certificate. */
  rotateCertificate(): Promise<void>
}

/**
 * Starts a mock SAML 2.0 identity provider with one service provider: web browser single sign-on and single logout, by
 * HTTP redirect and POST. `GET /` is the page on which a person signs out.
 *
 * @throws Error if the package "xml-crypto" or "@xmldom/xmldom" is missing, or the app's certificate is not a PEM
 * certificate
 * @example
 * const provider = await startSamlProvider({ sp: { entityId: 'https://app.example', acsUrl: 'https://app.example/acs' } })
 * provider.ssoUrl  // 'http://127.0.0.1:40123/sso'
 */
export async function startSamlProvider (options: SamlProviderOptions): Promise<SamlProvider> {
  const { people = DEMO_PEOPLE, port, now = Date.now } = options
  const { entityId, acsUrl, sloUrl = null, certificate = null } = options.sp
  if (certificate !== null) readCertificate(certificate)
  const provider: ProviderState = {
    entityId: '',
    ssoUrl: '',
    sloUrl: '',
    sp: { entityId, acsUrl, sloUrl, certificate },
    people,
    sessions: new BrowserSessions('mock-saml-session', now),
    issued: new WeakMap(),
    keys: await SigningPairs.create(now),
    xml: await loadXmlPackages(),
    now
  }
  const app = mockProductApp({ embedders: [], formTargets: sloUrl === null ? [acsUrl] : [acsUrl, sloUrl] })
  serveAssets(app, ['submit-form.js'])
  acceptForms(app)
  metadataRoute(app, provider)
  ssoRoutes(app, provider)
  sloRoutes(app, provider)

  const { origin, close } = await listenOnLoopback(app, port)
  const urls = { entityId: `${origin}/metadata`, ssoUrl: `${origin}/sso`, sloUrl: `${origin}/slo` }
  Object.assign(provider, urls)
  return {
    origin,
    close,
    ...urls,
    metadataUrl: urls.entityId,
    get certificates () {
      return provider.keys.certificates
    },
    rotateCertificate: () => provider.keys.rotate()
  }
}

function readCertificate (pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new Error('sp.certificate must be a certificate in PEM form', { cause })
  }
}
