import type { FastifyInstance, FastifyRequest } from 'fastify'

type Serializer = (value: unknown) => string

const SERIALIZERS = Symbol.for('pino.serializers')
const MASKS_URLS = Symbol.for('fastify-gatehouse.masksUrls')
/**
 * Matches a user name and password: everything before the last `@`, because a password may contain a `/`, at which
 * parsers end the authority.
 */
const USERINFO = /^((?:[a-z][a-z0-9+.-]*:)?[\\/]{2})[^?#]*@/i

/** The start of a request target without an authority. */
const PATH = /^\/(?![\\/])/

/**
 * Returns a URL or request target for logging: without user name and password, and without the values of the query and
 * the fragment, which may be keys, references and tokens.
 *
 * @example
 * maskUrl('http://user:password@host/path?key=1')  // 'http://***@host/path?key=***'
 */
export function maskUrl (url: string): string {
  const at = url.search(/[?#]/)
  const path = at === -1 ? url : url.slice(0, at)
  const plain = PATH.test(path) ? path : path.replace(USERINFO, '$1***@')
  if (at === -1) return plain
  if (url.charAt(at) === '#') return `${plain}#***`
  const query = url.slice(at + 1)
  // Most queries have one parameter.
  return `${plain}?${query.includes('&') ? query.split('&').map(maskPair).join('&') : maskPair(query)}`
}

/** Marks a request serializer that masks URLs itself: masking them twice would cost more than the log line. */
export function masksUrls<S extends object> (serializer: S): S {
  return Object.assign(serializer, { [MASKS_URLS]: true })
}

/** Returns scope options that mask URLs in the log. The host's own request serializer receives the masked URLs. */
export function maskedRequestLog (app: FastifyInstance): { logSerializers?: Record<string, Serializer> } {
  const around = (app.log as unknown as { [SERIALIZERS]?: Record<string, Serializer> })[SERIALIZERS]?.['req']
  if (around === undefined || MASKS_URLS in around) return {}
  return { logSerializers: { req: (request) => around(withMaskedUrls(request)) } }
}

function withMaskedUrls (request: unknown): unknown {
  const { url, originalUrl, headers } = request as Partial<FastifyRequest>
  if (typeof url !== 'string') return request
  return Object.create(request as FastifyRequest, {
    url: { value: maskUrl(url), enumerable: true },
    originalUrl: { value: maskUrl(originalUrl ?? url), enumerable: true },
    // pino's own serializer logs these next to the URL.
    query: { value: {}, enumerable: true },
    ...headers?.referer === undefined
      ? {}
      : { headers: { value: { ...headers, referer: maskUrl(headers.referer) }, enumerable: true } }
  })
}

/** A parameter without a name may itself be a key. */
function maskPair (pair: string): string {
  const equals = pair.indexOf('=')
  return equals === -1 ? '***' : `${pair.slice(0, equals)}=***`
}
