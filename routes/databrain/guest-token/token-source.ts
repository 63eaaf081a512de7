import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'

import { atMost } from '../../../lib/at-most.js'
import type { Step } from '../../../lib/channels.js'
import { SingleFlight } from '../../../lib/single-flight.js'
import { tracedValue } from '../../../lib/trace.js'
import type { GuestToken, GuestTokens } from '../../../contracts/token-store/index.js'
import type { UpstreamClient } from '../../../lib/upstream-client/index.js'
import { sha256Hex } from '../../../signing/digest.js'
import { tokenOf } from './upstream-reply.js'

/** The body of the upstream call that mints a token. */
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
  /** Path of the API below the upstream's origin, without a trailing slash. */
  basePath: string
  /** The key of the API, or a source of the current key. It is part of the cache key, so a new key mints new tokens. */
  apiKey: string | { get(): string | Promise<string> }
  /** The API and the route. Part of the cache key, together with the API key and the token request. */
  namespace: readonly string[]
  /** `null` disables the cache. */
  cache: GuestTokens | null
  refreshAhead: number
  now: () => number
  log: FastifyBaseLogger
}

const MIN_REFRESH_AHEAD = 30_000
const MAX_DIGESTS = 1_000
const STEP: Step = { kind: 'mint', name: 'databrain' }

/** Returns guest tokens from the cache, else from DataBrain's API. Concurrent requests for one token share one call. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  readonly #inFlight = new SingleFlight<IssuedToken>()
  /** The keys of the cache by the content of the token request, for one API key. */
  readonly #digests = new LRUCache<string, string>(atMost(MAX_DIGESTS))
  #digestsFor = ''

  constructor (options: TokenSourceOptions) {
    this.#options = options
  }

  /** Returns a token for the request, synchronously if the cache does. Rejects with the errors of the upstream call. */
  get (tokenRequest: TokenRequest): IssuedToken | Promise<IssuedToken> {
    return tracedValue(STEP, () => {
      const apiKey = this.#apiKey()
      return typeof apiKey === 'string'
        ? this.#issue(tokenRequest, apiKey)
        : apiKey.then((apiKey) => this.#issue(tokenRequest, apiKey))
    })
  }

  #issue (tokenRequest: TokenRequest, apiKey: string): IssuedToken | Promise<IssuedToken> {
    const { cache } = this.#options
    if (cache === null) return this.#mint(tokenRequest, apiKey).then((token) => ({ token, cached: false }))
    const key = this.#keyOf(tokenRequest, apiKey)
    const underWay = this.#inFlight.get(key)
    if (underWay !== undefined) return underWay
    const found = cache.get(key)
    if (!(found instanceof Promise) && this.#isCurrent(found)) return { token: found.token, cached: true }
    return this.#inFlight.run(key, () => this.#useOrMint(found, cache, key, tokenRequest, apiKey))
  }

  /**
   * Removes a token that DataBrain no longer accepts from the cache of all instances, unless a newer token has replaced
   * it. Never rejects: logs an error of the cache.
   */
  async forget (tokenRequest: TokenRequest, token: string): Promise<void> {
    const { cache, log } = this.#options
    if (cache === null) return
    try {
      const key = this.#keyOf(tokenRequest, await this.#apiKey())
      const known = await cache.get(key)
      // The expired entry keeps `mintedAt`, so every token that was minted later replaces it.
      if (known?.token === token) await cache.set(key, { ...known, expiresAt: known.mintedAt })
    } catch (error) {
      log.warn({ err: error }, 'guest-token: the cache could not be written')
    }
  }

  async #useOrMint (
    found: ReturnType<GuestTokens['get']>,
    cache: GuestTokens,
    key: string,
    tokenRequest: TokenRequest,
    apiKey: string
  ): Promise<IssuedToken> {
    const { refreshAhead, now, log } = this.#options
    // Without the cache the route still works, but more slowly.
    const known = await Promise.resolve(found).catch((error: unknown) => {
      log.warn({ err: error }, 'guest-token: the cache could not be read')
      return null
    })
    if (this.#isCurrent(known)) return { token: known.token, cached: true }

    const mintedAt = now()
    const token = await this.#mint(tokenRequest, apiKey)
    const { clientId, expiryTime } = tokenRequest
    const expiresAt = mintedAt + expiryTime - Math.max(MIN_REFRESH_AHEAD, expiryTime * refreshAhead)
    if (expiresAt > now()) {
      await cache.set(key, { token, clientId, mintedAt, expiresAt }).catch((error: unknown) => {
        log.warn({ err: error }, 'guest-token: the cache could not be written')
      })
    }
    return { token, cached: false }
  }

  #isCurrent (entry: GuestToken | null): entry is GuestToken {
    return entry !== null && entry.expiresAt > this.#options.now()
  }

  #apiKey (): string | Promise<string> {
    const { apiKey } = this.#options
    return typeof apiKey === 'string' ? apiKey : apiKey.get()
  }

  /** Returns a digest, which most requests find by the content of the token request: it takes 0.8 µs to compute. */
  #keyOf (tokenRequest: TokenRequest, apiKey: string): string {
    if (apiKey !== this.#digestsFor) this.#digests.clear()
    this.#digestsFor = apiKey
    const content = contentOf(tokenRequest)
    let key = this.#digests.get(content)
    if (key === undefined) {
      key = sha256Hex(JSON.stringify([this.#options.namespace, apiKey, tokenRequest]))
      this.#digests.set(content, key)
    }
    return key
  }

  async #mint (tokenRequest: TokenRequest, apiKey: string): Promise<string> {
    const { upstream, basePath } = this.#options
    return tokenOf(
      await upstream.call({
        method: 'POST',
        path: `${basePath}/api/v2/guest-token/create`,
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(tokenRequest)
      }),
      apiKey
    )
  }
}

/** Returns a different string for each token request. */
function contentOf ({ clientId, dataAppName, params, permissions, expiryTime }: TokenRequest): string {
  const names = `${clientId.length}:${clientId}${dataAppName.length}:${dataAppName}${expiryTime}`
  return params === undefined && permissions === undefined ? names : names + JSON.stringify([params, permissions])
}
