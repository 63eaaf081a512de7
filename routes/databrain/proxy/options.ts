import type { FastifyRequest } from 'fastify'

import type { HostDecision } from '../../../lib/authorize.js'
import { LONGEST_TIMER } from '../../../lib/deadline.js'
import { assertWholeNumber, optionAssertion, refuseUnknownOptions } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../../lib/secrets/secret-source.js'
import type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
import type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
import type { GuestTokenGrant } from '../guest-token/options.js'
import { baseUrl, checkedTokenOptions } from '../token-options.js'
import type { DatabrainTokenOptions } from '../token-options.js'

export interface DatabrainProxyOptions
  extends DatabrainTokenOptions, Pick<UpstreamClientOptions, 'connectTimeout' | 'retries' | 'ca'> {
  /**
   * Path prefix of the component's calls; the rest of the path is forwarded. An empty prefix forwards all paths, and
   * excludes `cors`. Default: `/api/databrain/proxy`.
   */
  prefix?: string
  /**
   * Keys that pages send in `X-Proxy-Auth-Key`, each at least 32 characters, or a function that returns the current
   * keys.
   */
  proxyKeys: SecretSource<readonly string[]>
  /** Key of the DataBrain API, or a function that returns the current key. */
  apiKey: SecretSource<string>
  /** Time after which a function given as `proxyKeys` or `apiKey` is called again, in milliseconds. Default: 2 000. */
  secretMaxAge?: number
  /** Origin and base path of the upstream. A request never changes it. Default: `apiUrl`. */
  upstreamUrl?: string
  /**
   * Identifies the user and returns what the user may see, as in the guest-token route; called for each request. Return
   * `null` for an unknown user (401); throw `FORBIDDEN` for a user without access. Must not read the request's body.
   */
  authorize(request: FastifyRequest): HostDecision<GuestTokenGrant>
  /**
   * Sites whose pages may call the proxy, if a page has another origin. `X-Proxy-Auth-Key` is always an allowed header.
   * Include your own origin: browsers send it with same-origin POSTs, and an origin that is not listed is refused. Not
   * allowed with an empty `prefix`. Default: no CORS.
   */
  cors?: SiteCorsOptions
  /** Maximum requests per client address, including refused requests. Default: 1 200 per minute. */
  rateLimit?: RateLimitOptions
  /** Maximum requests per user of a tenant. Default: 600 per minute. */
  userRateLimit?: RateLimitOptions
  /** Maximum bytes of a request body as sent; a larger body is 413. Default: 16 777 216 (16 MiB). */
  bodyLimit?: number
  /**
   * Maximum bytes of a response as sent. A larger response is 502, or a closed connection if it has begun. Default:
   * 67 108 864 (64 MiB).
   */
  maxResponse?: number
  /**
   * Maximum milliseconds from the last byte of the request to the headers of the response; then 504. Also the timeout
   * of a call that mints a token. Default: 8 000.
   */
  timeout?: number
  /** Maximum milliseconds for the whole body of a request; then 400. Default: 120 000. */
  uploadTimeout?: number
  /** Maximum pause in the body of a response, in milliseconds. Default: 15 000. */
  idleTimeout?: number
  /**
   * Maximum time in which a client reads nothing of a response, in milliseconds; then the connection is closed, to free
   * its upstream socket. Default: 60 000.
   */
  readTimeout?: number
  /** Maximum sockets to the upstream; further calls wait for a socket, within `timeout`. Default: 64. */
  connections?: number
  /**
   * Maximum concurrent calls per user of a tenant, so that one user cannot use all `connections`; further calls are 429
   * `TOO_MANY_CONNECTIONS`. Over HTTP/2 a page loads all parts of a dashboard concurrently. Default: a quarter of
   * `connections`, at least 1.
   */
  userConnections?: number
}

type Defaulted =
  | 'prefix'
  | 'upstreamUrl'
  | 'rateLimit'
  | 'userRateLimit'
  | 'bodyLimit'
  | 'maxResponse'
  | 'timeout'
  | 'uploadTimeout'
  | 'idleTimeout'
  | 'readTimeout'
  | 'connectTimeout'
  | 'connections'
  | 'userConnections'

export type CheckedOptions =
  & Omit<DatabrainProxyOptions, Defaulted | keyof DatabrainTokenOptions>
  & Required<DatabrainTokenOptions>
  & { [Name in Defaulted]-?: NonNullable<DatabrainProxyOptions[Name]> }

const assertOption: AssertOption = optionAssertion('databrain-proxy')

const KNOWN: KnownOptions<DatabrainProxyOptions> = {
  prefix: true,
  proxyKeys: true,
  apiKey: true,
  secretMaxAge: true,
  dataAppName: true,
  apiUrl: true,
  upstreamUrl: true,
  authorize: true,
  allowClientId: true,
  expiryTime: true,
  refreshAhead: true,
  cache: true,
  guards: true,
  cors: true,
  rateLimit: true,
  userRateLimit: true,
  bodyLimit: true,
  maxResponse: true,
  timeout: true,
  uploadTimeout: true,
  idleTimeout: true,
  readTimeout: true,
  connectTimeout: true,
  connections: true,
  userConnections: true,
  retries: true,
  ca: true,
  now: true
}
const TIMES = ['timeout', 'uploadTimeout', 'idleTimeout', 'readTimeout', 'connectTimeout'] as const
const COUNTS = ['bodyLimit', 'maxResponse', 'connections', 'userConnections'] as const

/** Validates the options and adds the defaults. Throws `INVALID_OPTIONS`. */
export function checkedOptions (options: DatabrainProxyOptions): CheckedOptions {
  refuseUnknownOptions('databrainProxy', options, KNOWN)
  const token = checkedTokenOptions('databrain-proxy', options)
  const connections = options.connections ?? 64
  const checked: CheckedOptions = {
    ...options,
    ...token,
    prefix: options.prefix ?? '/api/databrain/proxy',
    upstreamUrl: baseUrl('databrain-proxy', 'upstreamUrl', options.upstreamUrl ?? token.apiUrl),
    rateLimit: options.rateLimit ?? { max: 1_200, timeWindow: '1 minute' },
    userRateLimit: options.userRateLimit ?? { max: 600, timeWindow: '1 minute' },
    bodyLimit: options.bodyLimit ?? 16_777_216,
    maxResponse: options.maxResponse ?? 67_108_864,
    timeout: options.timeout ?? 8_000,
    uploadTimeout: options.uploadTimeout ?? 120_000,
    idleTimeout: options.idleTimeout ?? 15_000,
    readTimeout: options.readTimeout ?? 60_000,
    connectTimeout: options.connectTimeout ?? 2_000,
    connections,
    userConnections: options.userConnections ?? Math.max(1, Math.floor(connections / 4))
  }
  assertOption(
    typeof checked.prefix === 'string' && /^(?:\/[^/]+)*$/.test(checked.prefix),
    'prefix',
    'empty, or a path that begins with "/" and ends without one'
  )
  assertOption(
    checked.proxyKeys !== undefined,
    'proxyKeys',
    'a list of keys; create a key with `npx fastify-gatehouse generate-key`'
  )
  // The @fastify/cors of a host handles the preflights of all paths.
  assertOption(checked.prefix !== '' || checked.cors === undefined, 'prefix', 'a non-empty path if "cors" is set')
  assertOption(typeof checked.authorize === 'function', 'authorize', 'a function that identifies the user')
  for (const name of COUNTS) assertWholeNumber('databrain-proxy', name, checked[name])
  for (const name of TIMES) {
    assertWholeNumber('databrain-proxy', name, checked[name], { max: LONGEST_TIMER, unit: 'milliseconds' })
  }
  return checked
}
