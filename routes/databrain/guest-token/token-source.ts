import type { FastifyBaseLogger } from 'fastify'

import { SingleFlight } from '../../../lib/single-flight.js'
import type { GuestTokens } from '../../../contracts/token-store/index.js'
import type { UpstreamClient } from '../../../lib/upstream-client/index.js'
import { sha256Hex } from '../../../signing/digest.js'
import { tokenOf } from './answer.js'

/** What shapes a token: the body of the upstream call. */
export interface TokenRequest {
  clientId: string
  dataAppName: string
  params: Record<string, unknown> | undefined
  permissions: Record<string, unknown> | undefined
  expiryTime: number
}

export interface IssuedToken {
  token: string
  cached: boolean
}

export interface TokenSourceOptions {
  upstream: UpstreamClient
  /** Path of the API below the upstream's origin, without a slash at its end. */
  basePath: string
  /** The key of the API, or what gives the one of now. Goes into the cache key too, so that under another key tokens are minted anew. */
  apiKey: string | { get (): string | Promise<string> }
  /** Goes into the cache key, beside the API key and what shapes the token: the API and the route. */
  namespace: readonly string[]
  /** `null`: no cache. */
  cache: GuestTokens | null
  refreshAhead: number
  now: () => number
  log: FastifyBaseLogger
}

const LEAST_REFRESH_AHEAD = 30_000

/** Guest tokens from the cache, else from DataBrain's API; one call for all who want the same token at the same time. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  readonly #flights = new SingleFlight<IssuedToken>()

  constructor (options: TokenSourceOptions) {
    this.#options = options
  }

  async get (wanted: TokenRequest): Promise<IssuedToken> {
    const { cache } = this.#options
    const given = this.#apiKey()
    const apiKey = typeof given === 'string' ? given : await given
    if (cache === null) return { token: await this.#mint(wanted, apiKey), cached: false }
    const key = this.#keyOf(wanted, apiKey)
    return this.#flights.run(key, () => this.#lookUpOrMint(cache, key, wanted, apiKey))
  }

  /**
   * Drops a token that the product no longer takes, at all instances. One that has come in its place meanwhile stays: many requests may find out about
   * the same token. Never rejects; without its cache the token is simply not found there.
   */
  async forget (wanted: TokenRequest, token: string): Promise<void> {
    const { cache, log } = this.#options
    if (cache === null) return
    try {
      const key = this.#keyOf(wanted, await this.#apiKey())
      const known = await cache.get(key)
      // As old as the one that it ends, the entry gives way to every token that was minted later.
      if (known?.token === token) await cache.set(key, { ...known, expiresAt: known.mintedAt })
    } catch (error) {
      log.warn({ err: error }, 'guest-token: the cache could not be written')
    }
  }

  async #lookUpOrMint (cache: GuestTokens, key: string, wanted: TokenRequest, apiKey: string): Promise<IssuedToken> {
    const { refreshAhead, now, log } = this.#options
    // Without its cache the route is slower, not broken.
    const known = await cache.get(key).catch((error: unknown) => {
      log.warn({ err: error }, 'guest-token: the cache could not be read')
      return null
    })
    if (known !== null && known.expiresAt > now()) return { token: known.token, cached: true }

    const mintedAt = now()
    const token = await this.#mint(wanted, apiKey)
    const { clientId, expiryTime } = wanted
    const expiresAt = mintedAt + expiryTime - Math.max(LEAST_REFRESH_AHEAD, expiryTime * refreshAhead)
    if (expiresAt > now()) {
      await cache.set(key, { token, clientId, mintedAt, expiresAt }).catch((error: unknown) => {
        log.warn({ err: error }, 'guest-token: the cache could not be written')
      })
    }
    return { token, cached: false }
  }

  #apiKey (): string | Promise<string> {
    const { apiKey } = this.#options
    return typeof apiKey === 'string' ? apiKey : apiKey.get()
  }

  #keyOf (wanted: TokenRequest, apiKey: string): string {
    return sha256Hex(JSON.stringify([this.#options.namespace, apiKey, wanted]))
  }

  async #mint (wanted: TokenRequest, apiKey: string): Promise<string> {
    const { upstream, basePath } = this.#options
    return tokenOf(await upstream.call({
      method: 'POST',
      path: `${basePath}/api/v2/guest-token/create`,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(wanted)
    }), apiKey)
  }
}
