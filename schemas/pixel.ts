import { Type } from '@sinclair/typebox'

import type { EventType } from './event.js'
import { operationIdOf } from './operation-id.js'

export const PIXEL_TYPES = ['track', 'page', 'identify', 'group'] as const satisfies readonly EventType[]
export type PixelType = typeof PIXEL_TYPES[number]

const RESPONSES = {
  200: 'The event is stored',
  400: 'The event is not valid',
  401: 'The key is missing or invalid, or the source accepts only signed events',
  403: 'The source does not accept this type by pixel, or does not accept this origin',
  413: 'The event is too large',
  429: 'Too many requests; retry after `Retry-After` seconds',
  500: 'Internal server error',
  503: 'Temporarily unavailable; retry after `Retry-After` seconds'
}
const GIF = { 'image/gif': { schema: { type: 'string', format: 'binary' } } }

const Id = Type.Optional(Type.String({ maxLength: 512 }))

function querySchemaOf (type: PixelType) {
  return Type.Object({
    // A migrated key has up to 136 characters.
    wk: Type.Optional(Type.String({ maxLength: 136, description: 'The pipeline key' })),
    ...(type === 'track'
      ? { e: Type.String({ minLength: 1, maxLength: 1_000, description: 'The name of the event' }) }
      : {}),
    ...(type === 'page'
      ? { e: Type.Optional(Type.String({ maxLength: 1_000, description: 'The name of the page' })) }
      : {}),
    ...(type === 'group' ? { gid: Type.Optional(Type.String({ maxLength: 512, description: '`groupId`' })) } : {}),
    uid: Id,
    aid: Id,
    ts: Type.Optional(Type.String({
      maxLength: 64,
      description: 'ISO-8601 or epoch milliseconds. Default: the time of receipt'
    })),
    mid: Type.Optional(Type.String({
      maxLength: 100,
      description: '`messageId`: events with the same id are stored once within 24 hours'
    })),
    cb: Type.Optional(Type.Unknown({ description: 'Ignored; a cache buster' }))
  }, { additionalProperties: true })
}

/** `path` tells the routes of one event type apart. */
export function pixelSchema (type: PixelType, path: string) {
  return {
    operationId: operationIdOf('pixel', path),
    summary: `Receive one ${type} event and return an image`,
    description: 'For pages and e-mails that can only load an image. `p.<name>` is a property and `t.<name>` a ' +
      'trait, each a string. An empty `e` (page), `uid`, `aid`, `gid`, `ts` or `mid` is read as absent. Every ' +
      'response, including an error, is the transparent image.',
    tags: ['ingestion'],
    querystring: querySchemaOf(type),
    response: Object.fromEntries(
      Object.entries(RESPONSES).map(([status, description]) => [status, { description, content: GIF }])
    )
  }
}
