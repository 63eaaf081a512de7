import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

export const CsrfTokenReplySchema = Type.Object({
  token: Type.String({ maxLength: 256, description: 'The value for the header `X-CSRF-Token`' })
}, { description: 'A CSRF token for the session of the request' })
export type CsrfTokenReply = Static<typeof CsrfTokenReplySchema>

export const csrfTokenSchema = {
  operationId: 'csrfToken',
  summary: 'Get a CSRF token',
  description: 'For pages of the same origin or of an allowed origin. The token is valid only together with the ' +
    'cookie of this response and within the session of the request.',
  tags: ['csrf'],
  response: {
    200: CsrfTokenReplySchema,
    ...errorReplies(403, 429, 500)
  }
}
