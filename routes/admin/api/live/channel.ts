import { randomBytes } from 'node:crypto'

import type { EventFeed, EventWatcher, Refusal } from '../../../../plugins/event-feed/index.js'
import { eventJson } from '../../../../plugins/event-sink/event-view.js'
import type { AcceptedEvent } from '../../../../contracts/event-sink.js'
import { RateBudget } from './rate-budget.js'
import { frameOf } from './frame.js'
import type { ItemProperties, LiveItem } from './frame.js'
import type { LiveLimits } from './options.js'
import type { LiveViewer } from './viewer.js'

const REPLAYED_ITEMS = 200
const ID = /^([0-9a-f]{12})-(\d{1,15})$/

/** The viewers of one organisation, and its latest events for viewers that reconnect. */
export class LiveChannel implements EventWatcher {
  readonly viewers = new Set<LiveViewer>()
  /** Number of seconds without a viewer. */
  idleSeconds = 0
  readonly #name = randomBytes(6).toString('hex')
  readonly #budget: RateBudget
  readonly #latest: LiveItem[] = []
  readonly #replayedBytes: number
  #latestBytes = 0
  /** The sequence number of the newest item. */
  #newest = 0
  /** The sequence number of the newest item that can no longer be replayed. */
  #newestDropped = 0

  constructor ({ eventsPerSecond, queueBytes }: LiveLimits) {
    this.#budget = new RateBudget(eventsPerSecond)
    // A replay must fit into the queue of a viewer.
    this.#replayedBytes = queueBytes / 2
  }

  accepted (event: AcceptedEvent): void {
    this.#publish({ outcome: 'accepted', sourceId: event.sourceId, type: event.type }, () => eventJson(event))
  }

  refused (refusal: Refusal): void {
    this.#publish({ outcome: 'refused', sourceId: refusal.sourceId, type: refusal.type }, () => JSON.stringify(refusal))
  }

  /** Sends the items after the item with an id. Sends a `dropped` message if items may be missing. */
  replay (viewer: LiveViewer, lastEventId: string): void {
    const [, name, place] = ID.exec(lastEventId) ?? []
    const after = name === this.#name ? Number(place) : -1
    if (after < this.#newestDropped || after > this.#newest) {
      viewer.push(frameOf('dropped', JSON.stringify({ count: null, reason: 'gap' })))
    }
    for (const item of this.#latest) if (item.at > after && viewer.matches(item)) viewer.push(item.frame)
  }

  /** Runs once per second. */
  tick (): void {
    this.#budget.reset()
    this.idleSeconds = this.viewers.size === 0 ? this.idleSeconds + 1 : 0
  }

  /**
   * Sends an item to the viewers whose filter matches. The frame is created once, and only if a viewer or the replay
   * needs it.
   */
  #publish (facts: ItemProperties, view: () => string): void {
    const kept = this.#budget.take(facts.outcome)
    const receivers: LiveViewer[] = []
    for (const viewer of this.viewers) if (viewer.matches(facts) && viewer.hasBudgetFor(facts)) receivers.push(viewer)
    if (!kept && receivers.length === 0) {
      this.#newestDropped = ++this.#newest
      return
    }
    const at = ++this.#newest
    const frame = frameOf(facts.outcome, view(), `${this.#name}-${at}`)
    this.#keep({ ...facts, at, frame })
    for (const viewer of receivers) viewer.push(frame)
  }

  #keep (item: LiveItem): void {
    this.#latest.push(item)
    this.#latestBytes += item.frame.length
    while (this.#latest.length > REPLAYED_ITEMS || this.#latestBytes > this.#replayedBytes) {
      const oldest = this.#latest.shift() as LiveItem
      this.#latestBytes -= oldest.frame.length
      this.#newestDropped = oldest.at
    }
  }
}

/** Returns the message with the counts of an organisation's sources, or of a single source. */
export function statsFrame (feed: EventFeed, orgId: string, sourceId: string | undefined): Buffer {
  const sources = Array.from(feed.counts(orgId), ([id, counts]) => ({ sourceId: id, ...counts }))
    .filter((counts) => sourceId === undefined || counts.sourceId === sourceId)
  return frameOf('stats', JSON.stringify({ since: new Date(feed.since).toISOString(), sources }))
}
