import { randomUUID } from 'node:crypto'

import { base64url, SignJWT } from 'jose'
import type { Test } from 'tap'

import { signingKey } from './identity-provider.js'
import type { SigningKey } from './identity-provider.js'
import { reply, stubUpstream } from './stub-upstream.js'
import type { Answer, StubUpstream } from './stub-upstream.js'

type Claims = Record<string, unknown>

interface ValidToken { claims: Claims, header: Record<string, unknown>, token: string }

/** A provider of OpenID Connect that responds as a test says. As it starts, all that it sends is valid. */
export interface HostileOidc {
  issuer: string
  upstream: StubUpstream
  /** The published keys; the first signs. */
  keys: SigningKey[]
  /** Claims of ID tokens beside the valid ones; `undefined` removes one. */
  claims: Claims
  /** Header parameters of ID tokens. */
  header: Record<string, unknown>
  /** Replaces the ID token that the provider has signed. */
  forge: ((valid: ValidToken) => Promise<string> | string) | null
  /** Members of the discovery document beside the valid ones. */
  discovery: Claims
  /** Members of the token response beside the valid ones. */
  tokens: Claims
  userinfo: Claims
  /** Replaces the response of an endpoint, by its path such as `/token`. */
  answers: Map<string, Answer>
  /** Number of requests of a path so far. */
  calls(path: string): number
  /** Returns where the browser goes after a login: the redirect URI of the request with a code and the state. */
  respond(startUrl: string, extra?: Record<string, string | null>): string
  /** Signs a token with the provider's key. */
  sign(claims: Claims, header?: Record<string, unknown>): Promise<string>
}

export const DISCOVERY = '/.well-known/openid-configuration'
const ACCESS_TOKEN = 'an-access-token'
/** The providers of a test file share a key, which takes long to create. */
let usualKey: Promise<SigningKey> | undefined

export async function hostileOidc (t: Test, { clientId = 'gate', email = 'ann@example.com' } = {}): Promise<HostileOidc> {
  const upstream = await stubUpstream(t)
  const issuer = upstream.origin
  const nonces = new Map<string, string>()
  const provider: HostileOidc = {
    issuer,
    upstream,
    keys: [await (usualKey ??= signingKey('first', 'RS256'))],
    claims: {},
    header: {},
    forge: null,
    discovery: {},
    tokens: {},
    userinfo: {},
    answers: new Map(),
    calls: (path) => upstream.calls.filter(({ url }) => url === path).length,
    respond (startUrl, extra = {}) {
      const { searchParams: query } = new URL(startUrl)
      const code = randomUUID()
      nonces.set(code, query.get('nonce') ?? '')
      const url = new URL(query.get('redirect_uri') ?? '')
      for (const [name, value] of Object.entries({ code, state: query.get('state'), ...extra })) {
        if (value !== null) url.searchParams.set(name, value)
      }
      return url.href
    },
    sign (claims, header = {}) {
      const [key] = provider.keys
      if (key === undefined) throw new Error('the provider has no key')
      return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
    }
  }

  async function idToken (code: string): Promise<string> {
    const iat = Math.floor(Date.now() / 1_000)
    const claims = Object.fromEntries(Object.entries({
      iss: issuer,
      sub: 'subject-1',
      aud: clientId,
      iat,
      exp: iat + 300,
      nonce: nonces.get(code),
      email,
      email_verified: true,
      sid: 'provider-session-1',
      ...provider.claims
    }).filter(([, value]) => value !== undefined))
    const header = { typ: 'JWT', ...provider.header }
    const token = await provider.sign(claims, header)
    const alg = provider.keys[0]?.alg
    return await provider.forge?.({ claims, header: { alg, kid: provider.keys[0]?.kid, ...header }, token }) ?? token
  }

  upstream.answer = async (call, response) => {
    const answer = provider.answers.get(call.url)
    if (answer !== undefined) return await answer(call, response)
    const responses: Record<string, () => unknown> = {
      [DISCOVERY]: () => ({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        userinfo_endpoint: `${issuer}/userinfo`,
        end_session_endpoint: `${issuer}/logout`,
        ...provider.discovery
      }),
      '/keys': () => ({ keys: provider.keys.map(({ jwk }) => jwk) }),
      '/userinfo': () => ({ sub: 'subject-1', ...provider.userinfo }),
      '/token': async () => ({
        access_token: ACCESS_TOKEN,
        token_type: 'Bearer',
        id_token: await idToken(new URLSearchParams(call.body.toString()).get('code') ?? ''),
        ...provider.tokens
      })
    }
    const body = await responses[call.url]?.()
    await reply(body ?? {}, body === undefined ? 404 : 200)(call, response)
  }
  return provider
}

/** Returns a JWT with any header and signature. */
export function unsigned (header: object, claims: object, signature = ''): string {
  return [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join('.') + `.${signature}`
}
