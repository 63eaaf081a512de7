import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'

import sse from '@fastify/sse'
import t from 'tap'

import { anApiKey } from '../../../../conformance/token-store/fixtures.js'
import { UNAVAILABLE } from '../../../../lib/errors.js'
import { memoryStore } from '../../../../plugins/token-store/memory/index.js'
import { generateApiKey } from '../../../../signing/api-key.js'
import { sha256Hex } from '../../../../signing/digest.js'
import { acceptedEvent } from '../../../helpers/accepted-event.js'
import { caller } from '../../../helpers/admin-caller.js'
import { holdTimers } from '../../../helpers/held-timers.js'
import { liveGateway } from '../../../helpers/live-gateway.js'
import type { LiveGateway } from '../../../helpers/live-gateway.js'

const SITE = 'https://console.example.com'

const ENDS: ReadonlyArray<readonly [what: string, end: (gateway: LiveGateway) => unknown]> = [
  ['the access token expires', ({ clock }) => {
    clock.now += 900_000
  }],
  ['the user logs out everywhere', ({ owner }) => owner.send('POST', '/auth/logout-all')],
  ['the session is ended', async ({ store, owner }) => {
    for (const { id } of await store.sessions.list(owner.userId)) await store.sessions.end(id)
  }],
  ['the user is disabled', async (gateway) => {
    await gateway.addUser('another@example.com', 'owner', 'acme')
    await gateway.store.members.update('acme', gateway.owner.userId, { disabled: true })
  }],
  ['the store fails', ({ store }) => {
    store.sessions.access = async () => {
      throw new UNAVAILABLE()
    }
  }],
  ['the store gives no answer', ({ store }) => {
    store.sessions.access = () => new Promise(() => {})
  }]
]

for (const [what, end] of ENDS) {
  t.test(`${what}: the stream ends at one of the next checks and shows no later events`, async (t) => {
    const looks = holdTimers(t, 1_000)
    const gateway = await liveGateway(t)
    const made = await gateway.source()
    const stream = await gateway.watch()
    await gateway.send(made, '/v1/t', { event: 'x', userId: 'u', messageId: 'before' })
    await stream.until('accepted')
    await end(gateway)
    for (let times = 0; times < (what.endsWith('no answer') ? 6 : 1); times++) looks.run()
    t.equal((await stream.over).how, 'ended')
    gateway.app.eventFeed.accepted(made.source, [acceptedEvent(made.source, 'afterwards')])
    t.notMatch(stream.text(), 'afterwards')
  })
}

t.test('the stream of an API key ends at the next check after the key was revoked, and not before', async (t) => {
  const looks = holdTimers(t, 1_000)
  const gateway = await liveGateway(t)
  const made = await gateway.source()
  const key = generateApiKey()
  const { id } = await gateway.store.apiKeys.create(
    anApiKey({ orgId: 'acme', role: 'viewer', permissions: ['events:read'], digest: sha256Hex(key) })
  )
  const stream = await gateway.watch('', {}, key)
  looks.run()
  await gateway.send(made, '/v1/t', { event: 'x', userId: 'u', messageId: 'before' })
  await stream.until('accepted')
  await gateway.store.apiKeys.revoke('acme', id)
  looks.run()
  t.equal((await stream.over).how, 'ended')
})

t.test('a stream stays open when the role of its user changes to another role that reads events', async (t) => {
  const gateway = await liveGateway(t, { api: { live: { statsEvery: 1_000 } } })
  const admin = await caller(gateway, 'admin', 'acme')
  const stream = await gateway.watch('', {}, admin.token)
  await gateway.store.members.update('acme', admin.userId, { role: 'viewer' })
  await stream.untilText(/(event: stats[^]*){4}/)
})

t.test('app.close() ends every stream, also streams that are not read', async (t) => {
  const gateway = await liveGateway(t, { api: { live: { eventsPerSecond: 1_000_000 } } })
  const { source } = await gateway.source()
  const unread = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${gateway.origin}/v1/admin/events/live`, {
      agent: false,
      headers: { authorization: `Bearer ${gateway.owner.token}` }
    }, resolve).on('error', reject)
  })
  unread.on('error', () => {})
  gateway.app.eventFeed.accepted(
    source,
    Array.from({ length: 1_000 }, (_, n) => acceptedEvent(source, `m${n}`, 16_384))
  )
  const stream = await gateway.watch()
  await gateway.app.close()
  t.equal((await stream.over).how, 'ended')
  unread.destroy()
})

t.test('server.close() of the host ends the streams before the app is closed', async (t) => {
  const { watch, app } = await liveGateway(t)
  const stream = await watch()
  await new Promise((resolve) => app.server.close(resolve))
  t.equal((await stream.over).how, 'ended')
})

t.test('the stream stays open in a host that has @fastify/sse and a time limit for handlers', async (t) => {
  const { watch, app } = await liveGateway(t, {
    server: { handlerTimeout: 500, connectionTimeout: 3_000 },
    api: { live: { statsEvery: 1_000 } },
    before: async (app) => {
      await app.register(sse.default, { heartbeatInterval: 100 })
      app.get('/own', { sse: true }, async (_request, reply) => {
        await reply.sse.send({ data: 'own' })
      })
    }
  })
  const stream = await watch('', { accept: 'application/json' })
  await stream.untilText(/(event: stats[^]*){5}/)
  t.notMatch(stream.text(), 'heartbeat')
  t.match((await app.inject({ url: '/own', headers: { accept: 'text/event-stream' } })).body, 'data: "own"')
})

t.test('a page of an allowed origin reads the stream, and a page of another origin is refused', async (t) => {
  const { watch, origin } = await liveGateway(t, { api: { cors: { origins: [SITE] } } })
  const { headers, status } = (await watch('', { origin: SITE })).response
  t.equal(status, 200)
  t.equal(headers.get('access-control-allow-origin'), SITE)
  t.match(headers.get('vary'), /origin/i)
  const foreign = await watch('', { origin: 'https://evil.test' })
  t.equal(foreign.response.status, 403)
  t.equal(foreign.response.headers.get('access-control-allow-origin'), null)
  const preflight = await fetch(`${origin}/v1/admin/events/live`, {
    method: 'OPTIONS',
    headers: { origin: SITE, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }
  })
  t.equal(preflight.status, 204)
})

t.test('with memory stores of two apps in one process each live view shows only the events of its app', async (t) => {
  const [one, two] = [await liveGateway(t, { store: memoryStore() }), await liveGateway(t, { store: memoryStore() })]
  const [a, b] = [await one.source(), await two.source()]
  const [streamOfOne, streamOfTwo] = [await one.watch('?outcome=refused'), await two.watch('?outcome=refused')]
  await one.send(a, '/v1/t', { messageId: 'of-one' })
  await two.send(b, '/v1/t', { messageId: 'of-two' })
  await streamOfOne.until('refused')
  await streamOfTwo.until('refused')
  t.notMatch(streamOfOne.text(), 'of-two')
  t.notMatch(streamOfTwo.text(), 'of-one')
})
