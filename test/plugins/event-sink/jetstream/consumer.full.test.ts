import { setTimeout as sleep } from 'node:timers/promises'

import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'
import type { Test } from 'tap'

import { INTERNAL_ERROR, UNAVAILABLE } from '../../../../lib/errors.js'
import { memorySink } from '../../../../plugins/event-sink/index.js'
import { copyStream, jetstreamSink } from '../../../../plugins/event-sink/jetstream/index.js'
import type { CopyStreamOptions } from '../../../../plugins/event-sink/jetstream/index.js'
import { encodeEvent } from '../../../../plugins/event-sink/jetstream/message.js'
import type { AcceptedEvent } from '../../../../contracts/event-sink.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { listed } from '../../../../conformance/event-sink/fixtures.js'
import { connected, ownStream } from '../../../helpers/jetstream.js'
import { NAUGHTY } from '../../../helpers/naughty-strings.js'
import { privateNats } from '../../../helpers/nats.js'
import { until } from '../../../helpers/until.js'

const nats = await privateNats(t)
if (nats === null) process.exit(0)
const connection = await connected(t, { url: nats.url })
const manager = await jetstreamManager(connection)

type Options = Partial<CopyStreamOptions>

/** A stream, a function that starts a copy of it, and the log entries of the copy. */
async function setting (t: Test) {
  const stream = ownStream(t, connection)
  const sinks = {
    event: await jetstreamSink({ connection, stream }),
    flush: await jetstreamSink({ connection, stream: { ...stream, duplicateWindow: 1_000 }, packing: 'flush' })
  }
  const told: Array<{ level: string, about: unknown, message: string }> = []
  const tell = (level: string) => (about: unknown, message: string) => {
    told.push({ level, about, message })
  }
  const log = { warn: tell('warn'), error: tell('error') } as unknown as NonNullable<CopyStreamOptions['log']>
  const kept = memorySink()
  return {
    ...sinks,
    stream,
    told,
    stored: async () => (await listed(kept, 'org-a', {}, 100_000)).reverse(),
    kept,
    copy: (options: Options = {}) => copyStream({ connection, stream: stream.name, sink: kept, log, ...options }),
    pending: async () => {
      const { num_pending: unread, num_ack_pending: unanswered } = await manager.consumers.info(
        stream.name,
        'gatehouse-sql'
      )
      return unread + unanswered
    }
  }
}

const ids = (events: readonly AcceptedEvent[]) => events.map(({ messageId }) => messageId).sort()

t.test('existing and later events are copied unchanged, from messages with one event and with ' +
  'several events', async (t) => {
  const { event, flush, copy, stored, pending, told } = await setting(t)
  const events = NAUGHTY.map((text, at) =>
    anEvent({ messageId: `${text}${at}`, payload: JSON.stringify({ event: text, [text]: [text] }) })
  )
  await event.write(events.slice(0, 30))
  await flush.write(events.slice(30, 50))
  const running = await copy()
  await until('the events are stored', async () => (await stored()).length === 50)
  await flush.write(events.slice(50))
  await until('the events are stored', async () => (await stored()).length === events.length)
  await running.stop()
  const order = new Map(events.map(({ messageId }, at) => [messageId, at]))
  t.strictSame(
    (await stored()).sort((one, other) => (order.get(one.messageId) ?? 0) - (order.get(other.messageId) ?? 0)),
    events
  )
  t.equal(await pending(), 0)
  t.same(told, [])
})

t.test('a restarted copy continues where the previous copy stopped', async (t) => {
  const { event, copy, stored } = await setting(t)
  await event.write([anEvent({ messageId: 'a' })])
  const first = await copy()
  await until('the events are stored', async () => (await stored()).length === 1)
  await first.stop()
  await event.write([anEvent({ messageId: 'b' })])
  const seen: AcceptedEvent[] = []
  const second = await copy({
    sink: {
      write: async (events) => {
        seen.push(...events)
      }
    }
  })
  await until('it is seen', () => seen.length > 0)
  await second.stop()
  t.same(ids(seen), ['b'])
})

t.test('instances with the same consumer name share the work', async (t) => {
  const { event, copy, pending } = await setting(t)
  const counts = [0, 0, 0]
  const other = await connected(t, { url: nats.url })
  const copies = await Promise.all(counts.map((_count, at) =>
    copy({
      batch: 10,
      connection: at === 2 ? other : connection,
      sink: {
        async write (events) {
          counts[at] = (counts[at] ?? 0) + events.length
          await sleep(2)
        }
      }
    })
  ))
  // An instance receives events once its first pull request has arrived at the broker.
  let written = 0
  for (; written < 6_000 && counts.includes(0); written += 300) {
    await event.write(Array.from({ length: 300 }, () => anEvent()))
    await until('nothing is pending', async () => await pending() === 0)
  }
  await Promise.all(copies.map((copy) => copy.stop()))
  t.equal(counts.reduce((sum, count) => sum + count, 0), written, 'each event went to one instance')
  t.ok(counts.every((count) => count > 0), String(counts))
})

t.test('events that an unavailable sink refuses are redelivered and stored', async (t) => {
  const { event, copy, kept, stored, pending, told } = await setting(t)
  const events = Array.from({ length: 50 }, () => anEvent())
  await event.write(events)
  let refusals = 0
  const running = await copy({
    sink: { write: (events) => refusals++ < 60 ? Promise.reject(new UNAVAILABLE()) : kept.write(events) }
  })
  await until('nothing is pending', async () => await pending() === 0)
  await running.stop()
  t.same(ids(await stored()), ids(events))
  t.match(told[0], {
    level: 'warn',
    about: { err: { code: 'UNAVAILABLE' } },
    message: /could not be stored and will be redelivered/
  })
})

t.test('an event that the sink refuses does not block other events and is not acknowledged', async (t) => {
  const { event, copy, kept, stored, pending } = await setting(t)
  const refused = anEvent({ messageId: 'refused' })
  await event.write([anEvent({ messageId: 'a' }), refused, anEvent({ messageId: 'b' })])
  const running = await copy({
    sink: {
      write: (events) => events[0]?.messageId === 'refused' ? Promise.reject(new INTERNAL_ERROR()) : kept.write(events)
    }
  })
  await until('the events are stored', async () => (await stored()).length === 2)
  await running.stop()
  t.equal(await pending(), 1)
})

t.test('an invalid message is logged without its content and not redelivered, and valid events in ' +
  'it are stored', async (t) => {
  const { copy, stored, stream, pending, told } = await setting(t)
  const js = jetstream(connection)
  const good = [anEvent(), anEvent()] as const
  await js.publish(`${stream.name}.a`, 'the secret')
  await js.publish(`${stream.name}.a`, `${encodeEvent(good[0])}\n{"payload":"secret"}\n${encodeEvent(good[1])}`)
  await js.publish(`${stream.name}.a`, new Uint8Array([0xff]))
  const running = await copy()
  await until('nothing is pending', async () => await pending() === 0)
  await running.stop()
  t.strictSame(await stored(), good)
  t.equal(told.length, 3)
  t.match(told.map(({ about }) => about), [{ sequence: 1, broken: 1 }, { sequence: 2, broken: 1 }, {
    sequence: 3,
    broken: 1
  }])
  t.notMatch(JSON.stringify(told), /secret/)
})

t.test('a message with more events than one write accepts is stored in parts', async (t) => {
  const { flush, copy, stored, kept } = await setting(t)
  const events = Array.from({ length: 1_700 }, () => anEvent())
  await flush.write(events)
  const sizes: number[] = []
  const running = await copy({
    sink: {
      write (events) {
        sizes.push(events.length)
        return kept.write(events)
      }
    }
  })
  await until('the events are stored', async () => (await stored()).length === events.length)
  await running.stop()
  t.ok(Math.max(...sizes) <= 500)
})

t.test('stop() waits until the received events are stored and acknowledged, and the next copy ' +
  'stores the rest', async (t) => {
  const { event, copy, stored, kept, pending } = await setting(t)
  let begin = () => {}
  let release = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await event.write([anEvent({ messageId: 'first' })])
  const running = await copy({
    sink: {
      async write (events) {
        begin()
        await held
        await kept.write(events)
      }
    }
  })
  await begun
  await event.write(Array.from({ length: 20 }, (_none, at) => anEvent({ messageId: `later-${at}` })))
  const stopped = running.stop()
  release()
  await stopped
  t.ok(ids(await stored()).includes('first'))
  const before = (await stored()).length
  t.equal(await pending(), 21 - before, 'every received event is stored')
  const next = await copy()
  await until('the events are stored', async () => (await stored()).length === 21)
  await next.stop()
})

t.test('a consumer or stream that would lose events stops the start with the reason', async (t) => {
  const { copy, stream } = await setting(t)
  await t.rejects(
    copy({ stream: 'none-such' }),
    /"gatehouse-sql" of the stream "none-such" cannot be used: stream not found/
  )
  const wrong = [
    [{ ack_policy: 'none' }, /"ack_policy" is "none"/],
    [{ deliver_subject: 'x' }, /push consumer/],
    [{ max_deliver: 3 }, /after 3 attempts/],
    [{ filter_subject: `${stream.name}.a.>` }, /filters subjects/]
  ] as const
  for (const [at, [config, message]] of wrong.entries()) {
    const durable = `wrong-${at}`
    await manager.consumers.add(stream.name, { durable_name: durable, ack_policy: 'explicit', ...config })
    await t.rejects(copy({ durable }), { message })
  }
  for (const options of [{ durable: 'a.b' }, { stream: '' }, { batch: 0 }, { ackWait: 1.5 }]) {
    await t.rejects(copy(options), { code: 'INVALID_OPTIONS', message: new RegExp(`"${Object.keys(options)[0]}"`) })
  }
})

t.test('a deleted consumer is logged as a warning', async (t) => {
  const { event, copy, stored, stream, told } = await setting(t)
  await event.write([anEvent()])
  const running = await copy()
  await until('the events are stored', async () => (await stored()).length === 1)
  await manager.consumers.delete(stream.name, 'gatehouse-sql')
  await until('it is reported', () => told.length > 0)
  t.match(told[0], { level: 'warn', message: /the broker refuses to deliver messages/ })
  await running.stop()
})
