import t from 'tap'
import type { Test } from 'tap'

import eventSink, { memorySink } from '../../../../plugins/event-sink/index.js'
import type { AcceptedEvent, EventSink } from '../../../../contracts/event-sink.js'
import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'

const BASE = Date.UTC(2026, 0, 1)

function event (n: number, more: Partial<AcceptedEvent> = {}): AcceptedEvent {
  return {
    orgId: 'default',
    sourceId: 's1',
    messageId: `m${n}`,
    type: 'track',
    authMethod: 'key',
    receivedAt: BASE + n * 1000,
    timestamp: BASE,
    ip: '203.0.113.9',
    userAgent: 'Browser',
    payload: `{"type":"track","event":"e${n}","properties":{"odd":"\\u0000\\ud800","deep":{"a":[1,null]}}}`,
    additions: '{"timestamp":"2026-01-01T00:00:00.000Z"}',
    ...more
  }
}

async function withSink (t: Test, sink?: EventSink) {
  const admin = await adminApp(t, {
    before: async (app, own) => {
      await app.register(eventSink, { sink: sink ?? own })
    }
  })
  return { admin, sink: admin.app.eventSink }
}

t.test('stored events are listed newest first, as they were sent, with the members that the server adds', async (t) => {
  const { admin, sink } = await withSink(t)
  const viewer = await caller(admin, 'viewer')
  await sink.write([event(1), event(2, { type: 'page', sourceId: 's2', authMethod: 'signature' }), event(3),
    event(9, { orgId: 'other' })])
  const { data, ...page } = (await viewer.get('/events')).json()
  t.same(page, { next_cursor: null, has_more: false })
  t.same(
    data.map(({ messageId }: { messageId: string }) => messageId),
    ['m3', 'm2', 'm1'],
    'no event of another organisation'
  )
  t.same(data[2], {
    id: 'evt_AAABm3baq-h9tkESElbPn4cO',
    type: 'track',
    event: 'e1',
    properties: { odd: '\u0000\ud800', deep: { a: [1, null] } },
    timestamp: '2026-01-01T00:00:00.000Z',
    messageId: 'm1',
    receivedAt: '2026-01-01T00:00:01.000Z',
    sourceId: 's1',
    authMethod: 'key',
    ip: '203.0.113.9',
    userAgent: 'Browser'
  })
})

t.test('events are filtered by source, type and period, and paged', async (t) => {
  const { admin, sink } = await withSink(t)
  const viewer = await caller(admin, 'viewer')
  await sink.write(
    Array.from({ length: 6 }, (_, n) =>
      event(n, { sourceId: n % 2 ? 'test-source' : 's1', type: n < 3 ? 'track' : 'page' }))
  )
  const ids = async (query: string) =>
    (await viewer.get(`/events?${query}`)).json().data.map(({ messageId }: { messageId: string }) => messageId)
  t.same(await ids('source_id=s1'), ['m4', 'm2', 'm0'], 'only events of the given source')
  t.same(await ids('type=page'), ['m5', 'm4', 'm3'])
  t.same(await ids('from=2026-01-01T00:00:04Z'), ['m5', 'm4'])
  t.same(await ids('to=2026-01-01T00:00:01.000Z'), ['m1', 'm0'])
  t.same(await ids('from=2026-01-01T01:00:01%2B01:00&to=2026-01-01T00:00:03Z&type=track'), ['m2', 'm1'])
  const first = (await viewer.get('/events?limit=4')).json()
  t.equal(first.has_more, true)
  t.same(await ids(`limit=4&cursor=${first.next_cursor}`), ['m1', 'm0'])
  for (
    const query of [
      'type=click',
      'from=yesterday',
      'from=2026-13-01T00:00:00Z',
      'from=2026-06-30T23:59:60Z',
      'to=',
      'limit=500',
      'source_id=',
      'source_id=a%00b',
      'cursor=%00',
      'org_id=other'
    ]
  ) {
    const reply = await viewer.get(`/events?${query}`)
    t.equal(reply.statusCode, 400, query)
    t.equal(reply.json().error.code, 'INVALID_REQUEST', query)
  }
})

t.test('the list of events is 404 with a reason if the sink does not list events or no sink is ' +
  'registered', async (t) => {
  const { list: _list, ...broker } = memorySink()
  for (const admin of [(await withSink(t, broker)).admin, await adminApp(t)]) {
    const reply = await (await caller(admin)).get('/events')
    t.equal(reply.statusCode, 404)
    t.match(reply.json().error, { code: 'NOT_FOUND', message: /does not (?:store|accept) events/ })
  }
})

t.test('the audit log contains logins, failed logins and each change of a source, with user, time and ' +
  'address', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  await admin.post('login', { email: 'owner@default.example.com', password: 'wrong' })
  const { id } = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  await owner.send('PATCH', `/sources/${id}`, { name: 'Shop 2' })
  await owner.send('POST', `/sources/${id}/rotate-key`)
  await owner.send('POST', `/sources/${id}/rotate-secret`)
  await owner.send('DELETE', `/sources/${id}`)
  await admin.audited('source.deleted')
  const { data } = (await owner.get('/audit-logs')).json()
  t.same(data.map(({ action }: { action: string }) => action), [
    'source.deleted',
    'source.secret_rotated',
    'source.key_rotated',
    'source.updated',
    'source.created',
    'auth.login_failed',
    'auth.login'
  ])
  t.match(data[3], {
    id: String,
    user_id: owner.userId,
    user_email: 'owner@default.example.com',
    resource_type: 'source',
    resource_id: id,
    changes: { name: { from: 'Shop', to: 'Shop 2' } },
    ip_address: '127.0.0.1',
    user_agent: /lightMyRequest/,
    timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
  })
  t.same(Object.keys(data[0]), ['id', 'action', 'user_id', 'user_email', 'resource_type', 'resource_id', 'changes',
    'ip_address', 'user_agent', 'timestamp'])
  t.match(data[5], { user_id: owner.userId, user_email: 'owner@default.example.com' })
})

t.test('audit entries are filtered and paged, and no request writes, changes or deletes an entry', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  const ids: string[] = []
  for (let i = 0; i < 3; i++) {
    ids.push((await owner.send('POST', '/sources', { name: `s${i}` })).json().id)
    admin.clock.now += 60_000
  }
  await admin.audited('source.created', 'default', 3)
  const actions = async (query: string) =>
    (await owner.get(`/audit-logs?${query}`)).json().data.map(({ resource_id }: { resource_id: string }) =>
      ids.indexOf(resource_id)
    )
  t.same(await actions('action=source.created'), [2, 1, 0])
  t.same(await actions(`resource_type=source&resource_id=${ids[1]}`), [1])
  t.same(await actions(`user_id=${owner.userId}&action=source.created`), [2, 1, 0])
  t.same(await actions('user_id=nobody'), [])
  const middle = new Date(admin.clock.now - 100_000).toISOString()
  t.same(await actions(`from=${middle}`), [2])
  t.same(await actions(`action=source.created&to=${middle}`), [1, 0])
  const first = (await owner.get('/audit-logs?action=source.created&limit=2')).json()
  t.equal(first.has_more, true)
  t.same(await actions(`action=source.created&limit=2&cursor=${first.next_cursor}`), [0])
  for (
    const query of ['action=%00', "action=a'b", 'from=x', 'limit=0', 'user_id=', 'org_id=other', 'resource_id=a%00b']
  ) {
    t.equal((await owner.get(`/audit-logs?${query}`)).statusCode, 400, query)
  }
  for (const method of ['POST', 'PATCH', 'DELETE', 'PUT'] as const) {
    t.equal((await owner.send(method, '/audit-logs')).statusCode, 404)
  }
})
