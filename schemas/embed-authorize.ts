import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

/** What the embed SDK posts. It may send more members in later versions: what is not named here is ignored. */
export const EmbedAuthorizeBodySchema = Type.Object({
  embedQuerString: Type.Optional(Type.String({ maxLength: 524_288, description: 'The query to be signed; the SDK spells it so' })),
  embedQueryString: Type.Optional(Type.String({ maxLength: 524_288, description: 'The same text in the right spelling' })),
  dashboardServerApiUrl: Type.String({ maxLength: 2_048, description: 'Selects one of the configured Bold BI servers' })
})
export type EmbedAuthorizeBody = Static<typeof EmbedAuthorizeBodySchema>

/** The Bold BI server's own JSON object, of which only `Message` is known to us. */
export const EmbedAuthorizeReplySchema = Type.Object({
  ApiStatus: Type.Optional(Type.Unknown()),
  Status: Type.Optional(Type.Unknown()),
  Message: Type.Optional(Type.Unknown({ description: 'For the user; texts in it are HTML-escaped' })),
  Data: Type.Optional(Type.Unknown({ description: 'The access token and what the SDK needs beside it' }))
}, { additionalProperties: true, description: 'The answer of the Bold BI server' })
export type EmbedAuthorizeReply = Static<typeof EmbedAuthorizeReplySchema>

export const embedAuthorizeSchema = {
  summary: 'Authorize the embedding of a Bold BI dashboard',
  description: 'The authorization server of the Bold BI embed SDK: checks the query, adds the user, signs it and asks the Bold BI server for an access token.',
  tags: ['embedding'],
  body: EmbedAuthorizeBodySchema,
  response: {
    200: EmbedAuthorizeReplySchema,
    ...errorReplies(400, 401, 403, 409, 413, 415, 429, 500, 502, 503, 504)
  }
}
