import { setTimeout as sleep } from 'node:timers/promises'

import type { RefusedEvent } from '../../contracts/token-store/index.js'
import type { Gateway } from './gateway.js'

const ORG = 'acme'
const LIMIT = 1_000

/** Returns the refused events that the gateway has kept, newest first. */
export async function keptNow ({ store }: Pick<Gateway, 'store'>): Promise<RefusedEvent[]> {
  return (await store.refusedEvents.list(ORG, {}, { limit: LIMIT })).data
}

/** Waits until the gateway has kept a number of refused events, and returns them, newest first. */
export async function keptEvents (gateway: Pick<Gateway, 'store'>, count: number): Promise<RefusedEvent[]> {
  for (;;) {
    const events = await keptNow(gateway)
    if (events.length >= count) return events
    await sleep(20)
  }
}

/** Closes the app, which writes all that waits, and returns the refused events. */
export async function keptAtEnd (gateway: Pick<Gateway, 'app' | 'store'>): Promise<RefusedEvent[]> {
  // The body of a refused request is read after its response.
  await sleep(20)
  await gateway.app.close()
  return await keptNow(gateway)
}
