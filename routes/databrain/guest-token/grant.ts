import { revocableGrant } from '../../../plugins/embed-revocation.js'
import type { RevocableGrant } from '../../../plugins/embed-revocation.js'
import { isEpochMilliseconds } from '../../../lib/authorize.js'
import { FORBIDDEN, INTERNAL_ERROR } from '../../../lib/errors.js'
import type { UserReference } from '../../../signing/user-reference.js'
import { clientIdFault } from './client-id.js'
import { isLife } from './options.js'
import type { CheckedOptions, GuestTokenGrant } from './options.js'
import type { TokenRequest } from './token-source.js'

/** What the host's answer comes to. */
export interface CheckedGrant {
  /** What shapes the token: who else it is for, and since when, is no part of it. */
  wanted: TokenRequest
  user: string
  tenant: string
  /** By what it is cut off. */
  revocable: RevocableGrant
}

const MEMBERS = new Set(['clientId', 'params', 'permissions', 'dataAppName', 'expiryTime', 'userId', 'tenant', 'issuedAt'])
const LONGEST_NAME = 256

/** The host's answer with its defaults. Throws `FORBIDDEN` for a client id that must not reach the product, `INTERNAL_ERROR` for any other fault of it. */
export function checkedGrant (
  grant: GuestTokenGrant, reference: UserReference | null, options: Pick<CheckedOptions, 'dataAppName' | 'expiryTime' | 'allowClientId' | 'now'>
): CheckedGrant {
  const { clientId, params, permissions, userId, tenant, issuedAt } = grant
  const fault = clientIdFault(clientId)
  if (fault !== null && !(typeof clientId === 'string' && options.allowClientId(clientId) === true)) throw new FORBIDDEN({ reason: `the client id ${fault}` })
  const wanted = {
    clientId, dataAppName: grant.dataAppName ?? options.dataAppName, params, permissions, expiryTime: grant.expiryTime ?? options.expiryTime
  }
  // A misspelt filter that is passed over would show the user everything.
  const isKnown = Object.keys(grant).every((name) => MEMBERS.has(name))
  const isSound = isObject(params) && isObject(permissions) && typeof wanted.dataAppName === 'string' && isLife(wanted.expiryTime)
  if (!isKnown || !isSound || !isName(userId) || !isName(tenant) || !isTime(issuedAt)) {
    throw new INTERNAL_ERROR({
      reason: '"authorize" must return { clientId, params?, permissions?, dataAppName?, expiryTime?, userId?, tenant?, issuedAt? }'
    })
  }
  const whose = { user: userId ?? reference?.sub ?? clientId, tenant: tenant ?? clientId }
  return { wanted, ...whose, revocable: revocableGrant(reference, { users: [whose.user], tenant: whose.tenant, issuedAt }, options.now()) }
}

function isObject (value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

function isName (value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME)
}

function isTime (value: unknown): boolean {
  return value === undefined || isEpochMilliseconds(value)
}
