import type { Outbox, Item } from './outbox'
import { bodyOf, leavingUrl, post } from './post'
import type { Outcome, Target } from './post'
import { warn } from './warn'

const BATCH = 10
const LINGER = 1_000
const BACKOFF = 1_000
const LONGEST_BACKOFF = 5 * 60_000
const LONGEST_WAIT = 60 * 60_000
const ATTEMPTS = 10
// Browsers allow 64 KiB of requests in flight after the end of a page.
const PAST_THE_END = 60_000

export interface Delivery {
  /** Call it after an event was added to the outbox. */
  added(): void
  /** Call it when the page is hidden; `last`: the page ends. */
  leave(last: boolean): void
  /** Call it when the page is visible again, or the network is back. */
  wake(): void
}

/**
 * Sends the outbox: 10 events at a time or after a second, retries with backoff and jitter, and sends all on leaving.
 */
export function startDelivery (target: Target, outbox: Outbox): Delivery {
  let timer: number | undefined
  let busy = false
  let failures = 0
  // The end of the server's Retry-After, by the monotonic clock.
  let notBefore = 0
  let pastTheEnd = 0

  function plan (delay: number): void {
    stopTimer()
    timer = setTimeout(flush, Math.min(delay, LONGEST_WAIT))
  }

  function stopTimer (): void {
    clearTimeout(timer)
    timer = undefined
  }

  async function flush (): Promise<void> {
    stopTimer()
    if (busy) return
    const wait = notBefore - performance.now()
    if (wait > 0) return plan(wait)
    const items = outbox.next(BATCH)
    if (items.length === 0) return
    busy = true
    const outcome = await post(target, bodyOf(items), { leaving: false, keepalive: false })
    busy = false
    settle(items, outcome)
  }

  function settle (items: readonly Item[], outcome: Outcome): void {
    if (outcome.settled) {
      outbox.remove(items)
      failures = 0
      stopTimer()
      return proceed()
    }
    outbox.takeBack(items)
    failures++
    notBefore = performance.now() + outcome.retryAfter
    if (failures < ATTEMPTS) {
      plan(outcome.retryAfter + Math.random() * Math.min(BACKOFF * 2 ** failures, LONGEST_BACKOFF))
    } else {
      // A refused origin and a network failure look the same to a script.
      warn("no response: check that the server is reachable and that the source's domains contain this page's origin")
    }
  }

  function proceed (): void {
    const waiting = outbox.next(BATCH).length
    if (busy || waiting === 0) return
    if (waiting === BATCH) plan(0)
    else if (timer === undefined) plan(LINGER)
  }

  function handOver (items: Item[], size: number): void {
    outbox.handOver(items)
    const body = bodyOf(items)
    if (!('keepalive' in Request.prototype)) {
      if (!navigator.sendBeacon(leavingUrl(target), body)) outbox.takeBack(items)
      return
    }
    const keepalive = pastTheEnd + size <= PAST_THE_END
    if (keepalive) pastTheEnd += size
    post(target, body, { leaving: true, keepalive }).then((outcome) => {
      if (keepalive) pastTheEnd -= size
      settle(items, outcome)
    })
  }

  return {
    added () {
      if (failures === 0 && !busy) proceed()
    },
    leave (last) {
      if (performance.now() < notBefore || (failures > 0 && !last)) return
      let items: Item[] = []
      let size = 0
      for (const item of outbox.next(Infinity)) {
        const bytes = new Blob([item.json]).size + 1
        if (items.length > 0 && size + bytes > PAST_THE_END) {
          handOver(items, size)
          items = []
          size = 0
        }
        items.push(item)
        size += bytes
      }
      if (items.length > 0) handOver(items, size)
    },
    wake () {
      failures = 0
      outbox.takeBack()
      plan(0)
    }
  }
}
