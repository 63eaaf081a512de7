import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { Configuration, CustomFetch, ServerMetadata } from 'openid-client'

import { UPSTREAM_ERROR } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import { isKeySet, MAX_KEYS } from '../../../lib/identity-provider/key-set.js'
import type { KeySet } from '../../../lib/identity-provider/key-set.js'
import { ProviderKeys } from '../../../lib/identity-provider/provider-keys.js'
import { isLoopback, providerUrl } from '../../../lib/identity-provider/provider-url.js'
import { SingleFlight } from '../../../lib/single-flight.js'
import type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
import type { SsoProvider } from '../sso/protocol.js'
import { gatehouseErrorIn } from './failure.js'
import type { LoadPackages, OidcPackages } from './packages.js'
import { providerFetch } from './provider-fetch.js'
import { completeSettings } from './settings.js'

export interface KnownProvidersOptions {
  loadPackages: LoadPackages
  /** Maximum time of a call to a provider, in milliseconds. */
  timeout: number
  /** Whether a provider may be at an address that is not public. */
  allowPrivate: (provider: SsoProvider) => boolean
  ca?: UpstreamClientOptions['ca']
  /** A clock in milliseconds. */
  clock: () => number
  log: FastifyBaseLogger
}

/** The facts of a provider from its discovery document and key set. */
export interface KnownProvider {
  readonly server: ServerMetadata
  readonly keys: ProviderKeys
  readonly fetch: CustomFetch
}

interface Entry { known: KnownProvider, discoveredAt: number }

/** Maximum number of providers in the cache. */
const MAX_PROVIDERS = 200
/** Age after which the discovery document is fetched again, in milliseconds. */
const DISCOVERY_MAX_AGE = 3_600_000
/** Time for which an old document is used after a failed fetch, in milliseconds. */
const DISCOVERY_RETRY = 60_000
const KEYS = { maxAge: 600_000, maxStale: 86_400_000, cooldown: 30_000 }
const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const OPTIONAL = ['userinfo_endpoint', 'end_session_endpoint'] as const

/** The discovery documents and keys of providers, cached per provider and issuer. One fetch at a time each. */
export class KnownProviders {
  readonly #options: KnownProvidersOptions
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_PROVIDERS })
  readonly #discoveries = new SingleFlight<KnownProvider>()

  constructor (options: KnownProvidersOptions) {
    this.#options = options
  }

  /** Returns a provider. Rejects with `UPSTREAM_ERROR` or `UPSTREAM_TIMEOUT` if it is new and does not respond. */
  async get (provider: SsoProvider): Promise<KnownProvider> {
    const { issuer } = completeSettings(provider.settings)
    const key = JSON.stringify([provider.id, issuer])
    const entry = this.#entries.get(key)
    if (entry !== undefined && this.#options.clock() - entry.discoveredAt < DISCOVERY_MAX_AGE) return entry.known
    return await this.#discoveries.run(key, () => this.#discover(provider, key, entry))
  }

  async #discover (provider: SsoProvider, key: string, old: Entry | undefined): Promise<KnownProvider> {
    const { loadPackages, timeout, ca, clock, log } = this.#options
    const { issuer, client_id: clientId } = completeSettings(provider.settings)
    const allowPrivate = this.#options.allowPrivate(provider)
    const fetch = providerFetch({ timeout, allowPrivate, issuer, ca })
    const { client, jose } = await loadPackages()
    try {
      const found = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
        [client.customFetch]: fetch,
        execute: insecureLoopback(client, issuer)
      })
      const server = checkedServer(found, issuer)
      const hasMoved = old?.known.server.jwks_uri !== server.jwks_uri
      const keys = old === undefined || hasMoved ? this.#keysOf(jose, server, fetch) : old.known.keys
      const known = { server, keys, fetch }
      this.#entries.set(key, { known, discoveredAt: clock() })
      return known
    } catch (error) {
      if (old === undefined) throw upstreamError(error)
      log.warn({ providerId: provider.id, err: upstreamError(error) }, 'the discovery document was not fetched again')
      this.#entries.set(key, { ...old, discoveredAt: clock() - DISCOVERY_MAX_AGE + DISCOVERY_RETRY })
      return old.known
    }
  }

  #keysOf (
    jose: OidcPackages['jose'],
    { issuer, jwks_uri: url = '' }: ServerMetadata,
    fetch: CustomFetch
  ): ProviderKeys {
    const { clock, log } = this.#options
    return new ProviderKeys({
      jose,
      fetch: () => fetchKeys(url, fetch),
      ...KEYS,
      clock,
      onFailure: (error) => log.warn({ issuer, err: error }, 'the keys of an identity provider were not fetched')
    })
  }
}

/** Returns what makes the library accept http, for an issuer on this machine. */
export function insecureLoopback (
  { allowInsecureRequests }: OidcPackages['client'],
  issuer: string
): Array<(configuration: Configuration) => void> {
  return isLoopback(new URL(issuer)) ? [allowInsecureRequests] : []
}

/** Returns the error of a call as `UPSTREAM_ERROR` or `UPSTREAM_TIMEOUT`; errors of the library wrap it. */
function upstreamError (error: unknown): GatehouseError {
  // Causes in errors of the library contain the response.
  const reason = error instanceof Error ? error.message : 'the provider could not be called'
  return gatehouseErrorIn(error) ?? new UPSTREAM_ERROR({ reason })
}

/** Keeps the URLs that are used, and refuses those that are no https URLs: a browser is sent to some. */
function checkedServer (found: Configuration, issuer: string): ServerMetadata {
  const { issuer: named, ...document } = found.serverMetadata()
  if (named !== issuer) throw new UPSTREAM_ERROR({ reason: 'the discovery document belongs to another issuer' })
  const urls: Partial<Record<typeof REQUIRED[number] | typeof OPTIONAL[number], string>> = {}
  for (const name of [...REQUIRED, ...OPTIONAL]) {
    const url = document[name]
    if (url === undefined && (OPTIONAL as readonly string[]).includes(name)) continue
    if (providerUrl(url, isLoopback(new URL(issuer))) === null) {
      throw new UPSTREAM_ERROR({ reason: `"${name}" of the discovery document is not an https URL` })
    }
    urls[name] = url as string
  }
  const sendsIssuer = document.authorization_response_iss_parameter_supported === true
  return { issuer, ...urls, authorization_response_iss_parameter_supported: sendsIssuer }
}

async function fetchKeys (url: string, fetch: CustomFetch): Promise<KeySet> {
  const headers = { accept: 'application/json, application/jwk-set+json' }
  const response = await fetch(url, { method: 'GET', headers, body: undefined, redirect: 'manual' })
  const set: unknown = response.status === 200 ? await response.json().catch(() => null) : null
  if (typeof set === 'object' && set !== null && isKeySet(set)) return set
  throw new UPSTREAM_ERROR({ reason: `the response is not a JSON Web Key Set of 1 to ${MAX_KEYS} keys` })
}
