/** When a claim ends; a time to live that is no positive number would switch the protection off unseen. */
export function claimEnd (now: number, ttl: number): number {
  if (!(ttl > 0)) throw new RangeError('claim: "ttl" must be a positive number of milliseconds')
  return now + ttl
}
