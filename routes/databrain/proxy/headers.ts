import type { IncomingHttpHeaders } from 'node:http'
import { parseUrl } from '../../../signing/parse-url.js'

type Headers = Record<string, string | string[]>

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings'
]

const NOT_FORWARDED = new Set([
  ...HOP_BY_HOP,
  // Credentials of the user are for this server only.
  'cookie',
  'cookie2',
  'authorization',
  'x-plugin-token',
  'x-proxy-auth-key',
  'x-user-reference',
  'x-csrf-token',
  'x-captcha-token',
  // The upstream reads the client address from its own socket.
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  'x-cluster-client-ip',
  // Some servers prefer these headers to the request line.
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-host',
  // Only the trace of this server continues at the upstream, and the id of the request is for its log.
  'traceparent',
  'tracestate',
  'baggage',
  'x-request-id',
  'expect'
])

const NOT_RETURNED = new Set([
  ...HOP_BY_HOP,
  'set-cookie',
  'set-cookie2',
  'www-authenticate',
  'x-plugin-token',
  // This server sends its own id.
  'x-request-id',
  // Caching: this server sends its own `no-store`.
  'cache-control',
  'expires',
  'pragma',
  'age',
  // Browsers would apply these headers to this origin.
  'strict-transport-security',
  'alt-svc',
  'clear-site-data',
  'nel',
  'report-to',
  'reporting-endpoints',
  'public-key-pins',
  'public-key-pins-report-only',
  'service-worker-allowed',
  'origin-agent-cluster',
  'refresh',
  'location',
  // A web server before this server would execute these headers.
  'x-sendfile',
  'x-lighttpd-send-file',
  'x-reproxy-url',
  'server',
  'x-powered-by',
  'date'
])
const NOT_RETURNED_PATTERN = /^access-control-|^surrogate-|cdn-cache-control$|^x-accel-/

/** Returns the headers of a request for the upstream, with the user's guest token. */
export function requestHeaders (headers: IncomingHttpHeaders, token: string): Headers {
  const named = namedByConnection(headers.connection)
  const forwarded: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_FORWARDED.has(name) || name.startsWith('x-forwarded') || named.has(name)) continue
    forwarded[name] = value
  }
  const referer = originOf(forwarded['referer'])
  if (referer === null) delete forwarded['referer']
  else forwarded['referer'] = referer
  forwarded['x-plugin-token'] = token
  return forwarded
}

/** Returns the headers of a response for the page. */
export function responseHeaders (headers: IncomingHttpHeaders): Headers {
  const named = namedByConnection(headers.connection)
  const relayed: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_RETURNED.has(name) || NOT_RETURNED_PATTERN.test(name) || named.has(name)) continue
    relayed[name] = value
  }
  // The response contains data of one user, but all users have the same URL.
  relayed['cache-control'] = 'no-store'
  relayed['x-content-type-options'] = 'nosniff'
  return relayed
}

function namedByConnection (connection: string | string[] | undefined): Set<string> {
  return new Set(String(connection ?? '').toLowerCase().split(',').map((name) => name.trim()))
}

/** Reduces a referer to its origin, because the query of the page's URL may contain a user reference. */
function originOf (referer: string | string[] | undefined): string | null {
  const url = typeof referer === 'string' ? parseUrl(referer) : null
  return url === null ? null : `${url.origin}/`
}
