import { Type } from '@sinclair/typebox'

import type { EventType } from './event.js'

export const PIXEL_TYPES = ['track', 'page', 'identify', 'group'] as const satisfies readonly EventType[]
export type PixelType = typeof PIXEL_TYPES[number]

const ANSWERS = {
  200: 'The event is stored',
  400: 'The event is not valid',
  401: 'The key is missing or not valid, or the source takes signed events only',
  403: 'The source does not take this type by pixel, or not from this origin',
  413: 'The event is too large',
  429: 'Too many requests; `Retry-After` says when to come again',
  500: 'The fault is on the server',
  503: 'Not available right now; `Retry-After` says when to come again'
}
const GIF = { 'image/gif': { schema: { type: 'string', format: 'binary' } } }

const Id = Type.Optional(Type.String({ maxLength: 512 }))

function querySchemaOf (type: PixelType) {
  return Type.Object({
    // A key that is brought along has up to 136 characters.
    wk: Type.Optional(Type.String({ maxLength: 136, description: 'The pipeline key' })),
    ...(type === 'track' ? { e: Type.String({ minLength: 1, maxLength: 1_000, description: 'What happened' }) } : {}),
    ...(type === 'page' ? { e: Type.Optional(Type.String({ maxLength: 1_000, description: 'The name of the page' })) } : {}),
    ...(type === 'group' ? { gid: Type.Optional(Type.String({ maxLength: 512, description: '`groupId`' })) } : {}),
    uid: Id,
    aid: Id,
    ts: Type.Optional(Type.String({ maxLength: 64, description: 'ISO-8601, or epoch milliseconds; default: when the event was received' })),
    mid: Type.Optional(Type.String({ maxLength: 100, description: '`messageId`: makes a repeat the same event for 24 hours' })),
    cb: Type.Optional(Type.Unknown({ description: 'Ignored: makes each URL another one' }))
  }, { additionalProperties: true })
}

export function pixelSchema (type: PixelType) {
  return {
    summary: `Take one ${type} event as an image`,
    description: 'For pages and mails that can only load an image. `p.<name>` is a property and `t.<name>` a trait, each a string. ' +
      'An empty `e` (page), `uid`, `aid`, `gid`, `ts` or `mid` counts as absent. ' +
      'Every answer, also a refusal, is the transparent image.',
    tags: ['ingestion'],
    querystring: querySchemaOf(type),
    response: Object.fromEntries(Object.entries(ANSWERS).map(([status, description]) => [status, { description, content: GIF }]))
  }
}
