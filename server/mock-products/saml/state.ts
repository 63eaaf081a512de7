import type { BrowserSessions, ProviderSession } from '../sign-in/browser-sessions.js'
import type { Person } from '../sign-in/people.js'
import type { SigningPairs } from './certificate.js'
import type { NameId } from './name-id.js'
import type { XmlPackages } from './xml.js'

/** The name that the pages display. */
export const PROVIDER_NAME = 'Mock SAML provider'

/** The app that is registered with the provider. */
export interface ServiceProvider {
  entityId: string
  /** The assertion consumer service: receives responses by HTTP POST. */
  acsUrl: string
  /** The single logout service, by HTTP redirect and POST. Default: `null`, no single logout. */
  sloUrl?: string | null
  /**
   * The certificate of the app's signing key, as PEM. With a certificate, every message must be signed. Default:
   * `null`, signatures are not checked.
   */
  certificate?: string | null
}

/** The shared state of one provider's endpoints. */
export interface ProviderState {
  /** Known once the provider listens, as are the URLs. */
  entityId: string
  ssoUrl: string
  sloUrl: string
  readonly sp: Required<ServiceProvider>
  readonly people: readonly Person[]
  readonly sessions: BrowserSessions
  /** The sessions of which the app has received an assertion, with the name identifiers in it. */
  readonly issued: WeakMap<ProviderSession, NameId>
  readonly keys: SigningPairs
  readonly xml: XmlPackages
  readonly now: () => number
}
