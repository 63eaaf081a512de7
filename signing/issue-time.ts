/** Maximum time that the clock of another server may be ahead of ours, in milliseconds. */
export const CLOCK_TOLERANCE = 30_000

/**
 * Returns the earliest epoch time, in milliseconds, at which an item with the claimed `issuedAt` can have been issued.
 * A future `issuedAt` comes from a clock that is ahead: up to 30 s ahead, the real time can be 30 s earlier; further
 * ahead, the claim is worthless and the result is 0, which is before every cut-off.
 *
 * @example
 * earliestIssue(Date.now() + 2_000, Date.now()) // 28 s ago
 */
export function earliestIssue (issuedAt: number, now: number): number {
  if (!(issuedAt > now)) return issuedAt
  return issuedAt - now > CLOCK_TOLERANCE ? 0 : issuedAt - CLOCK_TOLERANCE
}
