import { revocableGrant } from '../../../plugins/embed-revocation.js'
import type { RevocableGrant } from '../../../plugins/embed-revocation.js'
import { isEpochMilliseconds } from '../../../lib/authorize.js'
import { FORBIDDEN, INTERNAL_ERROR } from '../../../lib/errors.js'
import type { SignedUser } from '../../../lib/signed-users.js'
import { clientIdProblem } from './client-id.js'
import { isLifetime } from '../token-options.js'
import type { CheckedOptions, GuestTokenGrant } from './options.js'
import type { TokenRequest } from './token-source.js'

/** The valid result of the host's `authorize`, with defaults. */
export interface CheckedGrant {
  /** The body of the upstream call. */
  tokenRequest: TokenRequest
  user: string
  tenant: string
  /** The names by which the grant can be revoked. */
  revocable: RevocableGrant
}

const MEMBERS = new Set(['clientId', 'params', 'permissions', 'dataAppName', 'expiryTime', 'userId', 'tenant',
  'issuedAt'])
const MAX_NAME_LENGTH = 256

/**
 * Validates the result of `authorize` and adds the defaults. Throws `FORBIDDEN` for an unsafe client id and
 * `INTERNAL_ERROR` for any other invalid value.
 */
export function checkedGrant (
  grant: GuestTokenGrant,
  credentials: readonly SignedUser[],
  options: Pick<CheckedOptions, 'dataAppName' | 'expiryTime' | 'allowClientId' | 'now'>
): CheckedGrant {
  const { clientId, params, permissions, userId, tenant, issuedAt } = grant
  const problem = clientIdProblem(clientId)
  if (problem !== null && !(typeof clientId === 'string' && options.allowClientId(clientId) === true)) {
    throw new FORBIDDEN({ reason: `the client id ${problem}` })
  }
  const tokenRequest = {
    clientId,
    dataAppName: grant.dataAppName ?? options.dataAppName,
    params,
    permissions,
    expiryTime: grant.expiryTime ?? options.expiryTime
  }
  // A misspelt filter must not be ignored: without the filter the user would see all data.
  const isKnown = Object.keys(grant).every((name) => MEMBERS.has(name))
  const isValid = isObject(params) && isObject(permissions) && typeof tokenRequest.dataAppName === 'string' &&
    isLifetime(tokenRequest.expiryTime)
  if (!isKnown || !isValid || !isName(userId) || !isName(tenant) || !isTime(issuedAt)) {
    throw new INTERNAL_ERROR({
      reason: '"authorize" must return ' +
        '{ clientId, params?, permissions?, dataAppName?, expiryTime?, userId?, tenant?, issuedAt? }'
    })
  }
  const user = userId ?? credentials[0]?.sub ?? clientId
  const subject = { users: [user], tenant: tenant ?? clientId, issuedAt }
  return {
    tokenRequest,
    user,
    tenant: subject.tenant,
    revocable: revocableGrant(credentials, subject, options.now())
  }
}

function isObject (value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

function isName (value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH)
}

function isTime (value: unknown): boolean {
  return value === undefined || isEpochMilliseconds(value)
}
