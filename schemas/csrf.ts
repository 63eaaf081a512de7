import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

export const CsrfTokenReplySchema = Type.Object({
  token: Type.String({ maxLength: 256, description: 'For the header `X-CSRF-Token`' })
}, { description: 'A token for the session of the request' })
export type CsrfTokenReply = Static<typeof CsrfTokenReplySchema>

export const csrfTokenSchema = {
  summary: 'Get a CSRF token',
  description: 'For pages of the same origin, or of one that is allowed. It holds together with the cookie that comes along, and in the session of the request alone.',
  tags: ['csrf'],
  response: {
    200: CsrfTokenReplySchema,
    ...errorReplies(403, 429, 500)
  }
}
