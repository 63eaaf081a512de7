import { randomUUID } from 'node:crypto'

import t from 'tap'

import { refuseRevoked } from '../../../../plugins/embed-revocation.js'
import { ROLES } from '../../../../contracts/token-store/index.js'
import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import type { Caller } from '../../../helpers/admin-caller.js'

/** Every route of embeds, a valid body, and the lowest role that can call it. */
const ROUTES = [
  ['POST', '/embeds/revoke', { user_id: 'ann' }, 'admin'],
  ['GET', '/embeds/revocations', undefined, 'viewer'],
  ['DELETE', '/embeds/revocations/:id', undefined, 'admin'],
  ['GET', '/embeds', undefined, 'viewer']
] as const

const revoked = async (who: Caller, body: object) => (await who.send('POST', '/embeds/revoke', body)).json()

t.test('the table of roles contains every route of embeds', async (t) => {
  const routes: string[] = []
  await adminApp(t, {
    before: async (app) => {
      app.addHook('onRoute', ({ method, url }) => {
        if (url.startsWith('/v1/admin/embeds') && method !== 'HEAD') {
          routes.push(`${String(method)} ${url.replace('/v1/admin', '')}`)
        }
      })
    }
  })
  t.same(routes.sort(), ROUTES.map(([method, path]) => `${method} ${path}`).sort())
})

t.test('viewers read embeds, admins also revoke and lift, and a refused request changes nothing', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin, 'owner')
  const state = async () => (await owner.get('/embeds/revocations')).body
  for (const role of ROLES) {
    const user = role === 'owner' ? owner : await caller(admin, role)
    for (const [method, path, body, least] of ROUTES) {
      const { id } = await revoked(owner, { tenant_id: 'acme' })
      const before = await state()
      const reply = await user.send(method, path.replace(':id', id), body)
      const may = ROLES.indexOf(role) <= ROLES.indexOf(least)
      t.equal(reply.statusCode < 300, may, `${role}: ${method} ${path} is ${reply.statusCode}`)
      t.equal(reply.headers['cache-control'], 'no-store')
      if (may) continue
      t.equal(reply.json().error.code, 'FORBIDDEN')
      t.equal(await state(), before)
    }
  }
  for (const [method, path, body] of ROUTES) {
    const reply = await admin.app.inject({
      method,
      url: `/v1/admin${path}`,
      ...body === undefined ? {} : { payload: body }
    })
    t.equal(reply.statusCode, 401, `without a token: ${method} ${path}`)
    t.equal(reply.json().error.code, 'UNAUTHORIZED')
  }
})

t.test('an organisation reads, sets and lifts only its own revocations, and reads only its own ' +
  'decisions', async (t) => {
  const admin = await adminApp(t)
  const [a, b] = [await caller(admin, 'owner', 'org-a'), await caller(admin, 'owner', 'default')]
  for (const [mine, theirs, org] of [[a, b, 'default'], [b, a, 'org-a']] as const) {
    const { id } = await revoked(theirs, { user_id: `of ${org}` })
    const secret = randomUUID()
    admin.app.audit({ action: 'guest_token.refused', orgId: org, userId: secret, resourceId: secret })
    await admin.audited('guest_token.refused', org)
    t.notMatch((await mine.get('/embeds/revocations')).body, id)
    t.notMatch((await mine.get(`/embeds/revocations?subject=of%20${org}`)).body, id)
    t.notMatch((await mine.get('/embeds')).body, secret)
    t.notMatch((await mine.get(`/embeds?user_id=${secret}`)).body, secret)
    t.equal((await mine.send('DELETE', `/embeds/revocations/${id}`)).statusCode, 404)
    const own = await revoked(mine, { user_id: `of ${org}` })
    t.not(own.id, id, 'a revocation of the same subject is another entry')
    t.match((await theirs.get('/embeds/revocations')).body, id)
    t.match((await theirs.get('/embeds')).body, secret)
  }
  await revoked(a, { user_id: 'ann' })
  await t.resolves(
    async () => await refuseRevoked(admin.app, { user: 'ann' }, 0),
    'the embeds of the app belong to another organisation'
  )
  await revoked(b, { user_id: 'ann' })
  await t.rejects(async () => await refuseRevoked(admin.app, { user: 'ann' }, 0), { code: 'FORBIDDEN' })
})

t.test('roles below admin read and search revocations of tenants and dashboards, but not the names of ' +
  'users', async (t) => {
  const admin = await adminApp(t)
  const owner = await caller(admin)
  for (const body of [{ user_id: 'ann' }, { tenant_id: 'acme' }, { dashboard_id: 'sales' }]) await revoked(owner, body)
  for (const role of ROLES) {
    const who = role === 'owner' ? owner : await caller(admin, role)
    const may = role === 'owner' || role === 'admin'
    const { data } = (await who.get('/embeds/revocations')).json()
    const by = may ? owner.userId : null
    t.match(data, [{ subject: 'sales', created_by: by }, { subject: 'acme', created_by: by }, {
      kind: 'user',
      subject: may ? 'ann' : null,
      created_by: by
    }], role)
    for (
      const [query, isOfPerson] of [['subject=ann', true], ['subject=x', true], ['kind=user&subject=ann', true], [
        'kind=tenant&subject=acme',
        false
      ], ['kind=user', false]] as const
    ) {
      t.equal(
        (await who.get(`/embeds/revocations?${query}`)).statusCode,
        isOfPerson && !may ? 403 : 200,
        `${role} ${query}`
      )
    }
  }
})
