import type { IncomingHttpHeaders } from 'node:http'
import { parseUrl } from '../../../signing/parse-url.js'

type Headers = Record<string, string | string[]>

const HOP_BY_HOP = [
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'http2-settings'
]

const NOT_SENT = new Set([
  ...HOP_BY_HOP,
  // Who the user is, and may be, is between the page and this server.
  'cookie', 'cookie2', 'authorization', 'x-plugin-token', 'x-proxy-auth-key', 'x-user-reference', 'x-csrf-token', 'x-captcha-token',
  // Where the request came from is for nobody to say but the upstream's own socket.
  'forwarded', 'via', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip', 'fastly-client-ip', 'x-cluster-client-ip',
  // Some servers believe these more than the request line.
  'x-http-method', 'x-http-method-override', 'x-method-override', 'x-original-url', 'x-original-uri', 'x-rewrite-url', 'x-host',
  'expect'
])

const NOT_RELAYED = new Set([
  ...HOP_BY_HOP,
  'set-cookie', 'set-cookie2', 'www-authenticate', 'x-plugin-token',
  // What a cache may do with it: ours says that it may not keep it.
  'cache-control', 'expires', 'pragma', 'age',
  // What a browser would take as said of this origin.
  'strict-transport-security', 'alt-svc', 'clear-site-data', 'nel', 'report-to', 'reporting-endpoints', 'public-key-pins', 'public-key-pins-report-only',
  'service-worker-allowed', 'origin-agent-cluster', 'refresh', 'location',
  // What a web server in front of this one would take as an order.
  'x-sendfile', 'x-lighttpd-send-file', 'x-reproxy-url',
  'server', 'x-powered-by', 'date'
])
const NOT_RELAYED_LIKE = /^access-control-|^surrogate-|cdn-cache-control$|^x-accel-/

/** The headers of a request as they go upstream, under the user's guest token. */
export function requestHeaders (headers: IncomingHttpHeaders, token: string): Headers {
  const named = namedByConnection(headers.connection)
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_SENT.has(name) || name.startsWith('x-forwarded') || named.has(name)) continue
    kept[name] = value
  }
  const referer = originOf(kept['referer'])
  if (referer === null) delete kept['referer']
  else kept['referer'] = referer
  kept['x-plugin-token'] = token
  return kept
}

/** The headers of an answer as they go to the page. */
export function responseHeaders (headers: IncomingHttpHeaders): Headers {
  const named = namedByConnection(headers.connection)
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NOT_RELAYED.has(name) || NOT_RELAYED_LIKE.test(name) || named.has(name)) continue
    kept[name] = value
  }
  // One user's data under a URL that all users have.
  kept['cache-control'] = 'no-store'
  kept['x-content-type-options'] = 'nosniff'
  return kept
}

function namedByConnection (connection: string | string[] | undefined): Set<string> {
  return new Set(String(connection ?? '').toLowerCase().split(',').map((name) => name.trim()))
}

/** As a browser names a page to another origin: the query of the page's URL may hold a user reference. */
function originOf (referer: string | string[] | undefined): string | null {
  const url = typeof referer === 'string' ? parseUrl(referer) : null
  return url === null ? null : `${url.origin}/`
}
