import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import adminGuard, { atLeast } from '../../../plugins/admin-guard/index.js'
import type { AdminDemand } from '../../../plugins/admin-guard/index.js'
import { SECRET, adminApp, decode } from '../../helpers/admin.js'

const MINUTE = 60_000

async function setUp (t: Test, options: { stepUpAge?: number } = {}) {
  const clock = { now: 0 }
  async function host (app: FastifyInstance): Promise<void> {
    await app.register(adminGuard, { jwtSecrets: [SECRET], now: () => clock.now, ...options })
    const roles = atLeast('admin')
    app.get('/plain', { config: { gatehouse: { admin: { roles } } } }, async () => 'ok')
    app.get('/fresh', { config: { gatehouse: { admin: { roles, stepUp: true } } } }, async () => 'ok')
    app.get('/enrolled', { config: { gatehouse: { admin: { roles, stepUp: 'enrolled' } } } }, async ({ admin }) => admin)
  }
  const admin = await adminApp(t, { before: host })
  const user = await admin.addUser('ann@example.com')
  clock.now = admin.clock.now
  const { access_token: token } = await admin.login('ann@example.com')
  const sid = String(decode(token).claims['sid'])
  const { factors, sessions } = admin.store
  return {
    admin,
    clock,
    user,
    sessions,
    sid,
    async enrol () {
      await factors.proposeTotp(user.id, 'SECRET')
      await factors.confirmTotp(user.id, { secret: 'SECRET', step: 1, recoveryDigests: [] })
    },
    get: (path: string) => admin.get(path, token)
  }
}

t.test('a user without a second factor passes while the organisation does not require one', async (t) => {
  const { admin, get } = await setUp(t)
  for (const path of ['/plain', '/fresh', '/enrolled']) t.equal((await get(path)).statusCode, 200, path)
  await admin.store.organisations.update('default', { mfa: 'required' })
  const reply = await get('/fresh')
  t.equal(reply.statusCode, 403)
  t.match(reply.json().error, { code: 'FORBIDDEN', message: /second factor/ })
  for (const path of ['/plain', '/enrolled']) t.equal((await get(path)).statusCode, 200, path)
  t.match((await get('/enrolled')).json(), { mfaAt: null, hasFactor: false, mfaRequired: true })
})

t.test('a user with a second factor must have proved it within the last 5 minutes', async (t) => {
  const { admin, clock, sessions, sid, enrol, get } = await setUp(t)
  await enrol()
  for (const path of ['/fresh', '/enrolled']) {
    const reply = await get(path)
    t.equal(reply.statusCode, 401, `${path}: no second factor in this session`)
    t.match(reply.json().error, { code: 'UNAUTHORIZED', message: 'Confirm your second factor again' })
    t.equal(
      reply.headers['www-authenticate'],
      'Bearer error="insufficient_user_authentication", max_age="300"'
    )
  }
  t.equal((await get('/plain')).statusCode, 200)
  await sessions.confirm(sid, clock.now)
  t.equal((await get('/fresh')).statusCode, 200)
  clock.now += 5 * MINUTE
  t.equal((await get('/fresh')).statusCode, 200, 'exactly 5 minutes later')
  clock.now += 1
  t.equal((await get('/fresh')).statusCode, 401)
  t.equal((await get('/plain')).statusCode, 200)
  const { data } = await admin.store.audit.list('default', {}, { limit: 100 })
  t.notOk(data.some(({ action }) => action === 'auth.token_refused'), 'the token is valid')
})

t.test('stepUpAge sets the maximum age, and the WWW-Authenticate header contains it', async (t) => {
  const { clock, sessions, sid, enrol, get } = await setUp(t, { stepUpAge: MINUTE })
  await enrol()
  await sessions.confirm(sid, clock.now)
  clock.now += MINUTE
  t.equal((await get('/fresh')).statusCode, 200)
  clock.now += 1
  const reply = await get('/fresh')
  t.equal(reply.statusCode, 401)
  t.match(reply.headers['www-authenticate'], /max_age="60"$/)
})

t.test('the role is checked before the second factor', async (t) => {
  const { admin, enrol, get, user } = await setUp(t)
  await enrol()
  await admin.addUser('owner@example.com', 'owner')
  await admin.store.members.update('default', user.id, { role: 'viewer' })
  t.equal((await get('/fresh')).json().error.code, 'FORBIDDEN')
})

t.test('a wrong stepUpAge and a wrong rule stop the start', async (t) => {
  for (const stepUpAge of [0, 300, 9_000, 10_500, 3_600_001, Number.NaN, '300000' as unknown as number]) {
    await t.rejects(setUp(t, { stepUpAge }), { code: 'INVALID_OPTIONS', message: /stepUpAge/ }, String(stepUpAge))
  }
  for (const stepUp of ['yes', 1, null]) {
    const demand = { roles: ['owner'], stepUp } as unknown as AdminDemand
    const { app } = await adminApp(t, {
      before: async (app) => {
        await app.register(adminGuard, { jwtSecrets: [SECRET] })
        app.get('/x', { config: { gatehouse: { admin: demand } } }, async () => 'ok')
      }
    })
    await t.rejects(async () => { await app.ready() }, { message: /stepUp/ }, String(stepUp))
  }
})
