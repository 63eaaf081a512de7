import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import t from 'tap'

import { UNAVAILABLE } from '../../../lib/errors.js'
import eventSink, { DEDUPLICATION_WINDOW, memorySink } from '../../../plugins/event-sink/index.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import { holdTimers } from '../../helpers/held-timers.js'

t.test('without a sink events are kept in memory, and a warning is logged', async (t) => {
  const lines: Array<{ level: number, msg: string }> = []
  const app = Fastify({
    logger: {
      level: 'warn',
      stream: {
        write: (line: string) => {
          lines.push(JSON.parse(line))
        }
      }
    }
  })
  t.teardown(() => app.close())
  await app.register(eventSink)
  await app.eventSink.ready()
  t.match(lines, [{ level: 40, msg: /memory/ }])
})

t.test('an invalid sink, a promise of a sink or an invalid sweepEvery stops the start', async (t) => {
  for (const sink of [null, {}, 'memory', Promise.resolve(memorySink()), { ...memorySink(), write: undefined }]) {
    await t.rejects(async () => await Fastify().register(eventSink, { sink } as never), {
      code: 'INVALID_OPTIONS',
      message: /"sink"/
    })
  }
  await t.rejects(async () => await Fastify().register(eventSink, { sweepEvery: -1 }), {
    code: 'INVALID_OPTIONS',
    message: /event-sink: "sweepEvery"/
  })
})

t.test('old ids are swept repeatedly, also after a sweep fails, and the sink is closed with the app', async (t) => {
  const calls: string[] = []
  let third = () => {}
  const swept = new Promise<void>((resolve) => {
    third = resolve
  })
  const app = Fastify()
  await app.register(eventSink, {
    sweepEvery: 1,
    sink: {
      ...memorySink(),
      async sweep () {
        if (calls.push('sweep') === 3) third()
        throw new UNAVAILABLE()
      },
      async close () {
        calls.push('close')
      }
    }
  })
  await app.listen({ port: 0 })
  await swept
  await app.close()
  t.same(calls.slice(0, 3), ['sweep', 'sweep', 'sweep'])
  t.equal(calls.at(-1), 'close')
})

t.test('events are deleted after the retention, in whole UTC days, by the clock of the "now" option', async (t) => {
  const day = DEDUPLICATION_WINDOW
  const now = Date.UTC(2026, 0, 15, 9, 30)
  const kept = Date.UTC(2026, 0, 12)
  const sink = memorySink()
  let expired = () => {}
  const twice = new Promise<void>((resolve) => {
    expired = resolve
  })
  const calls: number[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(eventSink, {
    retention: 3 * day,
    sweepEvery: 1,
    now: () => now,
    sink: {
      ...sink,
      async expire (before) {
        await sink.expire?.(before)
        if (calls.push(before) === 2) expired()
      }
    }
  })
  const events = [-1, 0, 1].map((days) => anEvent({ receivedAt: kept + days * day }))
  await app.eventSink.write([anEvent({ receivedAt: kept - 1 }), ...events])
  await app.listen({ port: 0 })
  await twice
  t.same(calls.slice(0, 2), [kept, kept])
  t.same((await sink.list('org-a', {}, { limit: 10 })).data.map(({ messageId }) => messageId), [events[2]?.messageId,
    events[1]?.messageId])
})

t.test('events are kept forever by default, and expire() receives no time before 1970', async (t) => {
  for (const [retention, expected] of [[undefined, []], [Infinity, []], [Number.MAX_SAFE_INTEGER, [0]]] as const) {
    const calls: number[] = []
    let swept = () => {}
    const sweep = new Promise<void>((resolve) => {
      swept = resolve
    })
    const app = Fastify()
    let sweeps = 0
    await app.register(eventSink, {
      ...(retention === undefined ? {} : { retention }),
      sweepEvery: 1,
      sink: {
        ...memorySink(),
        async sweep () {
          if (++sweeps === 2) swept()
        },
        async expire (before) {
          calls.push(before)
        }
      }
    })
    await app.listen({ port: 0 })
    await sweep
    await app.close()
    t.same([...new Set(calls)], expected, String(retention))
  }
})

t.test('closing the app aborts a running sweep and waits for it for at most 2 s', async (t) => {
  const limit = holdTimers(t, 2_000)
  for (const hears of [true, false]) {
    let begin = () => {}
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    let ended = false
    const app = Fastify()
    await app.register(eventSink, {
      sweepEvery: 1,
      sink: {
        ...memorySink(),
        async sweep (signal) {
          begin()
          await new Promise<void>((resolve) => {
            if (hears) signal?.addEventListener('abort', () => setTimeout(resolve, 20))
          })
          ended = true
        }
      }
    })
    // The timer does not keep the process alive.
    await app.listen({ port: 0 })
    await begun
    const closed = app.close().then(() => 'closed')
    if (!hears) {
      while (limit.waiting() === 0) await sleep(5)
      t.equal(await Promise.race([closed, sleep(50, 'waits')]), 'waits')
      limit.run()
    }
    await closed
    t.equal(ended, hears)
    t.equal(limit.waiting(), 0)
  }
})

t.test('an invalid retention, or a retention for a sink that cannot delete events, stops the start', async (t) => {
  for (const retention of [0, -1, NaN, DEDUPLICATION_WINDOW - 1, '30', null, new Date()]) {
    await t.rejects(async () => await Fastify().register(eventSink, { sink: memorySink(), retention } as never), {
      code: 'INVALID_OPTIONS',
      message: /"retention"/
    })
  }
  const { expire, ...broker } = memorySink()
  await t.rejects(async () => await Fastify().register(eventSink, { sink: broker, retention: DEDUPLICATION_WINDOW }), {
    code: 'INVALID_OPTIONS',
    message: /"retention"/
  })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(eventSink, { sink: broker, retention: Infinity })
})
