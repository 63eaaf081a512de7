import { setTimeout as sleep } from 'node:timers/promises'

import { jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'

import { connectNats, jetstreamSink } from '../../../../plugins/event-sink/jetstream/index.js'
import type { JetstreamSinkOptions } from '../../../../plugins/event-sink/jetstream/index.js'
import { DEDUPLICATION_WINDOW } from '../../../../contracts/event-sink.js'
import type { ContractTest } from '../../../../conformance/contract-test.js'
import { anEvent, eventSinkContract } from '../../../../conformance/event-sink/index.js'
import { sharedEventSinkContract } from '../../../../conformance/event-sink/instances.js'
import { connected, eventsIn, messagesIn, ownStream, readable } from '../../../helpers/jetstream.js'
import { NAUGHTY } from '../../../helpers/naughty-strings.js'
import { privateNats } from '../../../helpers/nats.js'

/** Longer than any test runs. */
const HOUR = 3_600_000
const PACKINGS = ['event', 'flush'] as const

const nats = await privateNats(t)
if (nats === null) process.exit(0)
const connection = await connected(t, { url: nats.url })

type Options = Partial<JetstreamSinkOptions>

/** Creates sinks on one new stream. */
function sinks (test: Parameters<typeof ownStream>[0], options: Options = {}) {
  const stream = { ...ownStream(test, connection), ...options.stream }
  return { name: stream.name, make: (more: Options = {}) => jetstreamSink({ connection, ...options, ...more, stream }) }
}

for (const packing of PACKINGS) {
  await t.test(`the JetStream sink keeps the contract, packing: ${packing}`, async (t) => {
    // The broker uses its own clock, so that a test below covers its duplicate window.
    const contract: ContractTest = {
      test: async (title, run) => {
        if (!title.includes('duplicate for 24 hours')) await t.test(title, run)
      }
    }
    await eventSinkContract(contract, async () => {
      const { name, make } = sinks(t, { packing })
      return readable(await make(), connection, name)
    })
  })

  await t.test(`two instances on one stream keep the shared contract, packing: ${packing}`, (t) =>
    sharedEventSinkContract(t as ContractTest, async () => {
      const { name, make } = sinks(t, { packing })
      const [one, other] = await Promise.all([make(), make({ connection: await connected(t, { url: nats.url }) })])
      return [readable(one, connection, name), readable(other, connection, name)]
    }))

  t.test(`written events are in the stream unchanged, packing: ${packing}`, async (t) => {
    const { name, make } = sinks(t, { packing })
    const sink = await make()
    const events = NAUGHTY.map((text, at) =>
      anEvent({
        orgId: text,
        sourceId: text,
        messageId: `${text}${at}`,
        payload: JSON.stringify({ event: text, [text]: [text] })
      })
    )
    await Promise.all(events.map((event) => sink.write([event])))
    const stored = await eventsIn(connection, name)
    t.strictSame(
      stored.sort((one, other) =>
        events.findIndex(({ messageId }) => messageId === one.messageId) -
        events.findIndex(({ messageId }) => messageId === other.messageId)
      ),
      events
    )
  })
}

t.test('each event is a message with its own subject and a deduplication id', async (t) => {
  const { name, make } = sinks(t)
  const sink = await make()
  const events = [anEvent({ orgId: 'a.b' }), anEvent({ sourceId: 'x y', type: 'page' }), anEvent()]
  await sink.write(events)
  const messages = await messagesIn(connection, name)
  t.same(messages.map(({ subject }) => subject), [`${name}.a%2Eb.source-a.track`, `${name}.org-a.x%20y.page`,
    `${name}.org-a.source-a.track`])
  t.ok(messages.every(({ id }) => /^[0-9a-f]{32}$/.test(id)))
})

t.test('an instance that has not seen the event learns of its repeat from the broker', async (t) => {
  const { make } = sinks(t)
  const [one, other] = [await make(), await make()]
  const first = anEvent({ repeat: false })
  await one.write([first])
  const [again, fresh] = [{ ...first }, anEvent({ repeat: false })]
  await other.write([again, fresh])
  t.same([first, again, fresh].map(({ repeat }) => repeat), [false, true, false])
})

t.test('with packing the events of one flush share a message', async (t) => {
  const { name, make } = sinks(t, { packing: 'flush' })
  const sink = await make()
  const events = Array.from({ length: 300 }, () => anEvent())
  await Promise.all(events.map((event) => sink.write([event])))
  const messages = await messagesIn(connection, name)
  t.ok(messages.length <= 3, `${messages.length} messages`)
  t.same([...new Set(messages.map(({ subject }) => subject))], [`${name}._packed`])
  t.strictSame(messages.flatMap((message) => message.events), events)
})

t.test('ten copies of one event over two instances, and repeats after a restart, are one message', async (t) => {
  const { name, make } = sinks(t)
  const [one, other] = await Promise.all([make(), make()])
  const event = anEvent()
  await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      (at % 2 === 0 ? one : other).write([anEvent(), { ...event, payload: `{"copy":${at}}` }]))
  )
  const third = await make()
  await third.write([event])
  await third.close()
  await (await make()).write([anEvent(), event])
  const stored = await eventsIn(connection, name)
  t.equal(stored.filter(({ messageId }) => messageId === event.messageId).length, 1)
  t.equal(stored.length, 12)
})

t.test('after the duplicate window the same messageId a day later is a new event', async (t) => {
  const { name, make } = sinks(t, { stream: { duplicateWindow: 300 } })
  const sink = await make()
  const event = anEvent()
  const nextDay = { ...event, receivedAt: event.receivedAt + DEDUPLICATION_WINDOW }
  await sink.write([event])
  for (
    const deadline = Date.now() + 60_000;
    (await eventsIn(connection, name)).length < 2 && Date.now() < deadline;
    await sleep(100)
  ) {
    // A new instance does not know the id itself.
    await (await make()).write([nextDay])
  }
  t.strictSame(await eventsIn(connection, name), [event, nextDay])
})

t.test('a batch larger than one message is sent as several messages, packed or not', async (t) => {
  for (const packing of PACKINGS) {
    const { name, make } = sinks(t, { packing })
    const sink = await make()
    const events = Array.from({ length: 80 }, () => anEvent({ payload: JSON.stringify({ text: '"'.repeat(30_000) }) }))
    await sink.write(events)
    t.strictSame(await eventsIn(connection, name), events)
  }
})

t.test('an event larger than a message fails with INTERNAL_ERROR, and events that wait with it ' +
  'are stored', async (t) => {
  for (const packing of PACKINGS) {
    const { name, make } = sinks(t, { packing })
    const sink = await make()
    const first = sink.write([anEvent()])
    const large = sink.write([anEvent({ payload: JSON.stringify({ text: 'x'.repeat(1_100_000) }) })])
    const last = sink.write([anEvent()])
    await t.rejects(large, { code: 'INTERNAL_ERROR', statusCode: 500 })
    await Promise.all([first, last])
    t.equal((await eventsIn(connection, name)).length, 2)
  }
})

t.test('a full stream refuses immediately with UNAVAILABLE, keeps its events, and accepts events ' +
  'after a purge', async (t) => {
  const { name, make } = sinks(t, { stream: { maxBytes: 20_000 }, ackTimeout: HOUR })
  const sink = await make()
  const large = () => anEvent({ payload: JSON.stringify({ text: 'x'.repeat(4_000) }) })
  const first = large()
  await sink.write([first])
  await t.rejects(sink.write(Array.from({ length: 20 }, large)), {
    code: 'UNAVAILABLE',
    retryAfterSeconds: 1,
    cause: { message: /maximum bytes/ }
  }, 'long before ackTimeout')
  t.strictSame((await eventsIn(connection, name))[0], first)
  await (await jetstreamManager(connection)).streams.purge(name)
  await sink.write([large()])
})

t.test('without its stream the sink is not ready and writes are UNAVAILABLE, until the stream ' +
  'exists again', async (t) => {
  const { name, make } = sinks(t, { ackTimeout: 500 })
  const sink = await make()
  await sink.ready()
  await (await jetstreamManager(connection)).streams.delete(name)
  await t.rejects(sink.ready(), { code: 'UNAVAILABLE' })
  await t.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
  await (await make()).close()
  await sink.write([anEvent()])
  await sink.ready()
})

t.test('a closed sink refuses writes and leaves the connection open; a closed connection refuses ' +
  'writes and ready()', async (t) => {
  const own = await connectNats({ url: nats.url })
  const { make } = sinks(t, { connection: own, ackTimeout: HOUR })
  const sink = await make()
  await sink.close()
  await t.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
  const next = await make()
  await next.write([anEvent()])
  await own.close()
  await t.rejects(next.write([anEvent()]), { code: 'UNAVAILABLE' })
  await t.rejects(next.ready(), { code: 'UNAVAILABLE' })
  await next.close()
})

t.test('each invalid option is refused by its name', async (t) => {
  const wrong: Array<[Options, RegExp]> = [
    [{ packing: 'all' as 'flush' }, /"packing"/],
    [{ maxPending: 0 }, /"maxPending"/],
    [{ ackTimeout: -1 }, /"ackTimeout"/],
    [{ stream: { name: 'a.b' } }, /"stream\.name"/],
    [{ stream: { subjectPrefix: 'a b' } }, /"stream\.subjectPrefix"/],
    [{ stream: { replicas: 2 } }, /"stream\.replicas"/],
    [{ stream: { discard: 'all' as 'old' } }, /"stream\.discard"/],
    [{ stream: { maxAge: 1_000 } }, /"stream\.maxAge" must be at least "stream\.duplicateWindow" \(86400000\); got 1000$/],
    [{ stream: { maxAge: '1 day' as never } }, /"stream\.maxAge" must be a whole number of milliseconds/],
    [{ stream: { maxBytes: 0 } }, /"stream\.maxBytes"/],
    [{ stream: { duplicateWindow: 1.5 } }, /"stream\.duplicateWindow"/],
    [{ stream: { create: 'no' as never } }, /"stream\.create" must be true or false; got "no"$/]
  ]
  for (const [options, message] of wrong) {
    await t.rejects(jetstreamSink({ connection, ...options }), { code: 'INVALID_OPTIONS', message })
  }
})
