import type { FastifyInstance, FastifyRequest } from 'fastify'

type Serializer = (value: unknown) => string

const SERIALIZERS = Symbol.for('pino.serializers')

/** A URL with the values of its query masked: they may be keys, references and tokens. */
export function maskQuery (url: string): string {
  const at = url.indexOf('?')
  if (at === -1) return url
  const pairs = url.slice(at + 1).split('&').map(maskPair)
  return `${url.slice(0, at)}?${pairs.join('&')}`
}

/** The options of a scope whose URLs may carry keys: it logs by the host's own request serializer, which gets to see them masked. */
export function maskedRequestLog (app: FastifyInstance): { logSerializers?: Record<string, Serializer> } {
  const around = (app.log as unknown as { [SERIALIZERS]?: Record<string, Serializer> })[SERIALIZERS]?.['req']
  return around === undefined ? {} : { logSerializers: { req: (request) => around(withMaskedUrl(request)) } }
}

function withMaskedUrl (request: unknown): unknown {
  const { url, originalUrl } = request as Partial<FastifyRequest>
  if (typeof url !== 'string' || !url.includes('?')) return request
  return Object.create(request as FastifyRequest, {
    url: { value: maskQuery(url), enumerable: true },
    originalUrl: { value: maskQuery(originalUrl ?? url), enumerable: true },
    // pino's own serializer shows it beside the URL.
    query: { value: {}, enumerable: true }
  })
}

/** What has no name may itself be the key. */
function maskPair (pair: string): string {
  const equals = pair.indexOf('=')
  return equals === -1 ? '***' : `${pair.slice(0, equals)}=***`
}
