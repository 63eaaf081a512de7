import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'
import type { Test } from 'tap'

import { jetstreamSink } from '../../plugins/event-sink/jetstream/index.js'
import type { JetstreamSinkOptions } from '../../plugins/event-sink/jetstream/index.js'
import { anEvent } from '../../conformance/event-sink/index.js'
import { connected, eventsIn, ownStream } from '../helpers/jetstream.js'
import { privateNats } from '../helpers/nats.js'
import type { PrivateNats } from '../helpers/nats.js'
import { writeEvents } from '../helpers/sink-load.js'
import type { SinkLoad } from '../helpers/sink-load.js'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
/** How long the broker is stopped or paused. */
const DOWN_SECONDS = Number(process.env.DOWN_SECONDS ?? 3)
const ACK_TIMEOUT = 1_000
/** Each writer is refused while the broker is down. */
const WRITERS = 16
const MEGABYTE = 1024 * 1024

async function brokerAndSink (t: Test, options: Partial<JetstreamSinkOptions> = {}) {
  const nats = await privateNats(t, { needsOwn: true })
  if (nats === null) return null
  const connection = await connected(t, { url: nats.url })
  const stream = ownStream(t, connection)
  const sink = await jetstreamSink({ connection, stream, ...options })
  return { nats, sink, connection, name: stream.name }
}

/** Asserts that acknowledged events are stored and stored events were sent, once if the broker drops repeats. */
async function audit (
  t: Test,
  { acknowledged, sent }: SinkLoad,
  stored: readonly string[],
  repeats: boolean
): Promise<string> {
  const different = new Set(stored)
  const lost = acknowledged.filter((id) => !different.has(id)).length
  const twice = stored.length - different.size
  t.equal(lost, 0, 'lost')
  if (!repeats) t.equal(twice, 0, 'twice')
  t.equal(stored.filter((id) => !sent.has(id)).length, 0, 'never sent')
  return `${acknowledged.length} events acknowledged, ${different.size} stored, ${lost} lost, ${twice} twice`
}

/** Memory of the process in bytes, including sockets and buffers. */
function held (): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const outages: Array<[title: string, begin: (nats: PrivateNats) => unknown, end: (nats: PrivateNats) => unknown]> = [
  ['is stopped', (nats) => nats.stop(), (nats) => nats.start()],
  ['is paused', (nats) => nats.pause(), (nats) => nats.resume()]
]

for (const [title, begin, end] of outages) {
  t.test(
    `while the broker ${title} for ${DOWN_SECONDS} s writes are refused, and no event is lost or stored twice`,
    { timeout: (DOWN_SECONDS + 120) * 1_000 },
    async (t) => {
      const setting = await brokerAndSink(t, { ackTimeout: ACK_TIMEOUT })
      if (setting === null) return
      const { nats, sink, connection, name } = setting
      const load = writeEvents(sink, { writers: WRITERS, bytes: 20_000 })
      await load.more(300)
      t.same(load.refusals, [], 'no refusal before')
      const before = held()
      await begin(nats)
      // Writes in flight at the start of the outage can still be acknowledged.
      await sleep(100)
      const acknowledged = load.acknowledged.length
      let most = 0
      for (
        const over = Date.now() + DOWN_SECONDS * 1_000;
        Date.now() < over || load.refusals.length < WRITERS;
        await sleep(50)
      ) {
        most = Math.max(most, held() - before)
      }
      t.equal(load.acknowledged.length, acknowledged, 'no write was acknowledged')
      t.same([...new Set(load.refusals.map(({ code }) => code))], ['UNAVAILABLE'])
      // Math.max would have too many arguments.
      const slowest = load.refusals.reduce((most, { after }) => Math.max(most, after), 0)
      t.ok(most < 100 * MEGABYTE, `${Math.round(most / MEGABYTE)} MB more were held`)
      await t.rejects(sink.ready(), { code: 'UNAVAILABLE' })

      await end(nats)
      const start = performance.now()
      await load.more(1)
      const pause = performance.now() - start
      await load.more(300)
      await sink.ready()
      await load.stop()
      const ids = (await eventsIn(connection, name)).map(({ messageId }) => messageId)
      t.comment(
        `${load.refusals.length} writes refused, the slowest after ${Math.round(slowest)} ms; ${
          Math.round(most / MEGABYTE)
        } MB more held; ` +
          `again after ${Math.round(pause)} ms; ${await audit(t, load, ids, false)}`
      )
    }
  )
}

for (const packing of ['event', 'flush'] as const) {
  t.test(`no acknowledged event is lost in ${ROUNDS} kill -9 of the broker under load, packing: ${packing}`, {
    timeout: (ROUNDS * 15 + 60) * 1_000
  }, async (t) => {
    const setting = await brokerAndSink(t, { packing })
    if (setting === null) return
    const { nats, sink, connection, name } = setting
    const load = writeEvents(sink)
    const pauses: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await load.more(1_000)
      await sleep(Math.random() * 200)
      await nats.kill()
      await nats.start()
      const start = performance.now()
      await load.more(1)
      pauses.push(performance.now() - start)
    }
    await load.more(1_000)
    await load.stop()
    t.same(load.refusals.filter(({ code }) => code !== 'UNAVAILABLE'), [])
    const ids = (await eventsIn(connection, name)).map(({ messageId }) => messageId)
    // With packing the broker drops repeats of the sink, and the reader drops repeats of clients.
    t.comment(
      `${ROUNDS} kills, packing ${packing}: ${await audit(
        t,
        load,
        ids,
        packing === 'flush'
      )}; ${load.refusals.length} writes refused, ` +
        `longest pause ${Math.round(Math.max(...pauses))} ms`
    )
  })
}

t.test('writes wait and are published again if the broker is unavailable for less than ackTimeout', async (t) => {
  const setting = await brokerAndSink(t)
  if (setting === null) return
  const { nats, sink, connection, name } = setting
  const first = anEvent()
  await sink.write([first])
  await nats.kill()
  const waiting = [anEvent(), anEvent()]
  const writes = waiting.map((event) => sink.write([event]))
  await nats.start()
  await Promise.all(writes)
  t.strictSame(await eventsIn(connection, name), [first, ...waiting])
})

t.test('closing a sink while the broker is paused refuses the waiting writes', async (t) => {
  const setting = await brokerAndSink(t, { ackTimeout: ACK_TIMEOUT })
  if (setting === null) return
  const { nats, sink } = setting
  nats.pause()
  const write = t.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
  await sink.close()
  await write
  nats.resume()
})
