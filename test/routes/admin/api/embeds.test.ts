import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import { refuseRevoked } from '../../../../plugins/embed-revocation.js'
import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'

const MINUTE = 60_000
const YEAR = 365.25 * 86_400_000

const iso = (time: number) => new Date(time).toISOString()

async function withOwner (t: Test) {
  const admin = await adminApp(t)
  return { ...admin, owner: await caller(admin), now: admin.clock.now }
}

t.test('revoking a user, tenant or dashboard immediately refuses everything that was issued before', async (t) => {
  const { app, clock, owner, now } = await withOwner(t)
  const cases = [
    ['user', { user_id: 'ann' }, { user: 'ann' }],
    ['tenant', { tenant_id: 'acme' }, { tenant: 'acme' }],
    ['dashboard', { dashboard_id: 'Sales/Year over year' }, { dashboards: ['Sales/Year over year'] }]
  ] as const
  for (const [kind, body, subjects] of cases) {
    clock.now = now
    await refuseRevoked(app, subjects, now - 1)
    const reply = await owner.send('POST', '/embeds/revoke', body)
    t.equal(reply.statusCode, 200)
    t.equal(reply.headers['cache-control'], 'no-store')
    const { id, ...revocation } = reply.json()
    t.type(id, 'string')
    t.same(revocation, {
      kind,
      subject: String(Object.values(body)[0]).toLowerCase(),
      before: iso(now),
      created_at: iso(now),
      created_by: owner.userId
    })
    await t.rejects(async () => await refuseRevoked(app, subjects, now - 1), { code: 'FORBIDDEN' })
    await t.resolves(async () => await refuseRevoked(app, subjects, now), 'a later issue is valid')

    clock.now = now + MINUTE
    const block = await owner.send('POST', '/embeds/revoke', { ...body, before: iso(now + 5 * MINUTE) })
    t.match(block.json(), { id, before: iso(now + 5 * MINUTE), created_at: iso(now + MINUTE) }, 'the same entry, later')
    await t.rejects(
      async () => await refuseRevoked(app, subjects, now + MINUTE),
      { code: 'FORBIDDEN' },
      'refused until then'
    )
    const lower = await owner.send('POST', '/embeds/revoke', body)
    t.same(lower.json(), block.json(), 'the time is not lowered')
  }
})

t.test('revoking a user or a tenant deletes the guest tokens of only that client', async (t) => {
  const { store: { guestTokens }, owner, now } = await withOwner(t)
  const entry = { token: randomUUID(), mintedAt: now - 1, expiresAt: now + MINUTE }
  for (const clientId of ['ann', 'acme', 'bob']) await guestTokens.set(`key of ${clientId}`, { ...entry, clientId })
  await owner.send('POST', '/embeds/revoke', { dashboard_id: 'ann' })
  t.not(await guestTokens.get('key of ann'), null, 'a dashboard id is not a client id')
  await owner.send('POST', '/embeds/revoke', { user_id: 'ann' })
  await owner.send('POST', '/embeds/revoke', { tenant_id: 'acme' })
  t.equal(await guestTokens.get('key of ann'), null)
  t.equal(await guestTokens.get('key of acme'), null)
  t.not(await guestTokens.get('key of bob'), null)
})

t.test('a lifted revocation has no effect, and lifting an unknown revocation is 404', async (t) => {
  const { app, owner, now } = await withOwner(t)
  const { id } = (await owner.send('POST', '/embeds/revoke', { user_id: 'ann' })).json()
  const lifted = await owner.send('DELETE', `/embeds/revocations/${id}`)
  t.equal(lifted.statusCode, 204)
  t.equal(lifted.body, '')
  await t.resolves(async () => await refuseRevoked(app, { user: 'ann' }, now - 1))
  for (const gone of [id, randomUUID(), 'x', encodeURIComponent('a\u0000b'), 'x'.repeat(99)]) {
    const reply = await owner.send('DELETE', `/embeds/revocations/${gone}`)
    t.equal(reply.statusCode, 404, gone)
    t.equal(reply.json().error.code, 'NOT_FOUND')
  }
})

t.test('revocations are listed newest first, filtered by kind and subject, and paged', async (t) => {
  const { clock, owner } = await withOwner(t)
  for (const body of [{ user_id: 'a' }, { user_id: 'b' }, { tenant_id: 'a' }, { dashboard_id: 'a' }]) {
    clock.now += 1_000
    await owner.send('POST', '/embeds/revoke', body)
  }
  const listed = async (query: string) =>
    (await owner.get(`/embeds/revocations?${query}`)).json().data
      .map(({ kind, subject }: { kind: string, subject: string }) => `${kind} ${subject}`)
  t.same(await listed(''), ['dashboard a', 'tenant a', 'user b', 'user a'])
  t.same(await listed('kind=user'), ['user b', 'user a'])
  t.same(await listed('subject=a&kind=tenant'), ['tenant a'])
  t.same(await listed('subject=A&kind=tenant'), [])
  t.same(await listed('subject=A&kind=dashboard'), ['dashboard a'])
  t.same(await listed('subject=c'), [])
  const first = (await owner.get('/embeds/revocations?limit=3')).json()
  t.equal(first.has_more, true)
  t.same(Object.keys(first.data[0]), ['id', 'kind', 'subject', 'before', 'created_at', 'created_by'])
  t.same(await listed(`limit=3&cursor=${first.next_cursor}`), ['user a'])
})

t.test('each spelling of a dashboard revokes all its spellings, under one normalised entry', async (t) => {
  const { app, owner, now } = await withOwner(t)
  const guid = 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff'
  const compact = guid.replaceAll('-', '')
  const cases = [
    [guid, [guid, compact, compact.toUpperCase(), `{${guid}}`, `(${guid})`, ` ${guid}`]],
    ['sales/overview', ['/Sales/Overview/', 'Sales//Overview', 'sales/overview', ' /Sales / Overview']]
  ] as const
  for (const [subject, spellings] of cases) {
    for (const dashboard_id of spellings) {
      const revoked = (await owner.send('POST', '/embeds/revoke', { dashboard_id })).json()
      t.equal(revoked.subject, subject, dashboard_id)
      for (const named of spellings) {
        await t.rejects(
          async () => await refuseRevoked(app, { dashboards: [named] }, now - 1),
          { code: 'FORBIDDEN' },
          named
        )
      }
      t.equal(
        (await owner.send('POST', '/embeds/revoke', { dashboard_id: subject })).json().id,
        revoked.id,
        'the same entry'
      )
      await owner.send('DELETE', `/embeds/revocations/${revoked.id}`)
    }
  }
})

t.test('a dashboard id that no embed can contain is 400 and revokes nothing', async (t) => {
  const { owner } = await withOwner(t)
  for (
    const dashboard_id of ['/', ' // ', '\u200b', 'sales\u200b', '\ufeffsales', 'sal\u00ades', 'a\u0001',
      'İ'.repeat(256)]
  ) {
    const reply = await owner.send('POST', '/embeds/revoke', { dashboard_id })
    t.equal(reply.statusCode, 400, JSON.stringify(dashboard_id))
    t.equal(reply.json().error.code, 'INVALID_REQUEST')
  }
  t.same((await owner.get('/embeds/revocations')).json().data, [])
})

t.test('a list filtered by subject finds a dashboard in any spelling, and users and tenants with the exact name, in ' +
  'pages of any size', async (t) => {
  const { clock, owner } = await withOwner(t)
  for (
    const body of [{ user_id: 'Sales' }, { dashboard_id: '/Sales/' }, { user_id: 'sales' }, { tenant_id: 'Sales' }, {
      dashboard_id: 'other'
    }]
  ) {
    clock.now += 1_000
    await owner.send('POST', '/embeds/revoke', body)
  }
  const page = async (query: string) => {
    const { data, next_cursor: next } = (await owner.get(`/embeds/revocations?${query}`)).json()
    return { next, found: data.map(({ kind, subject }: { kind: string, subject: string }) => `${kind} ${subject}`) }
  }
  const all = ['tenant Sales', 'dashboard sales', 'user Sales']
  t.same(await page('subject=Sales'), { found: all, next: null })
  t.same((await page('subject=sales')).found, ['user sales', 'dashboard sales'])
  t.same((await page('subject=/SALES')).found, ['dashboard sales'])
  t.same((await page('kind=dashboard&subject=%20Sales/')).found, ['dashboard sales'])
  t.same((await page('kind=user&subject=Sales')).found, ['user Sales'])
  for (const limit of [1, 2, 3]) {
    const read: string[] = []
    for (let cursor = ''; ;) {
      const { found, next } = await page(`subject=Sales&limit=${limit}${cursor}`)
      t.ok(found.length <= limit)
      read.push(...found)
      if (next === null) break
      cursor = `&cursor=${next}`
    }
    t.same(read, all)
  }
  for (const cursor of ['0', '10', 'x', '-1']) {
    t.equal((await owner.get(`/embeds/revocations?subject=Sales&cursor=${cursor}`)).statusCode, 400, cursor)
  }
})

t.test('the audit log contains each revocation and each lift with its user', async (t) => {
  const { owner, now, ...admin } = await withOwner(t)
  const { id } = (await owner.send('POST', '/embeds/revoke', { tenant_id: 'acme', before: iso(now + MINUTE) })).json()
  await owner.send('DELETE', `/embeds/revocations/${id}`)
  const [lifted, revoked] = await admin.audited('embed.revocation_lifted')
  const expected = {
    orgId: 'default',
    userId: owner.userId,
    userEmail: 'owner@default.example.com',
    resourceType: 'revocation',
    resourceId: id,
    changes: { kind: 'tenant', subject: 'acme', before: iso(now + MINUTE) },
    ipAddress: '127.0.0.1'
  }
  t.match(revoked, { action: 'embed.revoked', ...expected })
  t.match(lifted, { action: 'embed.revocation_lifted', ...expected })
})

t.test('an invalid body is 400 with the path of the error, an invalid query is 400, and both revoke ' +
  'nothing', async (t) => {
  const { owner, now } = await withOwner(t)
  const bodies: Array<[unknown, string]> = [
    [{}, ''],
    [{ before: iso(now) }, ''],
    [{ user_id: 'a', tenant_id: 'a' }, ''],
    [{ user_id: 'a', tenant_id: 'a', dashboard_id: 'a' }, ''],
    [{ user_id: '' }, '/user_id'],
    [{ user_id: 5 }, '/user_id'],
    [{ user_id: null, tenant_id: 'a' }, '/user_id'],
    [{ user_id: ['a'] }, '/user_id'],
    [{ dashboard_id: 'x'.repeat(257) }, '/dashboard_id'],
    [{ tenant_id: 'a\u0000b' }, '/tenant_id'],
    [{ tenant_id: '\ud800' }, '/tenant_id'],
    [{ user_id: 'a', org_id: 'other' }, ''],
    [{ user_id: 'a', before: 'tomorrow' }, '/before'],
    [{ user_id: 'a', before: now }, '/before'],
    [{ user_id: 'a', before: null }, '/before'],
    [{ user_id: 'a', before: '2026-02-30T00:00:00Z' }, '/before'],
    [{ user_id: 'a', before: '2016-12-31T23:59:60Z' }, '/before'],
    [{ user_id: 'a', before: '1970-01-01T00:00:00Z' }, '/before'],
    [{ user_id: 'a', before: '0000-01-01T00:00:00Z' }, '/before'],
    [{ user_id: 'a', before: iso(now + 10 * YEAR + 1) }, '/before']
  ]
  for (const [body, path] of bodies) {
    const reply = await owner.send('POST', '/embeds/revoke', body)
    const title = JSON.stringify(body)
    t.equal(reply.statusCode, 400, title)
    t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path }] }, title)
  }
  for (const query of ['kind=team', 'subject=', 'subject=a%00', 'limit=0', 'limit=101', 'cursor=%00', 'org_id=other']) {
    const reply = await owner.get(`/embeds/revocations?${query}`)
    t.equal(reply.statusCode, 400, query)
    t.equal(reply.json().error.code, 'INVALID_REQUEST', query)
  }
  t.same((await owner.get('/embeds/revocations')).json(), { data: [], next_cursor: null, has_more: false })
  t.equal(
    (await owner.send('POST', '/embeds/revoke', { user_id: 'a', before: iso(now + 10 * YEAR) })).statusCode,
    200,
    'the latest time that is allowed'
  )
})
