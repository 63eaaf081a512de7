import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

export const WidgetTokenReplySchema = Type.Object({
  token: Type.String({ maxLength: 8_192, description: 'The signed token for the widget' }),
  issuedAt: Type.String({
    format: 'date-time', maxLength: 24, description: 'When the token was created, by the server clock'
  }),
  refreshAfter: Type.String({
    format: 'date-time',
    maxLength: 24,
    description: 'When to fetch the next token: after 80 % of its life, so at least 60 s before it expires'
  }),
  expiresAt: Type.String({ format: 'date-time', maxLength: 24, description: 'When the token expires' })
}, { description: 'A token for the signed-in user' })
export type WidgetTokenReply = Static<typeof WidgetTokenReplySchema>

export const widgetTokenSchema = {
  operationId: 'widgetToken',
  summary: 'Get a dxFeed widget token',
  description: 'Signs a short-lived token for the widgets of a page. Nothing in the request changes the user or the ' +
    'permissions of the token.',
  tags: ['embedding'],
  response: {
    200: WidgetTokenReplySchema,
    ...errorReplies(401, 403, 429, 500)
  }
}
