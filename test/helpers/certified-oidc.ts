import { createServer } from 'node:http'
import type { Server } from 'node:http'

import { exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'jose'
import Provider from 'oidc-provider'
import type { ClientMetadata } from 'oidc-provider'
import type { Test } from 'tap'

import type { CookieBrowser } from './cookie-browser.js'
import type { Page } from './cookie-browser.js'
import { freePort } from './free-port.js'

export interface CertifiedOidcOptions {
  /** The URL of the app's provider: `/callback` and `/backchannel-logout` are appended. */
  appUrl: string
  client?: Partial<ClientMetadata>
  /** Claims of a person by login name. Default: `email` is `<login>@example.com`, verified. */
  claimsOf?: (login: string) => Record<string, unknown>
  /** Whether the claims are in the ID token as well. Default: `true`. */
  claimsInIdToken?: boolean
}

export interface CertifiedOidc {
  issuer: string
  provider: Provider
  server: Server
  clientId: string
  clientSecret: string
}

/** The providers of a test file share their keys, which take long to create. */
let usualKeys: Promise<JWK[]> | undefined
const CLIENT_ID = 'gate'
const CLIENT_SECRET = 'first-client-secret-of-this-test'

/** Runs oidc-provider, a certified provider of OpenID Connect, as a server on loopback; closed after the test. */
export async function certifiedOidc (
  t: Test,
  { appUrl, client = {}, claimsOf = emailOf, claimsInIdToken = true }: CertifiedOidcOptions
): Promise<CertifiedOidc> {
  const issuer = `http://127.0.0.1:${await freePort()}`
  const provider = new Provider(issuer, {
    clients: [{
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      redirect_uris: [`${appUrl}/callback`],
      post_logout_redirect_uris: [new URL('/login', appUrl).href],
      backchannel_logout_uri: `${appUrl}/backchannel-logout`,
      backchannel_logout_session_required: true,
      response_types: ['code'],
      grant_types: ['authorization_code'],
      ...client
    }],
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: !claimsInIdToken,
    features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...claimsOf(id) }) }),
    jwks: { keys: await (usualKeys ??= Promise.all([privateKey('RS256'), privateKey('ES256')])) },
    cookies: { keys: ['a key of the cookies of this test'] },
    pkce: { required: () => true },
    // The provider's own dispatcher does not call this machine, where the app is.
    fetch: (url, { dispatcher: _, ...options }: RequestInit & { dispatcher?: unknown } = {}) => fetch(url, options),
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'] },
    ttl: { AuthorizationCode: 60, Grant: 600, IdToken: 300, Interaction: 600, Session: 600, AccessToken: 600 }
  })
  const server = createServer(provider.callback() as never).listen(Number(new URL(issuer).port), '127.0.0.1')
  t.teardown(() => new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  }))
  return { issuer, provider, server, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }
}

/**
 * Logs a person in with the forms of the provider, beginning at a URL of the app, and returns the page for whose URL
 * `until` returns `true`.
 */
export async function logInAt (
  browser: CookieBrowser,
  start: string,
  login: string,
  until: (url: URL) => boolean
): Promise<Page> {
  let page = await browser.open(start, {}, until)
  for (let forms = 0; forms < 5 && page.status === 200; forms++) {
    page = await browser.submit(page, page.text.includes('name="login"') ? { login, password: 'any' } : {}, until)
  }
  return page
}

function emailOf (login: string): Record<string, unknown> {
  return { email: `${login}@example.com`, email_verified: true, name: login }
}

async function privateKey (alg: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...await exportJWK(privateKey), alg, use: 'sig', kid: alg }
}
