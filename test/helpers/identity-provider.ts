import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { CryptoKey, JWK, JWTHeaderParameters } from 'jose'
import type { Test } from 'tap'

import { reply, stubUpstream } from './stub-upstream.js'
import type { Answer, StubUpstream } from './stub-upstream.js'

export interface SigningKey {
  kid: string
  alg: string
  privateKey: CryptoKey
  publicKey: CryptoKey
  /** The public key as it stands in the key set. */
  jwk: JWK
}

export interface TokenParts {
  claims?: Record<string, unknown>
  header?: Partial<JWTHeaderParameters>
  /** The key that signs. Default: the first key of the provider. */
  key?: SigningKey
}

export interface IdentityProviderStub {
  issuer: string
  jwksUrl: string
  upstream: StubUpstream
  /** The keys that the provider publishes; add and remove keys to rotate them. */
  keys: SigningKey[]
  /** Number of requests for the key set so far. */
  fetches(): number
  /** Replaces how the key set is answered; `null`: normally. */
  keysAnswer: Answer | null
  /** A token for `ann` and the audience `app`, valid for 5 minutes. A claim that is `undefined` is left out. */
  token(parts?: TokenParts): Promise<string>
}

export const AUDIENCE = 'app'

export async function signingKey (kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicKey, jwk: { ...await exportJWK(publicKey), kid, alg, use: 'sig' } }
}

/** A real identity provider on loopback: a discovery document, a key set, and tokens. */
export async function identityProvider (t: Test, path = ''): Promise<IdentityProviderStub> {
  const upstream = await stubUpstream(t)
  const issuer = upstream.origin + path
  const jwksUrl = `${upstream.origin}/keys`
  const provider: IdentityProviderStub = {
    issuer,
    jwksUrl,
    upstream,
    keys: [await signingKey('first')],
    keysAnswer: null,
    fetches: () => upstream.calls.filter(({ url }) => url === '/keys').length,
    async token ({ claims = {}, header = {}, key = provider.keys[0] } = {}) {
      if (key === undefined) throw new Error('the provider has no key')
      const now = Math.floor(Date.now() / 1_000)
      const payload = { iss: issuer, sub: 'ann', aud: AUDIENCE, iat: now, exp: now + 300, ...claims }
      return await new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
        .sign(key.privateKey)
    }
  }
  upstream.answer = (call, response) => {
    if (call.url === '/keys') {
      return (provider.keysAnswer ?? reply({ keys: provider.keys.map(({ jwk }) => jwk) }))(call, response)
    }
    return reply({ issuer, jwks_uri: jwksUrl })(call, response)
  }
  return provider
}
