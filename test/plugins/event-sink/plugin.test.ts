import Fastify from 'fastify'
import t from 'tap'

import { UNAVAILABLE } from '../../../plugins/errors.js'
import eventSink, { memorySink } from '../../../plugins/event-sink/index.js'

t.test('without a sink a warning says that events are lost with the process', async (t) => {
  const lines: Array<{ level: number, msg: string }> = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } } })
  t.teardown(() => app.close())
  await app.register(eventSink)
  await app.eventSink.ready()
  t.match(lines, [{ level: 40, msg: /memory/ }])
})

t.test('a sink that is none stops the start, a promise of one too', async (t) => {
  for (const sink of [null, {}, 'memory', Promise.resolve(memorySink()), { ...memorySink(), write: undefined }]) {
    await t.rejects(async () => await Fastify().register(eventSink, { sink } as never), { code: 'INVALID_OPTIONS', message: /"sink"/ })
  }
  await t.rejects(async () => await Fastify().register(eventSink, { sweepEvery: -1 }), { code: 'INVALID_OPTIONS', message: /event-sink: "sweepEvery"/ })
})

t.test('old ids are swept from time to time, a sweep that fails is tried again, and the sink is closed with the app', async (t) => {
  const calls: string[] = []
  let third = () => {}
  const swept = new Promise<void>((resolve) => { third = resolve })
  const app = Fastify()
  await app.register(eventSink, {
    sweepEvery: 1,
    sink: {
      ...memorySink(),
      async sweep () {
        if (calls.push('sweep') === 3) third()
        throw new UNAVAILABLE()
      },
      async close () { calls.push('close') }
    }
  })
  await app.listen({ port: 0 })
  await swept
  await app.close()
  t.same(calls.slice(0, 3), ['sweep', 'sweep', 'sweep'])
  t.equal(calls.at(-1), 'close')
})
