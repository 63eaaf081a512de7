/**
 * Milliseconds that only go forward. Of the two clocks of a page one stands still while the machine sleeps, and the other jumps when it is set:
 * whichever has gone further since the last look is right, or at worst early.
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
