import { CONFLICT } from '../../lib/errors.js'

/** Failures to log in this far apart no longer count as consecutive, milliseconds. */
export const FAILURES_FORGOTTEN_AFTER = 86_400_000

/** A mint of a guest token takes seconds; one that began longer ago than this, in milliseconds, is not waited for. */
export const LONGEST_MINT = 600_000

/** How many sessions of a user are listed at most, the newest. */
export const SESSIONS_LISTED = 100

/** The refusal of one more than an organisation may have. */
export function overQuota (things: 'sources' | 'webhooks', quota: number): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: `The organisation may have no more ${things} (at most ${quota})` })
}
