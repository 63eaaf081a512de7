import { isEpochMilliseconds } from '../../lib/authorize.js'
import { INTERNAL_ERROR, UNAUTHORIZED } from '../../lib/errors.js'
import type { WidgetUser } from './options.js'

type Check = (value: unknown) => boolean

const MEMBERS: Record<keyof WidgetUser, Check> = {
  user: (value) => typeof value === 'string',
  filters: orNone(Array.isArray),
  tenant: orNone((value) => typeof value === 'string' && value !== ''),
  issuedAt: orNone(isEpochMilliseconds)
}

/** Returns the user that `authorize` returned. A misspelt `filters` that is passed over would widen what the user sees, so nothing unknown is. */
export function checkedUser (answer: string | WidgetUser): WidgetUser {
  const user = typeof answer === 'string' ? { user: answer } : answer
  const isKnown = Object.keys(user).every((name) => Object.hasOwn(MEMBERS, name))
  const isRight = (name: keyof WidgetUser): boolean => MEMBERS[name](user[name])
  if (!isKnown || !isRight('user') || !isRight('filters') || !isRight('tenant') || !isRight('issuedAt')) {
    throw new INTERNAL_ERROR({ reason: 'widget-token: "authorize" must return an id, { user, filters?, tenant?, issuedAt? } or null' })
  }
  if (user.user === '') throw new UNAUTHORIZED({ reason: '"authorize" named no user' })
  return user
}

function orNone (check: Check): Check {
  return (value) => value === undefined || check(value)
}
