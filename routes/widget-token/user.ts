import { isEpochMilliseconds } from '../../lib/authorize.js'
import { INTERNAL_ERROR, UNAUTHORIZED } from '../../lib/errors.js'
import type { WidgetUser } from './options.js'

type Check = (value: unknown) => boolean

const MEMBERS: Record<keyof WidgetUser, Check> = {
  user: (value) => typeof value === 'string',
  filters: optional(Array.isArray),
  tenant: optional((value) => typeof value === 'string' && value !== ''),
  issuedAt: optional(isEpochMilliseconds)
}

/**
 * Validates the result of `authorize`. Throws `INTERNAL_ERROR` for an invalid result or an unknown property: ignoring a
 * misspelt `filters` would show the user too much data.
 */
export function checkedUser (result: string | WidgetUser): WidgetUser {
  const user = typeof result === 'string' ? { user: result } : result
  const isKnown = Object.keys(user).every((name) => Object.hasOwn(MEMBERS, name))
  const isValid = (name: keyof WidgetUser): boolean => MEMBERS[name](user[name])
  if (!isKnown || !isValid('user') || !isValid('filters') || !isValid('tenant') || !isValid('issuedAt')) {
    throw new INTERNAL_ERROR({
      reason: 'widget-token: "authorize" must return an id, { user, filters?, tenant?, issuedAt? } or null'
    })
  }
  if (user.user === '') throw new UNAUTHORIZED({ reason: '"authorize" returned an empty user id' })
  return user
}

function optional (check: Check): Check {
  return (value) => value === undefined || check(value)
}
