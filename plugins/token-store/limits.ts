import { CONFLICT } from '../../lib/errors.js'

/** Milliseconds after which a failed login no longer counts as consecutive. */
export const FAILURES_FORGOTTEN_AFTER = 86_400_000

/** Maximum duration of requesting a guest token, milliseconds; a request normally takes seconds. */
export const MAX_MINT_TIME = 600_000

/** Maximum number of sessions in a user's list, the newest. */
export const MAX_LISTED_SESSIONS = 100

/** Creates the error for an organisation that has reached its quota. */
export function overQuota (things: 'sources' | 'webhooks', quota: number): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: `The organisation may have no more ${things} (at most ${quota})` })
}

/** Creates the error for a change that would leave an organisation without an enabled owner. */
export function lastOwner (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'The organisation must keep an enabled owner' })
}
