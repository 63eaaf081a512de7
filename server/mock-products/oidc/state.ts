import type { BrowserSessions, ProviderSession } from '../sign-in/browser-sessions.js'
import type { Person } from '../sign-in/people.js'
import type { Grants } from './grants.js'
import type { SigningKeys } from './keys.js'

/** The name that the pages display. */
export const PROVIDER_NAME = 'Mock OpenID provider'

/** The app that is registered with the provider. */
export interface Client {
  id: string
  secret: string
  redirectUris: readonly string[]
  postLogoutRedirectUris: readonly string[]
  /** `null`: the app has no back-channel logout. */
  backchannelLogoutUrl: string | null
}

/** The shared state of one provider's endpoints. */
export interface ProviderState {
  /** Known once the provider listens. */
  issuer: string
  readonly client: Client
  readonly people: readonly Person[]
  readonly keys: SigningKeys
  readonly sessions: BrowserSessions
  /** The sessions of which the app has received a token. */
  readonly known: WeakSet<ProviderSession>
  readonly grants: Grants
  readonly now: () => number
}
