/** Limits that all instances count together. `null` means no result in time: the caller then counts by itself. */
export interface SharedLimits {
  /**
   * Increments the counter of a key. Resolves with its count in the current window and the milliseconds until that
   * window ends.
   */
  count (key: string, timeWindow: number): Promise<{ current: number, ttl: number } | null>
  /**
   * Takes `amount` from a bucket that refills by `perSecond` and holds as much. Resolves with the remaining level,
   * negative for a debt.
   */
  debit (key: string, amount: number, perSecond: number): Promise<number | null>
}
