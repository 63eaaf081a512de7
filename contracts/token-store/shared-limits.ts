/** What instances count together. Both resolve with `null` where that can't be done in time: the caller then counts by itself. */
export interface SharedLimits {
  /** Counts one more under a key; how many came in its window, and the milliseconds until that ends. */
  count (key: string, timeWindow: number): Promise<{ current: number, ttl: number } | null>
  /** Takes from a bucket that holds what `perSecond` adds in a second; what is left in it, less than nothing for a debt. */
  debit (key: string, amount: number, perSecond: number): Promise<number | null>
}
