import { Type } from '@sinclair/typebox'
import type { Static, TObject } from '@sinclair/typebox'

export const ErrorReplySchema = Type.Object({
  error: Type.Object({
    code: Type.String({ maxLength: 64, description: 'What went wrong, in UPPER_SNAKE; stable' }),
    message: Type.String({ maxLength: 1_000, description: 'The same for the end user' }),
    details: Type.Optional(Type.Array(Type.Object({
      path: Type.String({ maxLength: 1_000, description: 'JSON pointer of the offending value; empty for the whole body' }),
      message: Type.String({ maxLength: 1_000 })
    }), { maxItems: 1_000, description: 'Only for a body that fails its schema' }))
  })
})
export type ErrorReply = Static<typeof ErrorReplySchema>

const DESCRIPTIONS = {
  400: 'The request is not valid',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  409: 'In conflict with what is there',
  413: 'The body is too large',
  415: 'The media type or content encoding is not supported',
  429: 'Too many requests; `Retry-After` says when to come again',
  500: 'The fault is on the server',
  502: 'The upstream service gave no usable answer',
  503: 'Not available right now; `Retry-After` says when to come again',
  504: 'The upstream service did not answer in time'
} as const

export type ErrorStatus = keyof typeof DESCRIPTIONS

/** The `response` entries of a route schema for the statuses that it refuses with. */
export function errorReplies<Status extends ErrorStatus> (...statuses: Status[]): Record<Status, TObject> {
  return Object.fromEntries(statuses.map((status) => [
    status, { ...ErrorReplySchema, description: DESCRIPTIONS[status] }
  ])) as unknown as Record<Status, TObject>
}
