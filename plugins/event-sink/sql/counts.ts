import { CountBuffer } from '../../../lib/counts/count-buffer.js'
import { appendCounts } from '../../../lib/database/counts/append.js'
import { countExpiry } from '../../../lib/database/counts/fold.js'
import { sqlCountReader } from '../../../lib/database/counts/read.js'
import { subjectOf } from '../../../lib/database/counts/subject.js'
import type { Database } from '../../../lib/database/open-database.js'
import { UNAVAILABLE } from '../../../lib/errors.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import type { SinkCounts } from '../../../contracts/counts.js'
import type { StoredRow } from './insert.js'

/**
 * Creates the counts of the sink. Accepted events are counted by the transaction that stores them; duplicates, which no
 * transaction writes, about once a second.
 */
export function sqlSinkCounts (database: Database) {
  const { db, lists } = database
  const buffer = new CountBuffer({ write: (counts) => appendCounts(db, counts) })
  const reader = sqlCountReader(db, lists)
  const expire = countExpiry(database, ['stored'])
  const counts: SinkCounts = {
    series: (...query) => read(() => reader.series(...query)),
    totals: (...query) => read(() => reader.totals(...query)),
    latest: (...query) => read(() => reader.latest(...query)),
    expire: (before) => expire(before).catch(unavailable)
  }

  /** Reads after the duplicates of this process are stored. */
  async function read<Result> (work: () => Promise<Result>): Promise<Result> {
    await buffer.flush()
    return await work().catch(unavailable)
  }

  /** Counts the events of a flush that were not stored. `rows`: the numbers of stored events; `null`: all `fresh`. */
  function countDuplicates (
    events: readonly AcceptedEvent[],
    fresh: Iterable<AcceptedEvent>,
    rows: readonly StoredRow[] | null
  ): void {
    const stored = rows === null
      ? [...sumBySource(fresh)].map(([key, { events }]) => [key, events] as const)
      : rows.map((row) => [keyOf(row.org_id, row.subject), row.events] as const)
    const left = sumBySource(events)
    for (const [key, events] of stored) {
      const source = left.get(key)
      if (source !== undefined) source.events -= events
    }
    for (const { event: { orgId, sourceId, receivedAt }, events } of left.values()) {
      if (events > 0) buffer.addAt(receivedAt, 'stored', orgId, sourceId, 'deduplicated', events)
    }
  }

  return { counts, countDuplicates, close: () => buffer.close() }
}

interface SourceSum {
  /** The last event. */
  event: AcceptedEvent
  events: number
}

/** Counts events by source. Builds a key once for each run of events of one source, such as a batch. */
function sumBySource (events: Iterable<AcceptedEvent>): Map<string, SourceSum> {
  const sums = new Map<string, SourceSum>()
  let sum: SourceSum | undefined
  for (const event of events) {
    if (sum === undefined || sum.event.sourceId !== event.sourceId || sum.event.orgId !== event.orgId) {
      const key = keyOf(event.orgId, subjectOf('stored', event.sourceId))
      sum = sums.get(key)
      if (sum === undefined) sums.set(key, sum = { event, events: 0 })
    }
    sum.event = event
    sum.events++
  }
  return sums
}

function keyOf (orgId: string, subject: string): string {
  return JSON.stringify([orgId, subject])
}

function unavailable (cause: unknown): never {
  throw new UNAVAILABLE({ cause })
}
