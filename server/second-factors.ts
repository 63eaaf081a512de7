import type { FastifyInstance } from 'fastify'

import adminMfa from '../routes/admin/mfa/index.js'
import type { PasskeyOptions } from '../routes/admin/mfa/index.js'
import type { Config } from './config/index.js'
import type { Secrets } from './secrets.js'

interface SecondFactorParts {
  config: Config
  secrets: Secrets
  /** The server's own origins. */
  origins: readonly string[]
}

const MINUTE = 60_000

/** Registers the second factors of administrators, unless MFA is off. */
export async function secondFactors (
  app: FastifyInstance,
  { config, secrets, origins }: SecondFactorParts
): Promise<void> {
  const { mfa, limits } = config
  if (mfa === null) return
  const passkeys = mfa.passkeys ?? (config.production ? null : passkeysOfThisMachine(origins))
  await app.register(adminMfa, {
    jwtSecrets: secrets.JWT_SECRET,
    appName: mfa.name,
    ...passkeys === null ? {} : { passkeys: { rpName: mfa.name, ...passkeys } },
    loginRateLimit: { max: 2 * limits.LOGIN_RATE_MAX, timeWindow: MINUTE },
    userRateLimit: { max: limits.ADMIN_RATE_MAX, timeWindow: MINUTE }
  })
}

/** Browsers accept passkeys of localhost, but of no address. */
function passkeysOfThisMachine (origins: readonly string[]): PasskeyOptions | null {
  const local = origins.filter((origin) => new URL(origin).hostname === 'localhost')
  return local.length === 0 ? null : { rpId: 'localhost', origins: local }
}
