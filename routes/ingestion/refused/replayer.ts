import { randomUUID } from 'node:crypto'

import type { EventReplay, ReplayedEvents, ReplayOutcome, ReplayResult } from '../../../contracts/event-replay.js'
import { isReadable } from '../../../contracts/event-sink.js'
import type { AcceptedEvent, EventSink } from '../../../contracts/event-sink.js'
import type {
  ClaimedEvent, RefusedEvent, RefusedEventLimits, RefusedReplay, TokenStore
} from '../../../contracts/token-store/index.js'
import { GatehouseError, RATE_LIMITED, UNAVAILABLE } from '../../../lib/errors.js'
import type { EventWriter } from '../event-writer.js'
import { reasonOf } from './draft.js'
import type { Intake } from './intake.js'
import { withPayload } from './payload.js'
import type { RefusedItem } from './recorder.js'
import { partId } from './refused-id.js'

export interface ReplayParts {
  store: TokenStore
  sink: EventSink
  intake: Intake
  writer: EventWriter
  /** The limits of the refused events of a source. */
  limits: RefusedEventLimits
}

/** Milliseconds of a claim: far longer than a write, and short for repeating a replay that was interrupted. */
const LEASE = 120_000
const PAGE_SIZE = 1_000
/** Maximum bytes of the parts of one request, each of which repeats the properties that the events share. */
const MAX_PARTS_BYTES = 1024 * 1024
const NOTHING: Readonly<ReplayedEvents> = { stored: 0, duplicate: 0, dropped: 0, refused: 0 }

/** Accepts refused events by the present settings of their sources, each event once. */
export class Replayer implements EventReplay {
  readonly #parts: ReplayParts

  constructor (parts: ReplayParts) {
    this.#parts = parts
  }

  async replay (orgId: string, ids: readonly string[]): Promise<ReplayResult[]> {
    const { refusedEvents } = this.#parts.store
    const claim = randomUUID()
    const startedAt = performance.now()
    const claimed = await refusedEvents.claim(orgId, ids, { claim, lease: LEASE })
    const results = new Map<string, ReplayResult>()
    try {
      for (const entry of claimed) {
        // After a pause of this process another replay may have the claims.
        if (performance.now() - startedAt > LEASE / 2) throw new UNAVAILABLE({ reason: 'the replay took too long' })
        results.set(entry.event.id, await this.#replayOne(entry))
      }
    } finally {
      // Those that were replayed need no release. An expired claim ends by itself.
      await refusedEvents.release(orgId, claim).catch(() => {})
    }
    return await Promise.all(ids.map(async (id) => results.get(id) ?? await this.#unclaimed(orgId, id)))
  }

  async #replayOne ({ event: refused, again }: ClaimedEvent): Promise<ReplayResult> {
    const { store: { sources, refusedEvents }, intake, writer, limits } = this.#parts
    const { id, orgId, sourceId, replay } = refused
    const source = await sources.get(orgId, sourceId)
    if (source === null) return resultOf(id, 'not_found')
    if (replay === null) return resultOf(id, 'still_refused', NOTHING, refused)
    let accepted: Awaited<ReturnType<Intake['events']>>
    try {
      accepted = await intake.events(refused, replay, source)
    } catch (error) {
      if (!(error instanceof GatehouseError) || error.statusCode >= 500) throw error
      return resultOf(id, 'still_refused', { ...NOTHING, refused: 1 }, { code: error.code, reason: reasonOf(error) })
    }
    const { events, items } = accepted
    const [first] = items
    if (events.length === 0 && first !== undefined) {
      const { code, message: reason } = first.error
      return resultOf(id, 'still_refused', { ...NOTHING, refused: items.length }, { code, reason })
    }
    const parts = partsOf(refused, replay, items)
    // Its other refused events would have to make room for the parts.
    if (parts === null) {
      const reason = 'too many invalid events for the properties that the events of the request share'
      return resultOf(id, 'still_refused', { ...NOTHING, refused: items.length }, { code: 'INVALID_REQUEST', reason })
    }
    // Asks the sink whether an event was stored before.
    for (const event of events) event.repeat = false
    // The sink forgets ids after a day; a replay that was interrupted may be older.
    const fresh = again ? await this.#unstored(events) : events
    try {
      if (fresh.length > 0) await writer.write(source, fresh)
    } catch (error) {
      // The quota of the source has too little room, and none of the events is stored.
      if (!(error instanceof RATE_LIMITED)) throw error
      const refusals = { ...NOTHING, refused: events.length + items.length }
      return resultOf(id, 'still_refused', refusals, { code: error.code, reason: reasonOf(error) })
    }
    // Before the event is marked, so that a process that ends here loses none of them.
    if (parts.length > 0) await refusedEvents.append(parts, limits)
    await refusedEvents.settle(orgId, [id])
    return resultOf(id, 'replayed', countsOf(events, fresh, source.bots === 'drop', items.length))
  }

  /** Returns the events that an earlier replay did not store. A sink that cannot be read drops them for a day. */
  async #unstored (events: readonly AcceptedEvent[]): Promise<AcceptedEvent[]> {
    const { sink } = this.#parts
    const [first] = events
    if (first === undefined || !isReadable(sink)) return [...events]
    const { orgId, sourceId, receivedAt } = first
    const stored = new Set<string>()
    let cursor: string | undefined
    do {
      const page = await sink.list(
        orgId,
        { sourceId, from: receivedAt, to: receivedAt },
        { limit: PAGE_SIZE, cursor }
      )
      for (const event of page.data) stored.add(keyOf(event))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return events.filter((event) => !stored.has(keyOf(event)))
  }

  async #unclaimed (orgId: string, id: string): Promise<ReplayResult> {
    const event = await this.#parts.store.refusedEvents.get(orgId, id)
    if (event === null) return resultOf(id, 'not_found')
    return resultOf(id, event.replayedAt === null ? 'in_progress' : 'already_replayed')
  }
}

/** Returns the events of a request that are still refused as separate refused events; `null` if they are too long. */
function partsOf (
  refused: RefusedEvent,
  replay: RefusedReplay,
  items: readonly RefusedItem[]
): RefusedEvent[] | null {
  const parts: RefusedEvent[] = []
  let bytes = 0
  for (const { error: { index, code, message }, json } of items) {
    const body = Buffer.from(json())
    bytes += body.length
    if (bytes > MAX_PARTS_BYTES) return null
    const form = replay.form === 'delivery' ? 'event' as const : replay.form
    const part = { ...refused, id: partId(refused.id, refused.receivedAt, index), code, reason: message }
    parts.push(withPayload({ ...part, replay: { ...replay, form, index: replay.index + index } }, body, true))
  }
  return parts
}

function keyOf ({ authMethod, messageId }: AcceptedEvent): string {
  return `${authMethod} ${messageId}`
}

function countsOf (
  events: readonly AcceptedEvent[],
  fresh: readonly AcceptedEvent[],
  dropsBots: boolean,
  refused: number
): ReplayedEvents {
  const dropped = dropsBots ? fresh.filter(({ bot }) => bot === true).length : 0
  const repeats = fresh.filter(({ repeat }) => repeat === true).length
  const duplicate = events.length - fresh.length + repeats
  return { stored: fresh.length - dropped - repeats, duplicate, dropped, refused }
}

function resultOf (
  id: string,
  outcome: ReplayOutcome,
  events: Readonly<ReplayedEvents> = NOTHING,
  refusal: Pick<RefusedEvent, 'code' | 'reason'> | null = null
): ReplayResult {
  return { id, outcome, events: { ...events }, code: refusal?.code ?? null, reason: refusal?.reason ?? null }
}
