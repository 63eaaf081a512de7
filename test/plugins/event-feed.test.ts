import { channel } from 'node:diagnostics_channel'

import Fastify from 'fastify'
import t from 'tap'

import { FORBIDDEN } from '../../lib/errors.js'
import eventFeed from '../../plugins/event-feed/index.js'
import type { EventWatcher } from '../../plugins/event-feed/index.js'
import { EventCounts } from '../../plugins/event-feed/counts.js'
import { CHANNELS } from '../../lib/channels.js'
import { refuse } from '../../lib/refuse.js'
import { codeOf, gateway } from '../helpers/gateway.js'
import { acceptedEvent } from '../helpers/accepted-event.js'
import { logReader } from '../helpers/log-reader.js'

t.test('events of an organisation without watchers are only counted', async (t) => {
  const { app, source } = await gateway(t)
  const untouched = new Proxy(acceptedEvent(source, 'm1'), {
    get: (_event, name) => t.fail(`${String(name)} was read`)
  })
  app.eventFeed.watch('another', { accepted: () => t.fail('an acme event'), refused: () => t.fail('an acme event') })
  app.eventFeed.accepted(source, [untouched, untouched])
  app.eventFeed.refused(source, 'FORBIDDEN', () => {
    throw new Error('described without a watcher')
  })
  t.same([...app.eventFeed.counts('acme')], [[source.id, { accepted: 2, refused: { FORBIDDEN: 1 } }]])
})

t.test('refusals are published only while an app with a feed is open', async (t) => {
  const refused = channel(CHANNELS.refused.name)
  t.equal(refused.hasSubscribers, false)
  const app = Fastify()
  await app.register(eventFeed)
  app.get('/', (_request, reply) => refuse(reply, new FORBIDDEN()))
  await app.ready()
  t.equal(refused.hasSubscribers, true)
  t.equal((await app.inject('/')).statusCode, 403, 'a request without a source is refused as usual')
  await app.close()
  t.equal(refused.hasSubscribers, false)
})

t.test('an event is published after it is stored, and a failed write is published as a refusal', async (t) => {
  const seen: string[] = []
  const { app, post, sink } = await gateway(t)
  const { write } = sink
  sink.write = async (events) => {
    await write(events)
    seen.push('stored')
  }
  app.eventFeed.watch('acme', {
    accepted: ({ messageId }) => seen.push(messageId),
    refused: ({ code }) => seen.push(code)
  })
  await post('/v1/t', { event: 'x', userId: 'u', messageId: 'm1' })
  sink.write = async () => {
    throw new Error('the disk is full')
  }
  const reply = await post('/v1/t', { event: 'x', userId: 'u', messageId: 'm2' })
  t.equal(reply.statusCode, 500)
  t.equal(codeOf(reply), 'INTERNAL_ERROR')
  t.same(seen, ['stored', 'm1', 'INTERNAL_ERROR'])
})

t.test('a watcher that fails affects no request and no other watcher', async (t) => {
  const log = logReader()
  const { app, post } = await gateway(t, { server: { logger: { level: 'error', stream: log.stream } } })
  const seen: string[] = []
  const broken: EventWatcher = {
    accepted: () => {
      throw new Error('broken')
    },
    refused: () => {
      throw new Error('broken')
    }
  }
  app.eventFeed.watch('acme', broken)
  const stop = app.eventFeed.watch('acme', {
    accepted: ({ messageId }) => seen.push(messageId),
    refused: ({ code }) => seen.push(code)
  })
  t.equal((await post('/v1/t', { event: 'x', userId: 'u', messageId: 'm1' })).statusCode, 200)
  t.equal((await post('/v1/t', {})).statusCode, 400)
  t.same(seen, ['m1', 'INVALID_REQUEST'])
  t.equal(log.lines().filter(({ msg }) => msg === 'event-feed: a watcher threw an error').length, 2)
  stop()
  stop()
  await post('/v1/t', { event: 'x', userId: 'u', messageId: 'm3' })
  t.equal(seen.length, 2, 'a stopped watcher receives no events')
})

t.test('two scopes have separate feeds, and the app around them has no feed', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const feeds: unknown[] = []
  for (let n = 0; n < 2; n++) {
    await app.register(async (scope) => {
      await scope.register(eventFeed)
      feeds.push(scope.eventFeed)
    })
  }
  t.notOk(app.hasDecorator('eventFeed'))
  t.not(feeds[0], feeds[1])
})

t.test('the number of counted sources is bounded, and the least recently used are dropped', async (t) => {
  const counts = new EventCounts()
  for (let n = 0; n < 5_000; n++) {
    counts.of('acme', `s${n}`).accepted++
    counts.of(`org${n}`, 's').accepted++
    counts.of('acme', 's0').accepted++
  }
  const listed = [...counts.list('acme')]
  t.equal(listed.length, 100)
  t.same(listed.slice(0, 2), [['s0', { accepted: 5_001, refused: {} }], ['s4999', { accepted: 1, refused: {} }]])
  t.same([...counts.list('org0')], [], 'the least recently used organisation was dropped')
})
