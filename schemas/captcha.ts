import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

const Hex = (maxLength: number, description: string) => Type.String({ maxLength, pattern: '^[0-9a-f]+$', description })

/** A challenge of ALTCHA's second protocol. One signature covers all properties, so none may be omitted or added. */
export const CaptchaChallengeSchema = Type.Object({
  parameters: Type.Object({
    algorithm: Type.Literal('PBKDF2/SHA-256'),
    cost: Type.Integer({ minimum: 1, description: 'PBKDF2 iterations per attempt' }),
    data: Type.Optional(Type.Object({ action: Type.String({ maxLength: 100 }) }, {
      description: 'The action that the challenge is for'
    })),
    expiresAt: Type.Integer({ description: 'When the challenge expires, in unix seconds' }),
    keyLength: Type.Integer({ minimum: 1, maximum: 64, description: 'Bytes of the derived key' }),
    keyPrefix: Hex(128, 'The prefix that the derived key must have'),
    nonce: Hex(64, 'Each attempt derives a key from the nonce and a four-byte counter'),
    salt: Hex(64, 'The salt of every attempt')
  }),
  signature: Hex(128, 'Return it unchanged')
})
export type CaptchaChallenge = Static<typeof CaptchaChallengeSchema>

export const captchaChallengeSchema = {
  operationId: 'captchaChallenge',
  summary: 'Get a captcha challenge',
  description: 'Returns a proof of work for the visitor\'s browser. Send its solution, base64 of ' +
    '`{"challenge","solution":{"counter","derivedKey"}}`, in `X-Captcha-Token`. Each solution is accepted once.',
  tags: ['captcha'],
  querystring: Type.Object({
    action: Type.Optional(Type.String({
      pattern: '^[A-Za-z0-9_/-]{1,100}$', description: 'The action that the challenge is for, if the route requires one'
    }))
  }),
  response: {
    200: CaptchaChallengeSchema,
    ...errorReplies(400, 403, 429, 503)
  }
}
