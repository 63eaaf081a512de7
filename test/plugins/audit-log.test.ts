import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import auditLog from '../../plugins/audit-log/index.js'
import type { AuditRecord } from '../../plugins/audit-log/index.js'
import { UNAVAILABLE } from '../../lib/errors.js'
import tokenStore, { memoryStore } from '../../plugins/token-store/index.js'
import type { AuditEntry, TokenStore } from '../../contracts/token-store/index.js'
import { backend } from '../helpers/backend.js'
import { logReader } from '../helpers/log-reader.js'

async function audited (t: Test, given?: TokenStore) {
  const store = given ?? (await backend(t)).store
  const log = logReader()
  const clock = { now: 1_800_000_000_000 }
  const app = Fastify({ logger: { level: 'info', stream: log.stream } })
  t.teardown(() => app.close())
  await app.register(tokenStore, { store, sweepEvery: 0 })
  await app.register(auditLog, { orgId: 'acme', now: () => clock.now })
  /** Closes the app, which flushes, and reads the stored entries. */
  const entries = async (orgId = 'acme'): Promise<AuditEntry[]> => {
    await app.close()
    return (await store.audit.list(orgId, {}, { limit: 100 })).data
  }
  return { app, log, clock, entries }
}

t.test('an entry contains the user, the action, the time and the address', async (t) => {
  const { app, clock, entries } = await audited(t)
  app.get('/', async (request) => {
    app.audit({
      action: 'report.exported',
      request,
      userId: 'u1',
      userEmail: 'ann@example.com',
      resourceType: 'report',
      resourceId: 'r1',
      changes: { rows: 5 }
    })
    return 'ok'
  })
  await app.inject({ url: '/', headers: { 'user-agent': 'x'.repeat(600) } })
  const [entry, ...more] = await entries()
  t.same(more, [])
  t.same({ ...entry, id: '' }, {
    id: '',
    orgId: 'acme',
    action: 'report.exported',
    userId: 'u1',
    userEmail: 'ann@example.com',
    resourceType: 'report',
    resourceId: 'r1',
    changes: { rows: 5 },
    ipAddress: '127.0.0.1',
    userAgent: 'x'.repeat(512),
    timestamp: clock.now
  })
  t.match(entry?.id, /^[0-9a-f-]{36}$/)
})

t.test('each entry is also logged, without the email', async (t) => {
  const { app, log } = await audited(t)
  app.audit({ action: 'source.created', userId: 'u1', userEmail: 'ann@example.com', resourceId: 's1' })
  t.match(log.lines().filter(({ msg }) => msg === 'audit'), [{
    audit: { action: 'source.created', userId: 'u1', resourceId: 's1', orgId: 'acme' }
  }])
  t.notOk(log.text().includes('ann@example.com'))
})

t.test("entries keep their order, and organisations do not see each other's entries", async (t) => {
  const { app, entries } = await audited(t)
  for (let i = 0; i < 50; i++) app.audit({ action: 'a.b', resourceId: String(i) })
  app.audit({ action: 'a.c', orgId: 'other' })
  t.same((await entries()).map(({ resourceId }) => Number(resourceId)), Array.from({ length: 50 }, (_, i) => 49 - i))
})

t.test('repeats of one refusal within a minute become one entry with a count; other records ' +
  'are separate entries', async (t) => {
  const { app, clock, entries } = await audited(t)
  const refusal = { action: 'embed.refused', userId: 'u1', refusal: true }
  for (let i = 0; i < 40; i++) app.audit(refusal)
  app.audit({ ...refusal, userId: 'u2' })
  app.audit({ ...refusal, action: 'widget_token.refused' })
  clock.now += 59_999
  app.audit(refusal)
  clock.now += 1
  app.audit(refusal)
  app.audit(refusal)
  for (let i = 0; i < 3; i++) app.audit({ action: 'embed.authorized', userId: 'u1' })
  const all = await entries()
  const counted = all.filter(({ action, userId }) => action === 'embed.refused' && userId === 'u1').map(({ changes }) =>
    changes?.['repeats']
  )
  t.same(counted, [1, 40])
  t.equal(all.filter(({ action }) => action.endsWith('.refused')).length, 4)
  t.equal(all.filter(({ action }) => action === 'embed.authorized').length, 3)
})

t.test('repeats of one repeatable decision within a minute become one entry with a count; another resource, ' +
  'another detail or another user is a separate entry', async (t) => {
  const { app, clock, entries } = await audited(t)
  const delivery = { action: 'token.minted', userId: 'u1', resourceId: 'r1', changes: { cached: true }, repeatable: true }
  for (let i = 0; i < 40; i++) app.audit(delivery)
  app.audit({ ...delivery, resourceId: 'r2' })
  app.audit({ ...delivery, changes: { cached: true, proxyKey: 'k2' } })
  app.audit({ ...delivery, userId: 'u2' })
  app.audit({ ...delivery, repeatable: false })
  clock.now += 60_000
  app.audit(delivery)
  const all = await entries()
  t.equal(all.length, 6)
  t.same(all.flatMap(({ changes }) => changes?.['repeats'] ?? []), [39])
})

t.test('repeats of decisions that differ in one detail are counted separately, objects included', async (t) => {
  const { app, entries } = await audited(t)
  const delivery = { action: 'token.minted', userId: 'u1', resourceId: 'r1', repeatable: true }
  const details = [{ key: 'k1' }, { key: 'k2' }, { key: 'k1', more: true }, {}, { scope: { rows: 1 } },
    { scope: { rows: 2 } }]
  for (let i = 0; i < 3; i++) {
    for (const changes of details) app.audit({ ...delivery, changes: structuredClone(changes) })
  }
  const all = await entries()
  t.same(all.map(({ changes }) => changes?.['repeats']), details.map(() => 2))
})

t.test('users and resources whose names contain separators have separate entries', async (t) => {
  const { app, entries } = await audited(t)
  for (const [userId, resourceId] of [['a1:b', 'c'], ['a', '1:bc'], ['a', '-1:b']] as const) {
    app.audit({ action: 'token.minted', userId, resourceId, repeatable: true })
  }
  t.equal((await entries()).length, 3)
})

t.test('repeats of a repeatable decision whose details cannot be serialised are counted too', async (t) => {
  const { app, entries } = await audited(t)
  const delivery = { action: 'token.minted', userId: 'u1', changes: { big: 1n }, repeatable: true }
  for (let i = 0; i < 3; i++) app.audit(delivery)
  app.audit({ ...delivery, userId: 'u2' })
  const all = await entries()
  t.same(all.map(({ userId, changes }) => [userId, changes]), [['u2', { unreadable: true }], ['u1', {
    unreadable: true,
    repeats: 2
  }]])
})

t.test('the memory for refusals of many subjects is bounded', async (t) => {
  const { app, entries } = await audited(t)
  for (let i = 0; i < 3; i++) app.audit({ action: 'a.refused', userId: 'first', refusal: true })
  for (let i = 0; i < 10_000; i++) {
    app.audit({ action: 'a.refused', userId: `u${i}`, refusal: true })
    if (i % 1000 === 0) await new Promise(setImmediate)
  }
  app.audit({ action: 'a.refused', userId: 'first', refusal: true })
  const all = await entries()
  t.same(all[0]?.userId, 'first', 'its window was dropped, so the refusal is a new entry')
})

t.test('changes that cannot be serialised do not lose the entry, and later changes of the object ' +
  'are not stored', async (t) => {
  const { app, entries } = await audited(t)
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const changes = { rows: [5] }
  app.audit({ action: 'a.first', changes })
  changes.rows.push(6)
  const flat = { text: 'before', number: 1, no: false, nothing: null }
  app.audit({ action: 'a.flat', changes: flat })
  flat.text = 'after'
  app.audit({
    action: 'a.converted',
    changes: { gone: undefined, number: NaN, at: new Date(0), by: { toJSON: () => 'x' } }
  })
  for (
    const odd of [circular, { big: 1n }, {
      toJSON () {
        throw new Error('no')
      }
    }, {
      get no () {
        throw new Error('no')
      }
    }]
  ) app.audit({ action: 'a.odd', changes: odd })
  app.audit({ action: 'a.method', changes: { call () {}, rows: 5 } })
  app.audit({ action: 'a.none', changes: null } as unknown as AuditRecord)
  const all = await entries()
  t.same(all.map(({ action }) => action), ['a.none', 'a.method', 'a.odd', 'a.odd', 'a.odd', 'a.odd', 'a.converted',
    'a.flat', 'a.first'])
  t.strictSame(all.at(-1)?.changes, { rows: [5] })
  t.strictSame(all.at(-2)?.changes, { text: 'before', number: 1, no: false, nothing: null })
  t.strictSame(all.at(-3)?.changes, { number: null, at: '1970-01-01T00:00:00.000Z', by: 'x' })
  t.strictSame(all[1]?.changes, { rows: 5 })
  t.equal(all[0]?.changes, null)
})

t.test('entries that the store fails to append are logged, and audit() does not throw', async (t) => {
  const store = memoryStore()
  store.audit.append = async () => {
    throw new UNAVAILABLE()
  }
  const { app, log, entries } = await audited(t, store)
  app.audit({ action: 'a.b', userId: 'u1' })
  t.same(await entries(), [])
  t.match(log.lines().find(({ msg }) => msg === 'audit entries not stored'), { actions: ['a.b'] })
})

t.test('entries for which there is no room are counted in one line', async (t) => {
  const store = memoryStore()
  const { app, log } = await audited(t, { ...store, audit: { ...store.audit, append: async () => {} } })
  for (let i = 0; i < 10_003; i++) app.audit({ action: i % 2 === 0 ? 'a.b' : 'a.c' })
  await app.close()
  const lines = log.lines().filter(({ msg }) => msg === 'audit entries not stored')
  t.match(lines, [{ entries: 3, actions: ['a.b', 'a.c'], level: 50 }])
})

t.test('a route with config.gatehouse.audit records each request and counts repeated refusals', async (t) => {
  const { app, entries } = await audited(t)
  app.get<{ Querystring: { status: string } }>(
    '/',
    { config: { gatehouse: { audit: 'report.read' } } },
    async ({ query }, reply) => {
      return reply.code(Number(query.status)).send('')
    }
  )
  for (const status of [200, 200, 403, 403, 403]) await app.inject(`/?status=${status}`)
  t.same((await entries()).map(({ action, changes }) => [action, changes?.['status'], changes?.['repeats'] ?? 0]), [
    ['report.read', 403, 2],
    ['report.read', 200, 0],
    ['report.read', 200, 0]
  ])
})

t.test('an invalid action, a wrong option or a missing store stops the start', async (t) => {
  const { app } = await audited(t)
  app.get('/', { config: { gatehouse: { audit: 'no action' } } }, async () => '')
  await t.rejects(async () => app.ready(), { code: 'INVALID_OPTIONS', message: /audit/ })
  const bare = Fastify()
  t.teardown(() => bare.close())
  await t.rejects(async () => bare.register(auditLog), /tokenStore|token store/)
  const wrong = Fastify()
  t.teardown(() => wrong.close())
  await wrong.register(tokenStore, { sweepEvery: 0 })
  await t.rejects(async () => wrong.register(auditLog, { orgId: '' }), { code: 'INVALID_OPTIONS' })
})
