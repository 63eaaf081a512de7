import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { FORBIDDEN, INVALID_SIGNATURE, PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'
import { countProperties, EVENT_LIMITS } from '../../../lib/json/limits.js'
import { claimsSignature } from '../../../lib/http/signature-headers.js'
import { PIXEL_TYPES, pixelSchema } from '../../../schemas/pixel.js'
import type { PixelType } from '../../../schemas/pixel.js'
import type { GetVisitorId } from '../identity-cookie.js'
import type { EventWriter } from '../event-writer.js'
import { normalise } from '../normalise.js'
import { pixelEvent } from './event.js'
import { IngestContext } from '../ingest-context.js'

const PATHS = PIXEL_TYPES.map((type) => [pathOf(type), type] as const)

/** A transparent GIF of one pixel. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')

export interface PixelLimits {
  eventLimit: number
}

/**
 * Registers the routes that accept a single event in the query of an image URL. A signed pixel is refused: the
 * signature covers the empty body and not the query.
 */
export async function pixelRoutes (
  scope: FastifyInstance,
  { eventLimit }: PixelLimits,
  getVisitorId: GetVisitorId | null,
  writer: EventWriter
): Promise<void> {
  scope.addHook('onSend', sendImage)

  for (const [path, type] of PATHS) {
    scope.get<{ Querystring: Record<string, unknown> }>(path, {
      // Fastify's own HEAD route would store an event.
      schema: pixelSchema(type, path),
      exposeHeadRoute: false,
      config: { gatehouse: { pipelineKey: true, signature: 'off' }, eventType: type }
    }, function acceptPixel (request, reply) {
      return storeEvent(request, reply, type)
    })
    scope.head(
      path,
      { schema: { hide: true } as object, config: { gatehouse: { pipelineKey: true } } },
      async function sendHead () {
        return GIF
      }
    )
  }

  async function storeEvent (
    request: FastifyRequest<{ Querystring: Record<string, unknown> }>,
    reply: FastifyReply,
    type: PixelType
  ): Promise<Buffer> {
    const { headers, query } = request
    if (claimsSignature(headers)) throw new INVALID_SIGNATURE({ reason: 'a pixel request must not be signed' })
    const ingest = new IngestContext(request, reply, getVisitorId)
    if (!ingest.source.pixelTypes.includes(type)) {
      throw new FORBIDDEN({ reason: `the source does not accept ${type} events by pixel` })
    }
    const value = pixelEvent(type, query, headers.referer)
    countProperties(value, EVENT_LIMITS)
    const json = JSON.stringify(value)
    if (Buffer.byteLength(json) > eventLimit) throw new PAYLOAD_TOO_LARGE({ message: 'The event is too large' })
    await writer.write(ingest.source, [
      normalise({ value, json, type, index: 0, batch: null }, ingest, writer.isBotAgent)
    ])
    return GIF
  }
}

/** Sends the GIF with every response, errors included: an image element logs an error for any other body. */
function sendImage (
  _request: FastifyRequest,
  reply: FastifyReply,
  _payload: unknown,
  done: (error: null, payload: Buffer) => void
): void {
  reply.headers({
    'content-type': 'image/gif',
    'cache-control': 'no-store, no-cache, must-revalidate',
    pragma: 'no-cache',
    expires: '0',
    // Pages of other sites embed the pixel; this overrides a stricter header of the host.
    'cross-origin-resource-policy': 'cross-origin'
  })
  done(null, GIF)
}

function pathOf (type: PixelType): string {
  return `/v1/pixel/${type}`
}
