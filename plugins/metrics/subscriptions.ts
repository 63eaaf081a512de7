import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CHANNELS } from '../../lib/channels.js'
import type { AuditedMessage, FlushMessage, RefreshMessage, RefusedMessage, Topic } from '../../lib/channels.js'
import type { SinkLoad } from '../../contracts/event-sink.js'
import * as errors from '../../lib/errors.js'
import type { Instruments } from './instruments.js'

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

const REVOCATIONS: Readonly<Record<string, string>> = {
  'embed.revoked': 'embed',
  'auth.logout': 'session',
  'auth.logout_all': 'session',
  'auth.logout_others': 'session',
  'key.revoked': 'api_key',
  'key.rotated': 'api_key',
  'source.key_rotated': 'pipeline_key',
  'user.disabled': 'user',
  'user.deleted': 'user'
}

const LOGINS: Readonly<Record<string, string>> = {
  'auth.login': 'succeeded',
  'auth.mfa_challenged': 'challenged',
  'auth.login_failed': 'failed'
}
const LOCKED = 'locked'

const REFRESHES: ReadonlyArray<RefreshMessage['outcome']> = [
  'rotated', 'repeated', 'reused', 'idle', 'ended', 'refused'
]

/** Prometheus sees an increase only of a series that exists, so that series with known labels start at 0. */
function startAtZero ({ refusals, events, logins, refreshes, revocations }: Instruments): void {
  for (const code of CODES) refusals.inc({ code }, 0)
  for (const outcome of ['accepted', 'deduplicated', 'bot']) events.inc({ outcome }, 0)
  for (const outcome of [...Object.values(LOGINS), LOCKED]) logins.inc({ outcome }, 0)
  for (const outcome of REFRESHES) refreshes.inc({ outcome }, 0)
  for (const kind of new Set(Object.values(REVOCATIONS))) revocations.inc({ kind }, 0)
}

/** Counts what the plugins publish. Returns a function that ends the subscriptions. */
export function subscribeAll ({ instruments, counts, sink }: Subscriber): () => void {
  const { events, flushDuration, flushEvents, guardDecisions, logins, mints, refreshes, refusals, revocations } =
    instruments
  const ends: Array<() => void> = []
  startAtZero(instruments)

  function on<Message> ({ name }: Topic<Message>, handle: (message: Message) => void): void {
    const listener = (message: unknown): void => handle(message as Message)
    subscribe(name, listener)
    ends.push(() => unsubscribe(name, listener))
  }

  on(CHANNELS.refused, function countRefusal ({ request, error, guard }: RefusedMessage) {
    if (!counts(request.server)) return
    const code = codeOf(error.code)
    refusals.inc({ code })
    if (guard !== undefined) guardDecisions.inc({ guard, outcome: 'refused', code })
    const feed = (request.server as FeedScope).eventFeed
    if (feed?.isEventRequest(request) === true) events.inc({ outcome: 'refused', code })
  })
  on(CHANNELS.allowed, ({ request, guard }) => {
    if (counts(request.server)) guardDecisions.inc({ guard, outcome: 'allowed' })
  })
  on(CHANNELS.ingested, ({ server, outcome, events: count, code }) => {
    // The sink distinguishes new events from duplicates, unless it has no counters.
    if (!counts(server) || (outcome === 'accepted' && sink() !== undefined)) return
    events.inc({ outcome, ...code === undefined ? {} : { code: codeOf(code) } }, count)
  })
  on(CHANNELS.flush, function countFlush ({ load, events: count, duration, failed }: FlushMessage) {
    if (load !== sink()) return
    flushDuration.observe({ outcome: failed ? 'failed' : 'stored' }, duration / 1_000)
    flushEvents.observe(count)
  })
  on(CHANNELS.mint, ({ request, product, outcome }) => {
    if (counts(request.server)) mints.inc({ product, outcome })
  })
  on(CHANNELS.upstream, ({ server, product, outcome, duration }) => {
    if (counts(server)) instruments.upstreamDuration.observe({ product, outcome }, duration / 1_000)
  })
  on(CHANNELS.refresh, ({ request, outcome }) => {
    if (counts(request.server)) refreshes.inc({ outcome })
  })
  on(CHANNELS.audited, function countAction ({ server, action, changes }: AuditedMessage) {
    if (!counts(server)) return
    const login = LOGINS[action]
    if (login !== undefined) logins.inc({ outcome: changes?.['reason'] === 'locked' ? LOCKED : login })
    const kind = REVOCATIONS[action]
    if (kind !== undefined) revocations.inc({ kind })
  })
  return () => {
    for (const end of ends) end()
  }
}

function codeOf (code: string): string {
  return CODES.has(code) ? code : OTHER_CODE
}
