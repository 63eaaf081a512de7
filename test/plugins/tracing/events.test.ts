import { trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-node'
import t from 'tap'
import type { Test } from 'tap'

import { GroupCommit } from '../../../plugins/event-sink/group-commit.js'
import { sqlSink } from '../../../plugins/event-sink/sql/index.js'
import { memorySink } from '../../../plugins/event-sink/index.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import tracing from '../../../plugins/tracing/index.js'
import type { ReadableEventSink } from '../../../contracts/event-sink.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { gateway } from '../../helpers/gateway.js'
import { emptyDatabase } from '../../helpers/pglite.js'
import { recordTraces } from '../../helpers/traces.js'
import type { RecordedTraces } from '../../helpers/traces.js'

const EVENT = { event: 'e', userId: 'user-SECRET-1', properties: { plan: 'SECRET-2' } }

/** A sink that combines the writes of requests, and keeps each flush until it is released. */
function heldSink () {
  const sink = memorySink()
  let held: Array<() => void> | null = []
  const commit = new GroupCommit({
    async flush (events) {
      if (held !== null) await new Promise<void>((resolve) => held?.push(resolve))
      await sink.write(events)
    }
  })
  return {
    sink: { ...sink, write: (events) => commit.write(events), load: commit.load } satisfies ReadableEventSink,
    commit,
    release () {
      for (const resolve of held ?? []) resolve()
      held = null
    }
  }
}

async function tracedGateway (t: Test, traces: RecordedTraces, options: Parameters<typeof gateway>[1] = {}) {
  return await gateway(t, {
    before: (app) => app.register(tracing, { tracerProvider: traces.tracerProvider }),
    ...options
  })
}

t.test('a trace of an event has the request, its guard and look-up, the write, and a link from the flush', async (t) => {
  const traces = recordTraces(t)
  const database = await emptyDatabase()
  const store = await sqlStore(database, { secretsKeys: [generateSecret()] })
  const { post, key, secret } = await tracedGateway(t, traces, { store, sink: await sqlSink(database) })
  const response = await post('/v1/t', EVENT)
  t.equal(response.statusCode, 200)

  const request = traces.only('POST /v1/t')
  t.same(traces.tree(request), ['POST /v1/t', '  guard pipelineKey', '    lookup source', '  sink write'])
  t.match(request.attributes, {
    'http.request.method': 'POST',
    'http.route': '/v1/t',
    'url.path': '/v1/t',
    'http.response.status_code': 200
  })
  t.equal(request.parentSpanContext, undefined)
  t.equal(traces.only('lookup source').attributes['gatehouse.lookup.level'], 'database')
  t.equal(traces.only('sink write').attributes['gatehouse.events'], 1)
  t.match(request.events.map(({ attributes }) => attributes), [{
    'gatehouse.guard': 'pipelineKey',
    'gatehouse.outcome': 'allowed'
  }])

  const flush = traces.only('sink flush')
  t.same(flush.links.map(({ context }) => context.spanId), [request.spanContext().spanId])
  t.not(flush.spanContext().traceId, request.spanContext().traceId)
  t.equal(flush.attributes['gatehouse.events'], 1)

  await post('/v1/t', EVENT)
  const repeated = traces.spans().filter(({ name }) => name === 'POST /v1/t').at(-1) ?? request
  t.same(traces.tree(repeated), ['POST /v1/t', '  guard pipelineKey', '  sink write'], 'a cached source is not looked up')
  for (const secretPart of [key, secret, 'SECRET']) t.notMatch(traces.text(), secretPart)
})

t.test('the flush of many requests has a span with at most 128 links', async (t) => {
  const traces = recordTraces(t)
  const { sink, release } = heldSink()
  const { post } = await tracedGateway(t, traces, { sink })
  const first = post('/v1/t', EVENT)
  // All others wait for the flush of the first one, which starts in the turn after its write.
  while (sink.load.pending < 1) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  const others = Array.from({ length: 200 }, () => post('/v1/t', EVENT))
  while (sink.load.pending < 201) await new Promise((resolve) => setImmediate(resolve))
  release()
  for (const response of await Promise.all([first, ...others])) t.equal(response.statusCode, 200)

  const flushes = traces.spans().filter(({ name }) => name === 'sink flush')
  t.same(flushes.map(({ attributes }) => attributes['gatehouse.events']), [1, 200])
  t.same(flushes.map(({ links }) => links.length), [1, 128])
  const requests = new Set(traces.spans().filter(({ name }) => name === 'POST /v1/t').map((span) =>
    span.spanContext().spanId
  ))
  t.equal(requests.size, 201)
  const linked = flushes.flatMap(({ links }) => links.map(({ context }) => context.spanId))
  t.equal(new Set(linked).size, 129)
  t.ok(linked.every((id) => requests.has(id)))
})

t.test('requests that are not recorded have no flush either, and their flush is not in their context', async (t) => {
  const traces = recordTraces(t, new AlwaysOffSampler())
  const contexts: Array<string | undefined> = []
  const commit = new GroupCommit({
    flush: async () => { contexts.push(trace.getActiveSpan()?.spanContext().traceId) }
  })
  const { post } = await tracedGateway(t, traces, {
    sink: { ...memorySink(), write: (events) => commit.write(events), load: commit.load }
  })
  t.equal((await post('/v1/t', EVENT)).statusCode, 200)
  t.same(traces.spans(), [])
  t.same(contexts, ['0'.repeat(32)])
})

t.test('a batch is one link, and a signed body is a step', async (t) => {
  const traces = recordTraces(t)
  const { sink, release } = heldSink()
  release()
  const { signed } = await tracedGateway(t, traces, { sink })
  const track = { type: 'track', event: 'e', userId: 'u' }
  t.equal((await signed('/v1/batch', { batch: [track, track, track] })).statusCode, 200)
  const flush = traces.only('sink flush')
  t.equal(flush.links.length, 1)
  t.equal(flush.attributes['gatehouse.events'], 3)
  t.same(traces.tree(traces.only('POST /v1/batch')), [
    'POST /v1/batch',
    '  guard pipelineKey',
    '  guard signature',
    '  sink write'
  ])
})

t.test('a failed flush marks the flush, the write and the request as errors, without the message', async (t) => {
  const traces = recordTraces(t)
  const commit = new GroupCommit({
    flush: async () => { throw Object.assign(new Error('row SECRET-3'), { code: '57P01' }) }
  })
  const { post } = await tracedGateway(t, traces, {
    sink: { ...memorySink(), write: (events) => commit.write(events), load: commit.load }
  })
  const response = await post('/v1/t', EVENT)
  t.equal(response.statusCode, 503)
  t.equal(response.json().error.code, 'UNAVAILABLE')
  for (const name of ['sink flush', 'sink write', 'POST /v1/t']) {
    t.same(traces.only(name).status, { code: 2 }, name)
  }
  t.equal(traces.only('sink write').attributes['error.type'], 'UNAVAILABLE')
  t.equal(traces.only('POST /v1/t').attributes['error.type'], 'UNAVAILABLE')
  t.notMatch(traces.text(), 'SECRET')
})

t.test('a refused request is no error of the server, and its span has the code and the guard', async (t) => {
  const traces = recordTraces(t)
  const { app, post } = await tracedGateway(t, traces)
  t.equal((await post('/v1/t', EVENT, { authorization: 'Bearer dk_SECRET_4' })).statusCode, 401)
  t.equal((await post('/v1/p', '{"name": SECRET')).statusCode, 400)
  t.equal((await app.inject('/v1/SECRET?a=SECRET')).statusCode, 404)
  const unauthorised = traces.only('POST /v1/t')
  t.same(unauthorised.status, { code: 0 })
  t.equal(unauthorised.attributes['error.type'], 'INVALID_PIPELINE_KEY')
  t.match(unauthorised.events, [{
    name: 'guard',
    attributes: { 'gatehouse.guard': 'pipelineKey', 'gatehouse.outcome': 'refused' }
  }])
  t.match(traces.only('POST /v1/p'), { status: { code: 0 }, attributes: { 'error.type': 'INVALID_JSON' } })
  t.match(traces.only('GET').attributes, { 'url.path': 'unknown', 'http.response.status_code': 404 })
  t.notMatch(traces.text(), 'SECRET')
})
