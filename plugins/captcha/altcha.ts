import { randomInt } from 'node:crypto'

import type { Challenge, DeriveKeyFunction } from 'altcha-lib'
import type { FastifyInstance } from 'fastify'

import { CAPTCHA_FAILED, GatehouseError, INVALID_OPTIONS } from '../../lib/errors.js'
import { importOptional } from '../../lib/optional-package.js'
import { RotatingSecret } from '../../lib/secrets/secret-source.js'
import { hmacSha256 } from '../../signing/digest.js'
import { assertStrongSecret } from '../../signing/secret-strength/index.js'
import { parseAltchaPayload } from './altcha-payload.js'
import { deriveInTurn } from './derivation-turn.js'
import type { AltchaOptions } from './options.js'
import type { CaptchaVerifier } from './verifier.js'

export interface AltchaVerifier extends CaptchaVerifier {
  /** Creates a challenge that is valid only for an action; `undefined` for no action. */
  challenge(action: string | undefined): Promise<Challenge>
}

const WHY = 'The captcha "altcha"'
/** Maximum difference between the clocks of two instances, in milliseconds. */
const CLOCK_SKEW = 60_000

/**
 * Creates and verifies proofs of work by version 2 of the ALTCHA protocol: the page searches the counter whose PBKDF2
 * key has a given prefix.
 */
export async function altcha (app: FastifyInstance, options: AltchaOptions): Promise<AltchaVerifier> {
  const { ttl = 600_000, cost = 1_000, maxTries = 4_000, now = Date.now } = options
  const { createChallenge, verifySolution } = await importOptional('altcha-lib', () => import('altcha-lib'), WHY)
  const { deriveKey: deriveAtOnce } = await importOptional(
    'altcha-lib',
    () => import('altcha-lib/algorithms/pbkdf2'),
    WHY
  )
  const deriveKey: DeriveKeyFunction = (parameters, salt, password) =>
    deriveInTurn(parameters.cost, () => deriveAtOnce(parameters, salt, password))
  const secrets = await RotatingSecret.open(options.hmacKey, {
    name: 'captcha: "hmacKey"',
    log: app.log,
    check: signingSecret
  })

  return {
    async challenge (action) {
      return createChallenge({
        algorithm: 'PBKDF2/SHA-256',
        cost,
        // From 1 on, because a solver would skip a known minimum of tries.
        counter: randomInt(1, maxTries + 1),
        deriveKey,
        expiresAt: Math.ceil((now() + ttl) / 1_000),
        hmacSignatureSecret: await secrets.get(),
        ...action === undefined ? {} : { data: { action } }
      })
    },

    async verify (token, { action }) {
      const payload = parseAltchaPayload(token)
      if (payload === null) throw new CAPTCHA_FAILED({ reason: 'the captcha token is not a solution of a challenge' })
      const { parameters } = payload.challenge
      const left = parameters.expiresAt * 1_000 - now()
      if (left <= 0) throw new CAPTCHA_FAILED({ reason: 'the challenge has expired' })
      const reason = await verifySolution({ ...payload, deriveKey, hmacSignatureSecret: await secrets.get() }).then(
        ({ verified, expired, invalidSignature }) =>
          verified
            ? null
            : expired
              ? 'the challenge has expired'
              : invalidSignature === true
                ? 'the challenge was not signed with this key'
                : 'the solution is wrong',
        (error: unknown) => {
          if (error instanceof GatehouseError) throw error
          return 'the solution is malformed'
        }
      )
      if (reason !== null) throw new CAPTCHA_FAILED({ reason })
      if (action !== null && parameters.data?.action !== action) {
        throw new CAPTCHA_FAILED({ reason: 'the captcha was solved for another action' })
      }
      // The nonce and not the token, because parts of the token are not signed and could be changed for a replay.
      return { claim: `captcha:altcha:${parameters.nonce}`, ttl: left + CLOCK_SKEW }
    }
  }
}

/** Derives a key for challenges only, because the host may use its key elsewhere too. */
function signingSecret (key: string): string {
  try {
    assertStrongSecret('hmacKey', key)
  } catch (error) {
    throw new INVALID_OPTIONS(`captcha: ${(error as Error).message}`)
  }
  return hmacSha256(key, 'fastify-gatehouse altcha challenge', 'hex')
}
