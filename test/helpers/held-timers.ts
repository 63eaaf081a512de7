import type { Test } from 'tap'

export interface HeldTimers {
  /** How many timers wait. */
  waiting(): number
  /** Runs those that wait, as if their time had passed; an interval waits again after it. */
  run(): void
}

/**
 * Holds the timers of exactly `delay` milliseconds that are set from now on until the end of the test: they run when
 * the test says so. All other
 * timers run as usual. Take a delay that nothing else in the process uses, such as 61 234.
 */
export function holdTimers (t: Test, delay: number): HeldTimers {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis
  const held = new Map<unknown, () => void>()

  function replace (
    name: 'setTimeout' | 'setInterval',
    set: (act: () => void, delay?: number) => NodeJS.Timeout
  ): void {
    Reflect.set(globalThis, name, function (act: (...args: unknown[]) => void, wanted?: number, ...args: unknown[]) {
      if (wanted !== delay) return Reflect.apply(set, globalThis, [act, wanted, ...args])
      // Stands for the timer, for `unref` and `clearTimeout`; it does not run by itself.
      const timer = setTimeout(() => {}, 2 ** 31 - 1)
      held.set(timer, () => {
        if (name === 'setTimeout') clear(timer)
        act(...args)
      })
      return timer
    })
  }

  function clear (timer: NodeJS.Timeout): void {
    held.delete(timer)
    clearTimeout(timer)
  }

  replace('setTimeout', setTimeout)
  replace('setInterval', setInterval)
  Object.assign(globalThis, { clearTimeout: clear, clearInterval: clear })
  t.teardown(() => {
    Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval })
    for (const timer of held.keys()) clearTimeout(timer as NodeJS.Timeout)
  })
  return {
    waiting: () => held.size,
    run () {
      for (const act of [...held.values()]) act()
    }
  }
}
