import type { FastifyRequest } from 'fastify'

import type { HostDecision } from '../../../lib/authorize.js'
import { optionAssertion, refuseUnknownOptions } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../../lib/secrets/secret-source.js'
import type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
import { isLife } from '../guest-token/options.js'
import type { GuestTokenGrant, GuestTokenOptions } from '../guest-token/options.js'
import { parseUrl } from '../../../signing/parse-url.js'

export interface DatabrainProxyOptions extends Pick<
  GuestTokenOptions,
  'dataAppName' | 'apiUrl' | 'allowClientId' | 'expiryTime' | 'refreshAhead' | 'cache' | 'guards'
  | 'now' | 'connectTimeout' | 'retries' | 'ca'
> {
  /** What the component's calls begin with; what comes behind it goes upstream. Empty: all calls, without `cors`. Default: `/api/databrain/proxy`. */
  prefix?: string
  /** The keys that pages send in `X-Proxy-Auth-Key`, each at least 32 characters; or a function that gives those of now. */
  proxyKeys: SecretSource<readonly string[]>
  /** The key of the DataBrain API, or a function that gives the one of now. */
  apiKey: SecretSource<string>
  /** How long what such a function gave is used before it is asked again, milliseconds. Default: 2 000. */
  secretMaxAge?: number
  /** Where calls go: origin and base path, never changed by a request. Default: `apiUrl`. */
  upstreamUrl?: string
  /**
   * Who the user is and what the user may see, as the guest-token route's; asked at every call. `null`: nobody (401); throw `FORBIDDEN` for a user who
   * may not. The body is not read yet, and not this function's to read.
   */
  authorize (request: FastifyRequest): HostDecision<GuestTokenGrant>
  /**
   * Which sites' pages may call, where any is of another origin; `X-Proxy-Auth-Key` is always an allowed header. List your own origin too: browsers name
   * it in same-origin POSTs, and one that is not listed is refused. Not with an empty `prefix`. Default: no CORS.
   */
  cors?: SiteCorsOptions
  /** The limit of each client address, refusals included. Default: 1 200 a minute. */
  rateLimit?: RateLimitOptions
  /** The limit of each user of a tenant. Default: 600 a minute. */
  userRateLimit?: RateLimitOptions
  /** The largest request body, bytes as sent; beyond it 413. Default: 16 777 216 (16 MiB). */
  bodyLimit?: number
  /** The largest answer, bytes as sent; beyond it 502, or a cut connection where it has begun. Default: 67 108 864 (64 MiB). */
  maxResponse?: number
  /** Milliseconds from the last byte of the request to the head of the answer; beyond them 504. Minting has as many of its own. Default: 8 000. */
  timeout?: number
  /** Milliseconds for the whole body of a request, however steadily it comes; beyond them 400. Default: 120 000. */
  uploadTimeout?: number
  /** Milliseconds for which the body of an answer may pause. Default: 15 000. */
  idleTimeout?: number
  /** Milliseconds for which a caller may take nothing of an answer, after which the connection is cut: it holds a socket to the upstream. Default: 60 000. */
  readTimeout?: number
  /** Sockets to the upstream at most; further calls wait for one within `timeout`. Default: 64. */
  connections?: number
  /**
   * Calls that one user of a tenant may have in flight, so that nobody takes all `connections`; beyond them 429 `TOO_MANY_CONNECTIONS`. A page over HTTP/2
   * loads all parts of a dashboard at once. Default: a quarter of `connections`, at least 1.
   */
  userConnections?: number
}

type Defaulted = 'prefix' | 'apiUrl' | 'upstreamUrl' | 'allowClientId' | 'expiryTime' | 'refreshAhead' | 'cache' | 'guards' | 'now' |
  'rateLimit' | 'userRateLimit' | 'bodyLimit' | 'maxResponse' | 'timeout' | 'uploadTimeout' | 'idleTimeout' | 'readTimeout' |
  'connectTimeout' | 'connections' | 'userConnections'

export type CheckedOptions = Omit<DatabrainProxyOptions, Defaulted> & { [Name in Defaulted]-?: NonNullable<DatabrainProxyOptions[Name]> }

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
/** Node's timers take a longer time for 1 ms. */
const LONGEST_TIMER = 2 ** 31 - 1

/** The options with their defaults. Throws `INVALID_OPTIONS`. */
export function checkedOptions (options: DatabrainProxyOptions): CheckedOptions {
  refuseUnknownOptions('databrainProxy', options, KNOWN)
  const apiUrl = baseUrl('apiUrl', options.apiUrl ?? 'https://api.usedatabrain.com')
  const connections = options.connections ?? 64
  const checked: CheckedOptions = {
    ...options,
    prefix: options.prefix ?? '/api/databrain/proxy',
    apiUrl,
    upstreamUrl: baseUrl('upstreamUrl', options.upstreamUrl ?? apiUrl),
    allowClientId: options.allowClientId ?? (() => false),
    expiryTime: options.expiryTime ?? 3_600_000,
    refreshAhead: options.refreshAhead ?? 0.1,
    cache: options.cache ?? true,
    guards: options.guards ?? {},
    now: options.now ?? Date.now,
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
  assertOption(typeof checked.prefix === 'string' && /^(?:\/[^/]+)*$/.test(checked.prefix), 'prefix', 'empty, or a path that begins with "/" and ends without one')
  assertOption(checked.proxyKeys !== undefined, 'proxyKeys', 'a list of keys; make one with `npx fastify-gatehouse generate-key`')
  // A host's @fastify/cors claims the preflights of all paths.
  assertOption(checked.prefix !== '' || checked.cors === undefined, 'prefix', 'a path where there is "cors"')
  assertOption(typeof checked.dataAppName === 'string' && checked.dataAppName !== '', 'dataAppName', 'the name of a data app')
  assertOption(typeof checked.authorize === 'function', 'authorize', 'a function that says who the user is')
  assertOption(typeof checked.allowClientId === 'function', 'allowClientId', 'a function')
  assertOption(isLife(checked.expiryTime), 'expiryTime', 'a whole number of milliseconds, 1000 or more', checked.expiryTime)
  assertOption(checked.refreshAhead >= 0 && checked.refreshAhead <= 0.9, 'refreshAhead', 'a number from 0 to 0.9', checked.refreshAhead)
  assertOption(typeof checked.cache === 'boolean', 'cache', 'a boolean')
  assertOption(typeof checked.guards === 'object', 'guards', 'an object, as under config.gatehouse')
  assertOption(typeof checked.now === 'function', 'now', 'a function')
  for (const name of COUNTS) assertOption(isPositive(checked[name]), name, 'a positive integer', checked[name])
  for (const name of TIMES) assertOption(isPositive(checked[name]) && checked[name] <= LONGEST_TIMER, name, `a whole number of milliseconds, 1 to ${LONGEST_TIMER}`, checked[name])
  return checked
}

/** Origin and path as the URL parser writes them, without a slash at the end. */
function baseUrl (option: string, text: string): string {
  const expected = 'an http(s) URL without credentials, query or fragment'
  assertOption(parseUrl(text) !== null, option, expected)
  const { protocol, username, password, search, hash, origin, pathname } = new URL(text)
  assertOption(['http:', 'https:'].includes(protocol) && username + password + search + hash === '', option, expected)
  return `${origin}${pathname.replace(/\/+$/, '')}`
}

function isPositive (count: unknown): boolean {
  return Number.isSafeInteger(count) && Number(count) > 0
}
