import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

import type { TokenStore } from '../../contracts/token-store/index.js'

export interface Two {
  /** Where changes are made. */
  a: TokenStore
  /** Where they are to be seen. */
  b: TokenStore
}

export type MakeTwo = () => Promise<Two>

/** What is changed by one instance, and how the other tells. */
export interface WatchedChange {
  title: string
  change: () => Promise<unknown>
  /** Reads from the other instance; called before the change too, so that it has remembered what was. */
  read: () => unknown
  before: unknown
  after: unknown
}

const PAUSE = 10

/** Makes the changes and looks until each is seen; a look that begins when the time is over must see it. */
export async function assertSeen (changes: readonly WatchedChange[], within: number): Promise<void> {
  for (const { title, read, before } of changes) assert.deepEqual(await read(), before, `${title}: before`)
  await Promise.all(changes.map(async ({ title, change, read, after }) => {
    await change()
    const changedAt = performance.now()
    for (;;) {
      const late = performance.now() - changedAt >= within
      const seen = await read()
      try {
        return assert.deepEqual(seen, after, `${title}: ${within} ms after`)
      } catch (error) {
        if (late) throw error
      }
      await sleep(PAUSE)
    }
  }))
}
