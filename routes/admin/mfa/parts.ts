import type { FastifyReply, FastifyRequest } from 'fastify'

import type { Passkey } from '../../../contracts/token-store/index.js'
import type { PasskeyItem } from '../../../schemas/admin-mfa.js'
import type { CountAttempt } from './attempts.js'
import type { ProveCode } from './codes.js'
import type { MfaLogins } from './mfa-logins.js'
import type { Passkeys } from './passkeys.js'
import type { Totp } from './totp.js'

/** The parts that the routes of second factors share. */
export interface MfaParts {
  totp: Totp
  /** `null` without the option `passkeys`. */
  passkeys: Passkeys | null
  logins: MfaLogins
  proveCode: ProveCode
  countAttempt: CountAttempt
  now: () => number
}

export type MfaRequest<Body> = FastifyRequest<{ Body: Body }>
export type MfaReply = FastifyReply

export function viewPasskey ({ id, name, createdAt, lastUsedAt }: Passkey): PasskeyItem {
  return {
    id,
    name,
    created_at: new Date(createdAt).toISOString(),
    last_used_at: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString()
  }
}
