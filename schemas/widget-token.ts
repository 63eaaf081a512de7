import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

export const WidgetTokenReplySchema = Type.Object({
  token: Type.String({ maxLength: 8_192, description: 'The signed token, for the widget' }),
  issuedAt: Type.String({ format: 'date-time', maxLength: 24, description: 'When it was made: a page whose own clock may be wrong reckons from here' }),
  refreshAfter: Type.String({ format: 'date-time', maxLength: 24, description: 'When to come for the next one: a fifth of its life before the end, so at least 60 s' }),
  expiresAt: Type.String({ format: 'date-time', maxLength: 24, description: 'When it ends' })
}, { description: 'A token of the signed-in user' })
export type WidgetTokenReply = Static<typeof WidgetTokenReplySchema>

export const widgetTokenSchema = {
  summary: 'Get a dxFeed widget token',
  description: 'Signs a short-lived token for the widgets on a page. Nothing in the request changes whose token it is or what it may see.',
  tags: ['embedding'],
  response: {
    200: WidgetTokenReplySchema,
    ...errorReplies(401, 403, 429, 500)
  }
}
