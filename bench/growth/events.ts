// Stores events as the sink encodes them, with their search keys and counts, but not with their message ids.
import type { AcceptedEvent } from '../../contracts/event-sink.js'
import { foldCounts } from '../../lib/database/counts/fold.js'
import type { Database } from '../../lib/database/open-database.js'
import { EventCopy } from '../../plugins/event-sink/sql/copy.js'
import { eventPartitions } from '../../plugins/event-sink/sql/partitions.js'
import { EVENT } from '../load.js'
import { DAY, DAYS, idOf, ORG, senderOf } from './sizes.js'
import type { Sizes } from './sizes.js'

const BATCH = 5_000
const CONCURRENCY = 2
const NAMES = ['Order Completed', 'Product Viewed', 'Product Added', 'Signed In', 'Signed Up', 'Search', 'Refunded']
const USERS = 50_000

/** The properties that the bench searches for. */
export const nameOf = (event: number): string => NAMES[event % 1_009 % NAMES.length] ?? ''
export const userOf = (event: number): string => `user_${event % USERS}`
export const anonymousOf = (event: number): string => `anonymous-${event % (USERS * 4)}`
export const messageIdOf = (event: number): string => `${event.toString(16).padStart(8, '0')}-0000-4000-8000-0123456789ab`

const REST = `${EVENT.slice(EVENT.indexOf('"timestamp"'), -1)}}`

/** 2 % of the events are pages, 0.1 % identify a user, the others are tracks; 10 % belong to another organisation. */
function eventOf (number: number, receivedAt: number, sizes: Sizes, sources: readonly string[]): AcceptedEvent {
  const type = number % 50 === 7 ? 'page' : number % 1_000 === 13 ? 'identify' : 'track'
  const [event, userId, anonymousId] = [nameOf(number), userOf(number), anonymousOf(number)]
  const sender = senderOf(number, sizes)
  return {
    orgId: orgOf(sender),
    sourceId: sources[sender] ?? '',
    messageId: messageIdOf(number),
    type,
    authMethod: 'key',
    receivedAt,
    timestamp: receivedAt - number % 5_000,
    ip: '203.0.113.9',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
    payload: `{"type":"${type}","event":"${event}","userId":"${userId}","anonymousId":"${anonymousId}",${REST}`,
    additions: '{}',
    search: { event, userId, anonymousId }
  }
}

/** The organisation of the source with this number. */
export const orgOf = (source: number): string => source % 10 === 9 ? 'other' : ORG

/** Creates the partitions of the past days in place of the one that the migrations create for all of them. */
async function preparePast (database: Database, now: number): Promise<void> {
  const partitions = await eventPartitions(database)
  for (const partition of await partitions.list()) {
    if (partition.since === null && partition.until !== null) await partitions.drop(partition)
  }
  for (let day = DAYS; day >= 0; day -= 4) await partitions.prepare(now - day * DAY)
  await partitions.prepare(now)
}

export async function fillEvents (database: Database, sizes: Sizes): Promise<void> {
  const { copy } = database
  if (copy === null) throw new Error('This bench needs PostgreSQL')
  const now = Date.now()
  await preparePast(database, now)
  const step = DAYS * DAY / sizes.events
  const sources = Array.from({ length: sizes.sources + 1 }, (_, number) => idOf('source', number))
  let next = 0

  async function work (store: NonNullable<Database['copy']>): Promise<void> {
    const rows = new EventCopy()
    while (next < sizes.events) {
      const first = next
      next += BATCH
      const events = Array.from({ length: Math.min(BATCH, sizes.events - first) }, (_, at) =>
        eventOf(first + at, Math.floor(now - (sizes.events - first - at) * step), sizes, sources))
      await store([rows.events(events), rows.counts()])
    }
  }

  await Promise.all(Array.from({ length: CONCURRENCY }, () => work(copy)))
  await foldCounts(database)
}
