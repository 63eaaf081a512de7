/**
 * Returns a monotonic clock in milliseconds. One clock of a page stops while the machine sleeps, the other one jumps
 * when it is set. The clock that has advanced further since the last call is correct, or at worst fast.
 */
export function openClock (): () => number {
  let time = 0
  let date = Date.now()
  let ticks = performance.now()
  return () => {
    time += Math.max(-date + (date = Date.now()), -ticks + (ticks = performance.now()))
    return time
  }
}
