import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

export const GuestTokenReplySchema = Type.Object({
  token: Type.String({ format: 'uuid', maxLength: 36, description: 'The guest token' })
}, { description: 'A guest token for the user' })
export type GuestTokenReply = Static<typeof GuestTokenReplySchema>

export const guestTokenSchema = {
  operationId: 'guestToken',
  summary: 'Get a DataBrain guest token',
  description: 'DataBrain\'s servers call this route with the proxy key. The user reference in the URL identifies ' +
    'the user.',
  tags: ['embedding'],
  querystring: Type.Object({
    ref: Type.Optional(Type.String({ maxLength: 2_048, description: 'The user reference from `proxyAuthUrl`' }))
  }, { additionalProperties: true }),
  response: {
    200: GuestTokenReplySchema,
    ...errorReplies(400, 401, 403, 429, 500, 502, 503, 504)
  }
}

const time = (description: string) => Type.String({ format: 'date-time', maxLength: 24, description })

export const ProxyAuthUrlReplySchema = Type.Object({
  proxyAuthUrl: Type.String({ maxLength: 8_192, description: 'The next value of `window.dbn.proxyAuthUrl`' }),
  issuedAt: time('When the user reference was signed, by the server clock'),
  refreshAfter: time('When to fetch the next URL: after 80 % of the reference\'s life'),
  expiresAt: time('When the user reference expires')
}, { description: 'The URL of the guest-token route with a new user reference' })
export type ProxyAuthUrlReply = Static<typeof ProxyAuthUrlReplySchema>

export const proxyAuthUrlSchema = {
  operationId: 'proxyAuthUrl',
  summary: 'Get the next proxyAuthUrl of an open page',
  description: 'A page that stays open longer than its user reference is valid calls this route. The host\'s session ' +
    'identifies the user; a user reference in the request is ignored.',
  tags: ['embedding'],
  response: {
    200: ProxyAuthUrlReplySchema,
    ...errorReplies(401, 403, 429, 500, 503)
  }
}
