import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Resolves as soon as a condition is met, and rejects with its name after `limit` milliseconds. Default: 20 s, which
 * only a slow machine needs.
 *
 * @example
 * await until('the session is revoked', async () => await sessions() === 0)
 */
export async function until (what: string, condition: () => boolean | Promise<boolean>, limit = 20_000): Promise<void> {
  const end = performance.now() + limit
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`)
    await sleep(20)
  }
}
