import { jetstreamManager } from '@nats-io/jetstream'
import type { StreamConfig } from '@nats-io/jetstream'
import t from 'tap'

import { jetstreamSink } from '../../../../plugins/event-sink/jetstream/index.js'
import type { StreamOptions } from '../../../../plugins/event-sink/jetstream/index.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { connected, eventsIn, ownStream } from '../../../helpers/jetstream.js'
import { privateNats } from '../../../helpers/nats.js'

const DAY = 24 * 60 * 60 * 1000
const NANOS = 1_000_000

const nats = await privateNats(t)
if (nats === null) process.exit(0)
const connection = await connected(t, { url: nats.url })
const manager = await jetstreamManager(connection)

t.test('a created stream has file storage, limits retention and a duplicate window of a day', async (t) => {
  const stream = ownStream(t, connection)
  await jetstreamSink({ connection, stream: { ...stream, maxAge: 2 * DAY, maxBytes: 1e9 } })
  const { config } = await manager.streams.info(stream.name)
  t.match(config, {
    subjects: [`${stream.subjectPrefix}.>`],
    storage: 'file',
    retention: 'limits',
    num_replicas: 1,
    discard: 'new',
    max_age: 2 * DAY * NANOS,
    max_bytes: 1e9
  })
  t.equal(config.duplicate_window, DAY * NANOS)
  t.not(config.no_ack, true)
})

t.test('a stream for packed messages has a duplicate window of two minutes', async (t) => {
  const stream = ownStream(t, connection)
  await jetstreamSink({ connection, stream, packing: 'flush' })
  t.equal((await manager.streams.info(stream.name)).config.duplicate_window, 120_000 * NANOS)
  await t.rejects(jetstreamSink({ connection, stream }), /"duplicate_window" is 120000 ms, not 86400000/)
})

t.test('five instances that start at once create one stream, and all write to it', async (t) => {
  const stream = ownStream(t, connection)
  const connections = await Promise.all([1, 2, 3, 4, 5].map(() => connected(t, { url: nats.url })))
  const sinks = await Promise.all(connections.map((connection) => jetstreamSink({ connection, stream })))
  await Promise.all(sinks.map((sink) => sink.write([anEvent(), anEvent({ messageId: 'same' })])))
  t.equal((await eventsIn(connection, stream.name)).length, 6)
})

t.test('only one of two instances with different settings starts, and the error of the other ' +
  'names the difference', async (t) => {
  const stream = ownStream(t, connection)
  const other = await connected(t, { url: nats.url })
  const [one, two] = await Promise.allSettled([
    jetstreamSink({ connection, stream: { ...stream, maxBytes: 1e6 } }),
    jetstreamSink({ connection: other, stream: { ...stream, maxBytes: 2e6 } })
  ])
  t.same([one.status, two.status].sort(), ['fulfilled', 'rejected'])
  const refused = one.status === 'rejected' ? one.reason : two.status === 'rejected' ? two.reason : undefined
  t.match(refused, { message: /"max_bytes" is [12]000000, not [12]000000/ })
})

t.test('an existing stream that keeps the guarantees is used and not changed', async (t) => {
  const stream = ownStream(t, connection)
  const { config: before } = await manager.streams.add({
    name: stream.name,
    subjects: ['unused.*', `${stream.name}.>`],
    storage: 'file',
    duplicate_window: 2 * DAY * NANOS,
    max_age: 3 * DAY * NANOS,
    discard: 'old',
    description: 'ours'
  })
  const sink = await jetstreamSink({ connection, stream: { ...stream, create: false } })
  await sink.write([anEvent()])
  t.same((await manager.streams.info(stream.name)).config, before)
})

const faults: Array<[title: string, config: Partial<StreamConfig>, options: StreamOptions, message: RegExp]> = [
  ['is in memory', { storage: 'memory' }, {}, /storage is "memory"/],
  ['deletes read messages', { retention: 'workqueue' }, {}, /retention is "workqueue"/],
  ['deletes messages without a consumer', { retention: 'interest' }, {}, /retention is "interest"/],
  ['does not acknowledge', { no_ack: true }, {}, /no_ack/],
  ['has other subjects', { subjects: ['other.>'] }, {}, /subjects do not include/],
  ['has only some of the subjects', { subjects: ['PREFIX.*.*.track'] }, {}, /subjects do not include/],
  ['has a short window', { duplicate_window: 60_000 * NANOS }, {}, /"duplicate_window" is 60000 ms, not 86400000/],
  ['deletes the oldest messages', { max_bytes: 1e6, discard: 'old' }, {}, /"discard" is "old", not "new"/],
  ['limits each subject', { max_msgs_per_subject: 10 }, {}, /max_msgs_per_subject/],
  ['limits the message size', { max_msg_size: 1_000 }, {}, /"max_msg_size" is 1000/],
  ['has fewer replicas', {}, { replicas: 3 }, /has 1 replicas, not 3/],
  ['has another age', { max_age: DAY * NANOS }, { maxAge: 2 * DAY }, /"max_age" is 86400000 ms, not 172800000/],
  ['has another size', { max_bytes: 5e6, discard: 'new' }, { maxBytes: 6e6 }, /"max_bytes" is 5000000, not 6000000/]
]

for (const [title, config, options, message] of faults) {
  t.test(`a stream that ${title} stops the start`, async (t) => {
    const stream = ownStream(t, connection)
    const subjects = (config.subjects ?? ['PREFIX.>']).map((subject) => subject.replace('PREFIX', stream.name))
    await manager.streams.add({
      name: stream.name,
      storage: 'file',
      duplicate_window: DAY * NANOS,
      ...config,
      subjects
    })
    await t.rejects(jetstreamSink({ connection, stream: { ...stream, ...options } }), { message })
  })
}

t.test('one error lists all invalid settings of a stream', async (t) => {
  const stream = ownStream(t, connection)
  await manager.streams.add({ name: stream.name, subjects: [`${stream.name}.a`], storage: 'memory' })
  await t.rejects(jetstreamSink({ connection, stream }), /exists, but .*memory.*; .*subjects.*; .*duplicate_window/)
})

t.test('a stream that does not exist or cannot be created stops the start with the reason', async (t) => {
  const stream = ownStream(t, connection)
  await t.rejects(
    jetstreamSink({ connection, stream: { ...stream, create: false } }),
    /the stream .* does not exist; create it/
  )
  const other = ownStream(t, connection)
  await manager.streams.add({ name: other.name, subjects: [`${stream.name}.>`], storage: 'file' })
  await t.rejects(jetstreamSink({ connection, stream }), /cannot create the stream .*overlap/)
  await t.rejects(
    jetstreamSink({ connection, stream: { ...ownStream(t, connection), replicas: 3 } }),
    /cannot create the stream .*replicas/
  )
})

t.test('a broker without JetStream or with a small max_payload stops the start', async (t) => {
  const small = await privateNats(t, { configuration: 'max_payload: 100000' })
  if (small === null) return
  await t.rejects(jetstreamSink({ connection: await connected(t, { url: small.url }) }), /"max_payload" is 100000/)
  const off = await privateNats(t, {
    configuration: 'accounts: { A: { users: [{ user: a, password: b }] } }, no_auth_user: a',
    jetstream: false
  })
  if (off === null) return
  await t.rejects(
    jetstreamSink({ connection: await connected(t, { url: off.url }) }),
    /JetStream is disabled for this account/
  )
})
