import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

const Hex = (maxLength: number, description: string) => Type.String({ maxLength, pattern: '^[0-9a-f]+$', description })

/** A challenge of ALTCHA's second protocol. Its members are signed together: none may be left out or added. */
export const CaptchaChallengeSchema = Type.Object({
  parameters: Type.Object({
    algorithm: Type.Literal('PBKDF2/SHA-256'),
    cost: Type.Integer({ minimum: 1, description: 'Rounds that one try takes' }),
    data: Type.Optional(Type.Object({ action: Type.String({ maxLength: 100 }) }, { description: 'What it is to be solved for' })),
    expiresAt: Type.Integer({ description: 'When it ends, unix seconds' }),
    keyLength: Type.Integer({ minimum: 1, maximum: 64, description: 'Bytes of the derived key' }),
    keyPrefix: Hex(128, 'How the key that is looked for begins'),
    nonce: Hex(64, 'What a try derives the key from, followed by its counter as four bytes'),
    salt: Hex(64, 'The salt of each try')
  }),
  signature: Hex(128, 'Goes back as it is')
})
export type CaptchaChallenge = Static<typeof CaptchaChallengeSchema>

export const captchaChallengeSchema = {
  summary: 'Get a captcha challenge',
  description: 'A proof of work for the visitor\'s browser. Its solution, base64 of `{"challenge","solution":{"counter","derivedKey"}}`, goes into `X-Captcha-Token` once.',
  tags: ['captcha'],
  querystring: Type.Object({
    action: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_/-]{1,100}$', description: 'What it is to be solved for, where the route asks for that' }))
  }),
  response: {
    200: CaptchaChallengeSchema,
    ...errorReplies(400, 403, 429, 503)
  }
}
