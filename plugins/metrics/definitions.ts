/** A metric of the suite, as the registry and the docs show it. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[]
}

/** Seconds; from a cached response to the longest time limits of the suite. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const EVENTS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000]

/** All metrics of the suite. No label contains a value that a client chooses. */
export const METRICS = {
  requests: {
    type: 'counter',
    name: 'gatehouse_http_requests_total',
    help: 'Requests by method, route and status.',
    labels: ['method', 'route', 'status']
  },
  requestDuration: {
    type: 'histogram',
    name: 'gatehouse_http_request_duration_seconds',
    help: 'Time until the response was sent, by method, route and class of the status.',
    labels: ['method', 'route', 'status_class'],
    buckets: SECONDS
  },
  refusals: {
    type: 'counter',
    name: 'gatehouse_refusals_total',
    help: 'Refused requests by error code.',
    labels: ['code']
  },
  guardDecisions: {
    type: 'counter',
    name: 'gatehouse_guard_decisions_total',
    help: 'Decisions of guards; a refusal has its error code.',
    labels: ['guard', 'outcome', 'code']
  },
  lookups: {
    type: 'counter',
    name: 'gatehouse_lookups_total',
    help: 'Look-ups of the token store by kind and by the level that had the answer: process, shared or database.',
    labels: ['kind', 'level']
  },
  events: {
    type: 'counter',
    name: 'gatehouse_events_total',
    help: 'Ingested events by outcome: accepted, deduplicated, bot (dropped) or refused, with its error code.',
    labels: ['outcome', 'code']
  },
  flushDuration: {
    type: 'histogram',
    name: 'gatehouse_sink_flush_duration_seconds',
    help: 'Time of a flush of the event sink, by outcome.',
    labels: ['outcome'],
    buckets: SECONDS
  },
  flushEvents: {
    type: 'histogram',
    name: 'gatehouse_sink_flush_events',
    help: 'Events in a flush of the event sink.',
    labels: [],
    buckets: EVENTS
  },
  pendingEvents: {
    type: 'gauge',
    name: 'gatehouse_sink_pending_events',
    help: 'Events that the event sink has not confirmed yet.',
    labels: []
  },
  connections: {
    type: 'gauge',
    name: 'gatehouse_database_connections',
    help: 'Connections of a database pool by state; waiting are callers without a connection.',
    labels: ['pool', 'state']
  },
  upstreamDuration: {
    type: 'histogram',
    name: 'gatehouse_upstream_duration_seconds',
    help: 'Time of a call to an upstream with its retries, by product and outcome.',
    labels: ['product', 'outcome'],
    buckets: SECONDS
  },
  mints: {
    type: 'counter',
    name: 'gatehouse_mints_total',
    help: 'Requests for credentials of embedded products by outcome: minted, cached or refused.',
    labels: ['product', 'outcome']
  },
  logins: {
    type: 'counter',
    name: 'gatehouse_logins_total',
    help: 'Logins of administrators by outcome (succeeded, challenged for a second factor, failed, locked) and method.',
    labels: ['outcome', 'method']
  },
  refreshes: {
    type: 'counter',
    name: 'gatehouse_refreshes_total',
    help: 'Refreshes of administrators by outcome; reused is a refresh token that was used before.',
    labels: ['outcome']
  },
  revocations: {
    type: 'counter',
    name: 'gatehouse_revocations_total',
    help: 'Revocations by kind, such as embed, session, api_key, pipeline_key or user.',
    labels: ['kind']
  }
} as const satisfies Record<string, MetricDefinition>

export type MetricName = keyof typeof METRICS
