import type { FastifyInstance } from 'fastify'

import { UPSTREAM_ERROR } from '../../lib/errors.js'
import { isKeySet, MAX_KEYS } from '../../lib/identity-provider/key-set.js'
import type { KeySet } from '../../lib/identity-provider/key-set.js'
import { isLoopback, providerUrl } from '../../lib/identity-provider/provider-url.js'
import { upstreamClient } from '../../lib/upstream-client/index.js'
import { meteredUpstream } from '../../lib/upstream-client/metered.js'
import type { UpstreamClient } from '../../lib/upstream-client/index.js'
import type { CheckedProvider } from './provider-options.js'

export interface KeyServerOptions {
  /** The app whose metrics count the calls. */
  app: FastifyInstance
  provider: Pick<CheckedProvider, 'issuer' | 'jwksUrl' | 'ca'>
  /** Maximum time of one fetch, in milliseconds. */
  timeout: number
  /** A clock in milliseconds. */
  clock: () => number
}

/** Maximum size of a discovery document and of a key set, in bytes. */
const MAX_BYTES = 262_144
/** Age after which the discovery document is fetched again, in milliseconds. */
const DISCOVERY_MAX_AGE = 3_600_000

/**
 * Fetches the keys of one provider, from `jwksUrl` or from the `jwks_uri` of its discovery document. Follows no
 * redirects, limits the size of a response, and the time of a fetch as a whole.
 */
export class KeyServer {
  readonly #options: KeyServerOptions
  readonly #clients = new Map<string, UpstreamClient>()
  #discovered: { url: URL, at: number } | null = null

  constructor (options: KeyServerOptions) {
    this.#options = options
  }

  /** Returns the current keys. Rejects with `UPSTREAM_ERROR` or `UPSTREAM_TIMEOUT`. */
  async fetch (): Promise<KeySet> {
    const { provider: { jwksUrl }, timeout } = this.#options
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), timeout)
    try {
      const set = await this.#get(jwksUrl === null ? await this.#jwksUri(limit.signal) : new URL(jwksUrl), limit.signal)
      if (isKeySet(set)) return set
      throw new UPSTREAM_ERROR({ reason: `the response is not a JSON Web Key Set of 1 to ${MAX_KEYS} keys` })
    } catch (error) {
      // The provider may have moved its keys.
      this.#discovered = null
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Closes all sockets. A fetch that is under way rejects. */
  async close (): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()))
  }

  async #jwksUri (signal: AbortSignal): Promise<URL> {
    const { provider: { issuer }, clock } = this.#options
    if (this.#discovered !== null && clock() - this.#discovered.at < DISCOVERY_MAX_AGE) return this.#discovered.url
    const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
    const document = await this.#get(new URL(`${base}/.well-known/openid-configuration`), signal)
    const { issuer: named, jwks_uri: jwksUri } = document as { issuer?: unknown, jwks_uri?: unknown }
    if (named !== issuer) throw new UPSTREAM_ERROR({ reason: 'the discovery document belongs to another issuer' })
    const url = providerUrl(jwksUri, isLoopback(new URL(issuer)))
    if (url === null) throw new UPSTREAM_ERROR({ reason: '"jwks_uri" of the discovery document is not an https URL' })
    this.#discovered = { url, at: clock() }
    return url
  }

  async #get (url: URL, signal: AbortSignal): Promise<object> {
    const { statusCode, body } = await this.#clientOf(url.origin).call({
      method: 'GET',
      path: url.pathname + url.search,
      // Some firewalls of providers refuse requests without a user agent.
      headers: { accept: 'application/json, application/jwk-set+json', 'user-agent': 'fastify-gatehouse' },
      signal
    })
    if (statusCode !== 200) throw new UPSTREAM_ERROR({ reason: `the provider responded with status ${statusCode}` })
    const value = parsed(body)
    if (typeof value === 'object' && value !== null) return value
    throw new UPSTREAM_ERROR({ reason: 'the response of the provider is not a JSON object' })
  }

  #clientOf (origin: string): UpstreamClient {
    const { app, provider: { ca }, timeout } = this.#options
    let client = this.#clients.get(origin)
    if (client === undefined) {
      // A call without a response ends by its own limit, and counts as a timeout, before the fetch as a whole is ended.
      const limits = { timeout: timeout - 50, retries: 0, maxResponse: MAX_BYTES, connections: 1 }
      client = meteredUpstream(app, 'identity', upstreamClient({ origin, ca, ...limits }))
      this.#clients.set(origin, client)
    }
    return client
  }
}

function parsed (body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown
  } catch {
    return null
  }
}
