import { randomBytes } from 'node:crypto'

import type { EventFeed, EventWatcher, Refusal } from '../../../../plugins/event-feed/index.js'
import { eventText } from '../../../../plugins/event-sink/event-view.js'
import type { AcceptedEvent } from '../../../../contracts/event-sink.js'
import { Allowance } from './allowance.js'
import { frameOf } from './frame.js'
import type { Facts, LiveItem } from './frame.js'
import type { LiveLimits } from './options.js'
import type { LiveViewer } from './viewer.js'

const REPLAYED_ITEMS = 200
const ID = /^([0-9a-f]{12})-(\d{1,15})$/

/** The viewers of one organisation, and its latest events for those who come back. */
export class LiveChannel implements EventWatcher {
  readonly viewers = new Set<LiveViewer>()
  /** Seconds without a viewer. */
  idle = 0
  readonly #name = randomBytes(6).toString('hex')
  readonly #allowance: Allowance
  readonly #latest: LiveItem[] = []
  readonly #replayedBytes: number
  #latestBytes = 0
  /** The place of the newest item. */
  #newest = 0
  /** The place of the newest item that can't be replayed any more. */
  #forgotten = 0

  constructor ({ eventsPerSecond, queueBytes }: LiveLimits) {
    this.#allowance = new Allowance(eventsPerSecond)
    // So that a replay fits into the queue of who asked for it.
    this.#replayedBytes = queueBytes / 2
  }

  accepted (event: AcceptedEvent): void {
    this.#offer({ outcome: 'accepted', sourceId: event.sourceId, type: event.type }, () => eventText(event))
  }

  refused (refusal: Refusal): void {
    this.#offer({ outcome: 'refused', sourceId: refusal.sourceId, type: refusal.type }, () => JSON.stringify(refusal))
  }

  /** What came after the item of that id; where something may be missing, the viewer is told. */
  replay (viewer: LiveViewer, lastEventId: string): void {
    const [, name, place] = ID.exec(lastEventId) ?? []
    const after = name === this.#name ? Number(place) : -1
    if (after < this.#forgotten || after > this.#newest) viewer.push(frameOf('dropped', JSON.stringify({ count: null, reason: 'gap' })))
    for (const item of this.#latest) if (item.at > after && viewer.wants(item)) viewer.push(item.frame)
  }

  /** A second has gone by. */
  beat (): void {
    this.#allowance.renew()
    this.idle = this.viewers.size === 0 ? this.idle + 1 : 0
  }

  /** Its text is made for the first who gets it and shared by all; of a flood most items are made for nobody. */
  #offer (facts: Facts, view: () => string): void {
    const kept = this.#allowance.take(facts.outcome)
    const takers: LiveViewer[] = []
    for (const viewer of this.viewers) if (viewer.wants(facts) && viewer.admits(facts)) takers.push(viewer)
    if (!kept && takers.length === 0) {
      this.#forgotten = ++this.#newest
      return
    }
    const at = ++this.#newest
    const frame = frameOf(facts.outcome, view(), `${this.#name}-${at}`)
    this.#keep({ ...facts, at, frame })
    for (const viewer of takers) viewer.push(frame)
  }

  #keep (item: LiveItem): void {
    this.#latest.push(item)
    this.#latestBytes += item.frame.length
    while (this.#latest.length > REPLAYED_ITEMS || this.#latestBytes > this.#replayedBytes) {
      const oldest = this.#latest.shift() as LiveItem
      this.#latestBytes -= oldest.frame.length
      this.#forgotten = oldest.at
    }
  }
}

/** The counts of an organisation's sources, of one alone if it is named. */
export function statsFrame (feed: EventFeed, orgId: string, sourceId: string | undefined): Buffer {
  const sources = Array.from(feed.counts(orgId), ([id, counts]) => ({ sourceId: id, ...counts }))
    .filter((counts) => sourceId === undefined || counts.sourceId === sourceId)
  return frameOf('stats', JSON.stringify({ since: new Date(feed.since).toISOString(), sources }))
}
