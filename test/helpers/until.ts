import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when a condition is met. Rejects after `limit` milliseconds with `what` in the message. */
export async function until (what: string, condition: () => Promise<boolean> | boolean, limit = 60_000): Promise<void> {
  for (const deadline = Date.now() + limit; !await condition(); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`not seen within ${limit} ms: ${what}`)
  }
}
