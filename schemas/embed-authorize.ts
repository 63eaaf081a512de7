import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

/**
 * The body that the Bold BI embed SDK posts. Unknown properties are ignored, because later SDK versions may add some.
 */
export const EmbedAuthorizeBodySchema = Type.Object({
  embedQuerString: Type.Optional(Type.String({
    maxLength: 524_288, description: 'The query to sign; the property name is misspelt in the SDK'
  })),
  embedQueryString: Type.Optional(Type.String({
    maxLength: 524_288, description: 'The same query under the correctly spelt property name'
  })),
  dashboardServerApiUrl: Type.String({ maxLength: 2_048, description: 'Selects one of the configured Bold BI servers' })
})
export type EmbedAuthorizeBody = Static<typeof EmbedAuthorizeBodySchema>

/** The JSON response of the Bold BI server. The suite reads only `Message`. */
export const EmbedAuthorizeReplySchema = Type.Object({
  ApiStatus: Type.Optional(Type.Unknown()),
  Status: Type.Optional(Type.Unknown()),
  Message: Type.Optional(Type.Unknown({ description: 'A message for the user, HTML-escaped' })),
  Data: Type.Optional(Type.Unknown({ description: 'The access token and other data for the SDK' }))
}, { additionalProperties: true, description: 'The response of the Bold BI server' })
export type EmbedAuthorizeReply = Static<typeof EmbedAuthorizeReplySchema>

export const embedAuthorizeSchema = {
  operationId: 'embedAuthorize',
  summary: 'Authorize the embedding of a Bold BI dashboard',
  description: 'The authorization server of the Bold BI embed SDK: validates the query, adds the user, signs the ' +
    'query and requests an access token from the Bold BI server.',
  tags: ['embedding'],
  body: EmbedAuthorizeBodySchema,
  response: {
    200: EmbedAuthorizeReplySchema,
    ...errorReplies(400, 401, 403, 409, 413, 415, 429, 500, 502, 503, 504)
  }
}
