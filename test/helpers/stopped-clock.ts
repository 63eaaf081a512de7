import type { Test } from 'tap'

/** Stops `performance.now()` until the end of the test; it moves on by what the test adds to it. */
export function stopClock (t: Test): { advance (milliseconds: number): void } {
  // A whole number, so that sums of whole milliseconds are exact.
  const state = { now: Math.ceil(performance.now()) }
  performance.now = () => state.now
  t.teardown(() => { Reflect.deleteProperty(performance, 'now') })
  return { advance: (milliseconds) => { state.now += milliseconds } }
}
