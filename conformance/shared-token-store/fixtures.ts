import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

import type { TokenStore } from '../../contracts/token-store/index.js'

/** Two stores on one backend. */
export interface Two {
  /** The store that makes changes. */
  a: TokenStore
  /** The store that must see them. */
  b: TokenStore
}

export type CreateTwo = () => Promise<Two>

/** A change by one instance and how the other instance observes it. */
export interface WatchedChange {
  title: string
  change: () => Promise<unknown>
  /** Reads from the other instance. Also called before the change, so that the old value is cached. */
  read: () => unknown
  before: unknown
  after: unknown
}

const POLL_INTERVAL = 10

/** Makes the changes and polls until each is seen. A read that starts after `within` must see it. */
export async function assertVisible (changes: readonly WatchedChange[], within: number): Promise<void> {
  for (const { title, read, before } of changes) assert.deepEqual(await read(), before, `${title}: before`)
  await Promise.all(changes.map(async ({ title, change, read, after }) => {
    await change()
    const changedAt = performance.now()
    for (;;) {
      const late = performance.now() - changedAt >= within
      const current = await read()
      try {
        return assert.deepEqual(current, after, `${title}: ${within} ms after`)
      } catch (error) {
        if (late) throw error
      }
      await sleep(POLL_INTERVAL)
    }
  }))
}
