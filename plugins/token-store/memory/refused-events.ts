import type {
  ClaimedEvent, Page, PageRequest, RefusedEvent, RefusedEventFilter, RefusedEventLimits, RefusedEvents,
  Source
} from '../../../contracts/token-store/index.js'
import { newestFirst } from './newest-first.js'

interface RefusedRecord {
  event: RefusedEvent
  sequence: number
  /** The newest claim; it stays after its end. */
  claim: string | null
  claimedUntil: number
}

export class MemoryRefusedEvents implements RefusedEvents {
  readonly #now: () => number
  readonly #sourceOf: (id: string) => Source | null
  readonly #records = new Map<string, RefusedRecord>()
  #sequence = 0

  /** @param sourceOf returns the current source with an id */
  constructor (now: () => number, sourceOf: (id: string) => Source | null) {
    this.#now = now
    this.#sourceOf = sourceOf
  }

  async append (events: readonly RefusedEvent[], limits: RefusedEventLimits): Promise<void> {
    for (const event of events) {
      if (this.#records.has(event.id) || this.#sourceOf(event.sourceId)?.orgId !== event.orgId) continue
      this.#records.set(event.id, {
        event: structuredClone(event), sequence: ++this.#sequence, claim: null, claimedUntil: 0
      })
    }
    for (const id of new Set(events.map(({ sourceId }) => sourceId))) this.#trim(id, limits)
  }

  async get (orgId: string, id: string): Promise<RefusedEvent | null> {
    const record = this.#find(orgId, id)
    return record === null ? null : structuredClone(record.event)
  }

  async list (orgId: string, filter: RefusedEventFilter, page: PageRequest): Promise<Page<RefusedEvent>> {
    const selected = Array.from(this.#records.values()).filter(({ event }) =>
      event.orgId === orgId && matches(event, filter)
    )
    return newestFirst(
      selected.map(({ event, sequence }) => ({ position: { timestamp: event.receivedAt, sequence }, item: event })),
      page,
      (event) => structuredClone(event)
    )
  }

  async delete (orgId: string, id: string): Promise<boolean> {
    return this.#find(orgId, id) !== null && this.#records.delete(id)
  }

  async claim (
    orgId: string,
    ids: readonly string[],
    { claim, lease }: { claim: string, lease: number }
  ): Promise<ClaimedEvent[]> {
    const now = this.#now()
    return Array.from(new Set(ids)).flatMap((id) => {
      const record = this.#find(orgId, id)
      if (record === null || record.event.replayedAt !== null || record.claimedUntil > now) return []
      const again = record.claim !== null
      Object.assign(record, { claim, claimedUntil: now + lease })
      return [{ event: structuredClone(record.event), again }]
    })
  }

  async settle (orgId: string, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const record = this.#find(orgId, id)
      if (record !== null) record.event.replayedAt ??= this.#now()
    }
  }

  async release (orgId: string, claim: string): Promise<void> {
    for (const record of this.#records.values()) {
      if (record.event.orgId === orgId && record.claim === claim) record.claimedUntil = 0
    }
  }

  /** Deletes the events of a source that no longer exists. */
  sourceChanged (id: string): void {
    if (this.#sourceOf(id) !== null) return
    for (const { event } of this.#of(id)) this.#records.delete(event.id)
  }

  sweep (olderThan: number): void {
    for (const [id, { event }] of this.#records) if (event.receivedAt < olderThan) this.#records.delete(id)
  }

  #trim (sourceId: string, { maxRows, maxBytes }: RefusedEventLimits): void {
    const records = this.#of(sourceId).sort((a, b) =>
      b.event.receivedAt - a.event.receivedAt || b.sequence - a.sequence
    )
    let bytes = 0
    for (const [at, { event }] of records.entries()) {
      bytes += event.bytes
      if (at >= maxRows || bytes > maxBytes) this.#records.delete(event.id)
    }
  }

  #of (sourceId: string): RefusedRecord[] {
    return Array.from(this.#records.values()).filter(({ event }) => event.sourceId === sourceId)
  }

  #find (orgId: string, id: string): RefusedRecord | null {
    const record = this.#records.get(id)
    return record?.event.orgId === orgId ? record : null
  }
}

function matches (
  event: RefusedEvent,
  { sourceId, code, origin, type, messageId, replayed, from, to }: RefusedEventFilter
): boolean {
  return (sourceId === undefined || event.sourceId === sourceId) &&
    (code === undefined || event.code === code) &&
    (origin === undefined || event.origin === origin) &&
    (type === undefined || event.type === type) &&
    (messageId === undefined || event.messageId === messageId) &&
    (replayed === undefined || (event.replayedAt !== null) === replayed) &&
    (from === undefined || event.receivedAt >= from) &&
    (to === undefined || event.receivedAt <= to)
}
