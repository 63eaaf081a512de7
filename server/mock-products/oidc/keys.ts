import type { CryptoKey, JWK, JWTPayload } from 'jose'

import { importOptional } from '../../../lib/optional-package.js'

export type SigningAlgorithm = 'RS256' | 'ES256'

type Jose = typeof import('jose')

interface SigningKey {
  kid: string
  privateKey: CryptoKey
  publicKey: JWK
}

/** The keys of a provider: it signs with the newest, and publishes the newest and the previous one. */
export class SigningKeys {
  readonly #jose: Jose
  readonly #algorithm: SigningAlgorithm
  #keys: readonly SigningKey[] = []

  private constructor (jose: Jose, algorithm: SigningAlgorithm) {
    this.#jose = jose
    this.#algorithm = algorithm
  }

  /** @throws Error if the package "jose" is missing */
  static async create (algorithm: SigningAlgorithm): Promise<SigningKeys> {
    const jose = await importOptional('jose', () => import('jose'), 'The mock OpenID Connect provider')
    const keys = new SigningKeys(jose, algorithm)
    await keys.rotate()
    return keys
  }

  /** Signs with a new key from now on. */
  async rotate (): Promise<void> {
    const { generateKeyPair, exportJWK, calculateJwkThumbprint } = this.#jose
    const { privateKey, publicKey } = await generateKeyPair(this.#algorithm)
    const jwk = await exportJWK(publicKey)
    const kid = await calculateJwkThumbprint(jwk)
    const key = { kid, privateKey, publicKey: { ...jwk, kid, use: 'sig', alg: this.#algorithm } }
    this.#keys = [key, ...this.#keys].slice(0, 2)
  }

  publicKeys (): { keys: JWK[] } {
    return { keys: this.#keys.map(({ publicKey }) => publicKey) }
  }

  async sign (typ: 'JWT' | 'logout+jwt', claims: JWTPayload): Promise<string> {
    const [key] = this.#keys
    if (key === undefined) throw new Error('no signing key')
    const { SignJWT } = this.#jose
    return new SignJWT(claims).setProtectedHeader({ alg: this.#algorithm, kid: key.kid, typ }).sign(key.privateKey)
  }

  /** Returns the claims of an ID token that one of the published keys has signed, expired or not; otherwise `null`. */
  async verifyIdToken (token: string): Promise<JWTPayload | null> {
    const { compactVerify, createLocalJWKSet } = this.#jose
    try {
      const { payload, protectedHeader: { typ } } = await compactVerify(token, createLocalJWKSet(this.publicKeys()), {
        algorithms: [this.#algorithm]
      })
      return typ === 'JWT' ? JSON.parse(new TextDecoder().decode(payload)) as JWTPayload : null
    } catch {
      return null
    }
  }
}
