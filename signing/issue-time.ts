/** How far ahead of ours the clock of another server may be, milliseconds. */
export const CLOCK_TOLERANCE = 30_000

/**
 * Returns the earliest time, in epoch milliseconds, at which something can have been issued that claims to be of
 * `issuedAt`. A time that lies ahead was taken from a clock that is ahead of ours: up to 30 s ahead, it can be 30 s
 * earlier; further ahead, it proves nothing and becomes 0, which is before every cut-off.
 *
 * @example
 * earliestIssue(Date.now() + 2_000, Date.now()) // 28 s ago
 */
export function earliestIssue (issuedAt: number, now: number): number {
  if (!(issuedAt > now)) return issuedAt
  return issuedAt - now > CLOCK_TOLERANCE ? 0 : issuedAt - CLOCK_TOLERANCE
}
