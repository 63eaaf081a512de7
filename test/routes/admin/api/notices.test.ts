import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'
import type { Test } from 'tap'

import { anApiKey, aSource, aSourceKey } from '../../../../conformance/token-store/fixtures.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import eventSink from '../../../../plugins/event-sink/index.js'
import type { Notice } from '../../../../routes/admin/api/notices/collect.js'
import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { logReader } from '../../../helpers/log-reader.js'

const DAY = 86_400_000

async function setUp (t: Test, options: Parameters<typeof adminApp>[1] = {}) {
  const admin = await adminApp(t, {
    ...options,
    before: async (app, sink) => { await app.register(eventSink, { sink }) }
  })
  const { store, clock } = admin
  // Far from midnight, at which the periods of quotas end.
  clock.now = Math.ceil(clock.now / DAY) * DAY + DAY / 2
  const owner = await caller(admin)
  const addSource = (fields = {}) => store.sources.create(aSource({ orgId: 'default', ...fields }))
  const addEvents = (sourceId: string, events: number) =>
    admin.app.eventSink.write(Array.from({ length: events }, () =>
      anEvent({ orgId: 'default', sourceId, receivedAt: clock.now })))
  const notices = async () => (await owner.get('/notices')).json().data
  return { admin, store, clock, owner, addSource, addEvents, notices }
}

t.test('keys that stop working within 14 days are listed, the earliest first', async (t) => {
  const { store, clock, addSource, notices } = await setUp(t)
  const now = clock.now
  const { id } = await addSource()
  t.same(await notices(), [])
  const add = (name: string, expiresAt: number, fields = {}) =>
    store.sourceKeys.create('default', id, aSourceKey({ name, expiresAt, ...fields }))
  await add('Late', now + 14 * DAY + 1)
  await add('Over', now - 1)
  await add('Off', now + DAY, { enabled: false })
  await add('Soon', now + 14 * DAY)
  const { id: keyId } = await store.apiKeys.create(
    anApiKey({ orgId: 'default', name: 'CI', expiresAt: now + 2 * DAY })
  )
  await store.apiKeys.create(anApiKey({ orgId: 'default', expiresAt: now - 1 }))
  await store.apiKeys.create(anApiKey({ orgId: 'default' }))
  const next = { pipelineKey: `dk_live_${'n'.repeat(32)}`, overlapUntil: now + 5_000 }
  await store.sources.rotateKey('default', id, next)
  const time = (at: number) => new Date(at).toISOString()
  const pipeline = { type: 'key.expiring', resource_id: id, name: 'Shop', quota: null }
  t.same(await notices(), [
    { ...pipeline, subject: 'replaced_pipeline_key', key_name: null, ends_at: time(now + 5_000) },
    { ...pipeline, subject: 'api_key', resource_id: keyId, name: 'CI', key_name: null, ends_at: time(now + 2 * DAY) },
    { ...pipeline, subject: 'pipeline_key', key_name: 'Soon', ends_at: time(now + 14 * DAY) }
  ])
})

t.test('a quota is listed from 80 % on as a warning, and from 100 % on as exceeded', async (t) => {
  const { addSource, addEvents, notices } = await setUp(t)
  const { id } = await addSource({ dailyQuota: 10, monthlyQuota: 12 })
  const seen = async () =>
    (await notices()).map(({ type, quota }: { type: string, quota: object }) => ({ type, ...quota }))
  await addEvents(id, 7)
  t.same(await seen(), [])
  await addEvents(id, 1)
  t.same(await seen(), [{ type: 'quota.warning', period: 'day', limit: 10, used: 8 }])
  await addEvents(id, 2)
  t.same(await seen(), [{ type: 'quota.exceeded', period: 'day', limit: 10, used: 10 },
    { type: 'quota.warning', period: 'month', limit: 12, used: 10 }])
})

t.test('another organisation, and a role below admin, see no notices', async (t) => {
  const { admin, store, clock, addSource } = await setUp(t)
  const { id } = await addSource()
  await store.sourceKeys.create('default', id, aSourceKey({ expiresAt: clock.now + DAY }))
  const other = await caller(admin, 'owner', 'other')
  t.same((await other.get('/notices')).json(), { data: [] })
  const editor = await caller(admin, 'editor')
  t.equal((await editor.get('/notices')).statusCode, 403)
})

t.test('each notice is announced once by all instances, and again at the next step', async (t) => {
  const log = logReader()
  const seen: Notice[] = []
  const notices = { every: 1_000, onNotice: (notice: Notice) => { seen.push(notice) } }
  const { admin, store, clock, addSource, addEvents } = await setUp(t, {
    api: { notices },
    server: { logger: { level: 'warn', stream: log.stream } }
  })
  const second = await adminApp(t, {
    store,
    api: { notices, now: () => clock.now },
    server: { logger: { level: 'warn', stream: log.stream } },
    before: async (app) => {
      await app.register(eventSink, { sink: { ...admin.app.eventSink, close: async () => {} } })
    }
  })
  t.ok(second)
  const { id } = await addSource({ dailyQuota: 5 })
  const name = 'Blog'
  const expiresAt = clock.now + 10 * DAY
  await store.sourceKeys.create('default', id, aSourceKey({ name, expiresAt }))
  await addEvents(id, 4)
  await until(clock, () => seen.length >= 2)
  t.same(seen.map(({ type }) => type).sort(), ['key.expiring', 'quota.warning'])
  clock.now += 8 * DAY
  await until(clock, () => seen.length >= 3)
  const expected = { type: 'key.expiring', orgId: 'default', subject: 'pipeline_key', keyName: name, endsAt: expiresAt }
  t.match(seen[2], expected)
  await addEvents(id, 5)
  await until(clock, () => seen.length >= 4)
  const searchedUntil = Date.now() + 2_500
  await until(clock, () => Date.now() > searchedUntil)
  t.equal(seen.length, 4, 'no notice is announced again')
  t.equal(seen[3]?.type, 'quota.exceeded')
  const warnings = log.lines().filter(({ notice }) => notice !== undefined)
  t.same(warnings.map(({ notice }) => notice).sort(), ['key.expiring', 'key.expiring', 'quota.exceeded',
    'quota.warning'])
  const audited = (await store.audit.list('default', {}, { limit: 100 })).data.map(({ action }) => action)
    .filter((action) => action.startsWith('notice.'))
  t.same(audited.sort(), ['notice.key_expiring', 'notice.key_expiring', 'notice.quota_exceeded',
    'notice.quota_warning'])
})

t.test('an organisation whose notices cannot be read does not keep the others from theirs', async (t) => {
  const log = logReader()
  const seen: string[] = []
  const { store, clock } = await adminApp(t, {
    api: { notices: { every: 1_000, onNotice: ({ orgId }: Notice) => { seen.push(orgId) } } },
    server: { logger: { level: 'warn', stream: log.stream } },
    before: async (app, sink) => {
      const { counts } = sink
      if (counts === undefined) throw new Error('the sink has no counts')
      const totals: typeof counts.totals = async (orgId, ...rest) => {
        if (orgId.startsWith('broken')) throw new Error('damaged row')
        return await counts.totals(orgId, ...rest)
      }
      await app.register(eventSink, { sink: { ...sink, counts: { ...counts, totals } } })
    }
  })
  for (const id of ['broken-1', 'whole', 'broken-2']) {
    await store.organisations.create({ id, name: id })
    const { id: sourceId } = await store.sources.create(aSource({ orgId: id, dailyQuota: 5 }))
    await store.sourceKeys.create(id, sourceId, aSourceKey({ expiresAt: clock.now + DAY }))
  }
  await until(clock, () => seen.length > 0 && log.lines().some(({ msg }) => String(msg).includes('could not be read')))
  t.same(seen, ['whole'])
})

t.test('invalid options of notices stop the start', async (t) => {
  for (const notices of [null, true, { every: 0 }, { every: 1.5 }, { onNotice: 'mail' }, { unknown: 1 }]) {
    await t.rejects(adminApp(t, { api: { notices: notices as never } }), { code: 'INVALID_OPTIONS' })
  }
})

async function until (clock: { now: number }, isDone: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!isDone()) {
    if (Date.now() > deadline) throw new Error('not announced')
    clock.now += 1_000
    await sleep(20)
  }
}
