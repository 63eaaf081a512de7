import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CHANNELS } from '../../lib/channels.js'
import type { AuditedMessage, FlushMessage, RefreshMessage, RefusedMessage, Topic } from '../../lib/channels.js'
import type { SinkLoad } from '../../contracts/event-sink.js'
import * as errors from '../../lib/errors.js'
import { LOGIN_SERIES, loginMethod, loginOutcome, REVOCATIONS } from './audit-actions.js'
import type { Instruments } from './instruments.js'
import { countWithoutHooks } from './requests.js'

export interface Subscriber {
  instruments: Instruments
  /** Returns whether a request or plugin of this scope is counted: the channels belong to all apps of the process. */
  counts: (server: FastifyInstance) => boolean
  /** Returns the counters of the app's event sink. */
  sink: () => SinkLoad | undefined
}

/** The part of the `eventFeed` plugin that tells events from other requests. */
interface FeedScope { eventFeed?: { isEventRequest (request: FastifyRequest): boolean } }

/** The codes of the suite. A host may define further errors, whose codes share one label. */
const CODES: ReadonlySet<string> = new Set(Object.keys(errors).filter((name) => /^[A-Z_]+$/.test(name)))
const OTHER_CODE = 'other'

const REFRESHES: ReadonlyArray<RefreshMessage['outcome']> = [
  'rotated', 'repeated', 'reused', 'idle', 'ended', 'refused'
]

/** Prometheus sees an increase only of a series that exists, so that series with known labels start at 0. */
function startAtZero ({ refusals, events, logins, refreshes, revocations }: Instruments): void {
  for (const code of CODES) refusals.at(code)
  for (const outcome of ['accepted', 'deduplicated', 'bot']) events.at(outcome)
  for (const [outcome, methods] of Object.entries(LOGIN_SERIES)) {
    for (const method of methods) logins.at(outcome, method)
  }
  for (const outcome of REFRESHES) refreshes.at(outcome)
  for (const kind of Object.values(REVOCATIONS)) revocations.at(kind)
}

/** Counts what the plugins publish. Returns a function that ends the subscriptions. */
export function subscribeAll ({ instruments, counts, sink }: Subscriber): () => void {
  const { events, flushDuration, flushEvents, guardDecisions, logins, mints, refreshes, refusals, revocations } =
    instruments
  const ends: Array<() => void> = []
  startAtZero(instruments)

  function on<Message> ({ name }: Topic<Message>, handle: (message: Message) => void): void {
    const listener = handle as (message: unknown) => void
    subscribe(name, listener)
    ends.push(() => unsubscribe(name, listener))
  }

  on(CHANNELS.refused, function countRefusal ({ request, reply, error, guard }: RefusedMessage) {
    if (!counts(request.server)) return
    countWithoutHooks(instruments, request, reply, error.statusCode)
    const code = codeOf(error.code)
    refusals.at(code).add()
    if (guard !== undefined) guardDecisions.at(guard, 'refused', code).add()
    const feed = (request.server as FeedScope).eventFeed
    if (feed?.isEventRequest(request) === true) events.at('refused', code).add()
  })
  on(CHANNELS.allowed, ({ request, guard }) => {
    if (counts(request.server)) guardDecisions.at(guard, 'allowed').add()
  })
  on(CHANNELS.ingested, ({ server, outcome, events: count, code }) => {
    // The sink distinguishes new events from duplicates, unless it has no counters.
    if (!counts(server) || (outcome === 'accepted' && sink() !== undefined)) return
    events.at(outcome, code === undefined ? undefined : codeOf(code)).add(count)
  })
  on(CHANNELS.flush, function countFlush ({ load, events: count, duration, failed }: FlushMessage) {
    if (load !== sink()) return
    flushDuration.at(failed ? 'failed' : 'stored').observe(duration / 1_000)
    flushEvents.at().observe(count)
  })
  on(CHANNELS.mint, ({ request, product, outcome }) => {
    if (counts(request.server)) mints.at(product, outcome).add()
  })
  on(CHANNELS.upstream, ({ server, product, outcome, duration }) => {
    if (counts(server)) instruments.upstreamDuration.at(product, outcome).observe(duration / 1_000)
  })
  on(CHANNELS.refresh, ({ request, outcome }) => {
    if (counts(request.server)) refreshes.at(outcome).add()
  })
  on(CHANNELS.audited, function countAction ({ server, action, changes }: AuditedMessage) {
    if (!counts(server)) return
    const outcome = loginOutcome(action, changes)
    if (outcome !== undefined) logins.at(outcome, loginMethod(action, changes)).add()
    const kind = REVOCATIONS[action]
    if (kind !== undefined) revocations.at(kind).add()
  })
  return () => {
    for (const end of ends) end()
  }
}

function codeOf (code: string): string {
  return CODES.has(code) ? code : OTHER_CODE
}
