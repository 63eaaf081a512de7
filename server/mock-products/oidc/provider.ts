import { listenOnLoopback, mockProductApp, secretForThisRun } from '../mock-product.js'
import type { MockProduct } from '../mock-product.js'
import { serveAssets } from '../page.js'
import { BrowserSessions } from '../sign-in/browser-sessions.js'
import { acceptForms } from '../sign-in/parameters.js'
import { DEMO_PEOPLE } from '../sign-in/people.js'
import type { Person } from '../sign-in/people.js'
import { authorizationRoutes } from './authorization.js'
import { discoveryRoutes } from './discovery.js'
import { Grants } from './grants.js'
import { SigningKeys } from './keys.js'
import type { SigningAlgorithm } from './keys.js'
import { signOutRoutes } from './sign-out.js'
import type { Client, ProviderState } from './state.js'
import { tokenRoute } from './token.js'
import { userinfoRoute } from './userinfo.js'

export interface OidcProviderOptions {
  /** Default: `gatehouse`. */
  clientId?: string
  /** Default: a random secret for this run. */
  clientSecret?: string
  /** The app's callback URLs, compared as strings. */
  redirectUris: readonly string[]
  /** URLs to which the browser may go after a logout, compared as strings. Default: none. */
  postLogoutRedirectUris?: readonly string[]
  /** Receives logout tokens. Default: `null`, no back-channel logout. */
  backchannelLogoutUrl?: string | null
  /** Who can sign in. Default: the demo people. */
  people?: readonly Person[]
  /** Signs ID tokens and logout tokens. Default: `RS256`. */
  algorithm?: SigningAlgorithm
  /** The loopback port. A fixed port keeps the issuer over restarts. Default: any free port. */
  port?: number
  /** Epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

export interface OidcProvider extends MockProduct {
  issuer: string
  clientId: string
  clientSecret: string
  /** Signs with a new key from now on; the key set keeps the previous key. */
  rotateKeys(): Promise<void>
}

/**
 * Starts a mock OpenID Connect provider with one client: the authorization code flow with PKCE, userinfo,
 * RP-initiated logout and back-channel logout. `GET /` is the page on which a person signs out.
 *
 * @throws Error if the package "jose" is missing or a redirect URI is not an absolute URL without a fragment
 * @example
 * const provider = await startOidcProvider({ redirectUris: ['http://127.0.0.1:3000/callback'] })
 * provider.issuer  // 'http://127.0.0.1:40123'
 */
export async function startOidcProvider (options: OidcProviderOptions): Promise<OidcProvider> {
  const { people = DEMO_PEOPLE, algorithm = 'RS256', port = 0, now = Date.now } = options
  const client: Client = {
    id: options.clientId ?? 'gatehouse',
    secret: options.clientSecret ?? secretForThisRun(),
    redirectUris: options.redirectUris,
    postLogoutRedirectUris: options.postLogoutRedirectUris ?? [],
    backchannelLogoutUrl: options.backchannelLogoutUrl ?? null
  }
  const targets = [...client.redirectUris, ...client.postLogoutRedirectUris]
  const wrong = targets.find((uri) => !/^https?:\/\/[^#]+$/.test(uri))
  if (wrong !== undefined) throw new Error(`${wrong} must be an absolute URL without a fragment`)

  const provider: ProviderState = {
    issuer: '',
    client,
    people,
    keys: await SigningKeys.create(algorithm),
    sessions: new BrowserSessions('mock-oidc-session', now),
    known: new WeakSet(),
    grants: new Grants(now),
    now
  }
  const app = mockProductApp({ embedders: [], formTargets: targets })
  serveAssets(app, [])
  acceptForms(app)
  discoveryRoutes(app, provider, algorithm)
  authorizationRoutes(app, provider)
  tokenRoute(app, provider)
  userinfoRoute(app, provider)
  signOutRoutes(app, provider)

  const { origin, close } = await listenOnLoopback(app, port)
  provider.issuer = origin
  return {
    origin,
    close,
    issuer: origin,
    clientId: client.id,
    clientSecret: client.secret,
    rotateKeys: () => provider.keys.rotate()
  }
}
