import type { FastifyInstance } from 'fastify'
import type { CompactJWSHeaderParameters, FlattenedJWSInput, JWTVerifyOptions, CryptoKey, JSONWebKeySet } from 'jose'

import { GatehouseError, INVALID_OPTIONS } from '../../lib/errors.js'
import { ProviderKeys } from '../../lib/identity-provider/provider-keys.js'
import { importOptional } from '../../lib/optional-package.js'
import { readToken } from './compact-token.js'
import { KeyServer } from './key-server.js'
import type { CheckedOptions } from './options.js'
import type { CheckedProvider } from './provider-options.js'
import { verifiedClaims } from './verified-claims.js'
import type { IdentityToken } from './verified-claims.js'

type Jose = typeof import('jose')
type FindKey = (header: CompactJWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>

interface Trusted {
  provider: CheckedProvider
  findKey: FindKey
  rules: JWTVerifyOptions
}

/** Loads the package `jose`. Nothing is fetched before the first token. Rejects if the package is missing. */
export async function openTokenVerifier (options: CheckedOptions, app: FastifyInstance): Promise<TokenVerifier> {
  const jose = await importOptional('jose', () => import('jose'), 'The identityToken plugin')
  return new TokenVerifier(jose, options, app)
}

/** Verifies tokens of the configured providers, with the keys of each. Nothing is fetched before the first token. */
class TokenVerifier {
  readonly #jose: Jose
  readonly #options: CheckedOptions
  readonly #trusted = new Map<string, Trusted>()
  readonly #servers: KeyServer[] = []

  constructor (jose: Jose, options: CheckedOptions, app: FastifyInstance) {
    this.#jose = jose
    this.#options = options
    for (const provider of options.providers) {
      this.#trusted.set(provider.issuer, {
        provider,
        findKey: this.#keysOf(provider, app),
        rules: rulesOf(provider, options.clockTolerance)
      })
    }
  }

  /**
   * Returns the verified token, or the reason, for the log, why it is refused. Rejects with `UNAVAILABLE` if its key is
   * unknown and the provider does not respond.
   */
  async verify (token: unknown): Promise<IdentityToken | string> {
    const unverified = readToken(token)
    if (typeof unverified === 'string') return unverified
    const trusted = this.#trusted.get(unverified.issuer)
    if (trusted === undefined) return 'its issuer is not in "providers"'
    const { provider, findKey, rules } = trusted
    // Checked before the key, so that no other token causes a fetch.
    if (!provider.algorithms.includes(unverified.algorithm)) return 'its algorithm is not in "algorithms"'
    const now = this.#options.now?.() ?? Date.now()
    try {
      const { payload } = await this.#jose.jwtVerify(token as string, findKey, { ...rules, currentDate: new Date(now) })
      return verifiedClaims(payload, provider, { now, clockTolerance: this.#options.clockTolerance })
    } catch (error) {
      if (error instanceof GatehouseError) throw error
      // Messages of jose name the failed check and contain no part of the token.
      return error instanceof Error ? error.message : 'it could not be verified'
    }
  }

  /** Closes the sockets to the providers. */
  async close (): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  #keysOf (provider: CheckedProvider, app: FastifyInstance): FindKey {
    const { timeout, keysMaxAge, keysMaxStale, cooldown, now } = this.#options
    if (provider.keys !== null) return staticKeys(this.#jose, provider)
    const clock = now ?? (() => performance.now())
    const server = new KeyServer({ app, provider, timeout, clock })
    this.#servers.push(server)
    const keys = new ProviderKeys({
      jose: this.#jose,
      fetch: () => server.fetch(),
      maxAge: keysMaxAge,
      maxStale: keysMaxStale,
      cooldown,
      clock,
      onFailure (error) {
        const reason = error instanceof GatehouseError ? error.reason : undefined
        app.log.warn({ issuer: provider.issuer, reason, err: error }, 'the keys of an identity provider were not fetched')
      }
    })
    return (header, token) => keys.find(header, token)
  }
}

function staticKeys ({ createLocalJWKSet }: Jose, { keys }: CheckedProvider): FindKey {
  try {
    return createLocalJWKSet(keys as unknown as JSONWebKeySet)
  } catch {
    throw new INVALID_OPTIONS('identity-token: "keys" of a provider must be a JSON Web Key Set { keys: […] }')
  }
}

function rulesOf (provider: CheckedProvider, clockTolerance: number): JWTVerifyOptions {
  const { issuer, audience, algorithms, maxTokenAge, requiredClaims } = provider
  return {
    issuer,
    algorithms: [...algorithms],
    requiredClaims: ['sub', 'iat', 'exp', ...requiredClaims],
    clockTolerance: clockTolerance / 1_000,
    ...audience === null ? {} : { audience: [...audience] },
    ...maxTokenAge === null ? {} : { maxTokenAge: maxTokenAge / 1_000 }
  }
}
