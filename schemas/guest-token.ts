import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

export const GuestTokenReplySchema = Type.Object({
  token: Type.String({ format: 'uuid', maxLength: 36, description: 'The guest token' })
}, { description: 'A guest token of the user' })
export type GuestTokenReply = Static<typeof GuestTokenReplySchema>

export const guestTokenSchema = {
  summary: 'Get a DataBrain guest token',
  description: 'Called by DataBrain\'s servers with the proxy key, for the user whom the reference in the URL names.',
  tags: ['embedding'],
  querystring: Type.Object({
    ref: Type.Optional(Type.String({ maxLength: 2_048, description: 'The user reference, as the page put it into `proxyAuthUrl`' }))
  }, { additionalProperties: true }),
  response: {
    200: GuestTokenReplySchema,
    ...errorReplies(400, 401, 403, 429, 500, 502, 503, 504)
  }
}
