import { Type } from '@sinclair/typebox'
import type { Static, TObject } from '@sinclair/typebox'

export const ErrorReplySchema = Type.Object({
  error: Type.Object({
    code: Type.String({ maxLength: 64, description: 'A stable error code in UPPER_SNAKE' }),
    message: Type.String({ maxLength: 1_000, description: 'A message for the end user' }),
    details: Type.Optional(Type.Array(Type.Object({
      path: Type.String({
        maxLength: 1_000, description: 'JSON pointer of the invalid value; empty for the whole body'
      }),
      message: Type.String({ maxLength: 1_000 })
    }), { maxItems: 1_000, description: 'Only present if the body does not match its schema' }))
  })
})
export type ErrorReply = Static<typeof ErrorReplySchema>

const DESCRIPTIONS = {
  400: 'The request is not valid',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  409: 'The request conflicts with the current state',
  413: 'The body is too large',
  415: 'The media type or content encoding is not supported',
  429: 'Too many requests; retry after `Retry-After` seconds',
  500: 'Internal server error',
  502: 'The upstream service sent no usable response',
  503: 'Temporarily unavailable; retry after `Retry-After` seconds',
  504: 'The upstream service did not respond in time'
} as const

export type ErrorStatus = keyof typeof DESCRIPTIONS

/** Returns the `response` entries of a route schema for the error statuses of the route. */
export function errorReplies<Status extends ErrorStatus> (...statuses: Status[]): Record<Status, TObject> {
  return Object.fromEntries(statuses.map((status) => [
    status, { ...ErrorReplySchema, description: DESCRIPTIONS[status] }
  ])) as unknown as Record<Status, TObject>
}
