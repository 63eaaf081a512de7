import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'

import adminGuard, { atLeast } from '../../../plugins/admin-guard/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { ROLES } from '../../../contracts/token-store/index.js'
import type { Role } from '../../../contracts/token-store/index.js'
import { SECRET, adminApp } from '../../helpers/admin.js'
import { rawExchange } from '../../helpers/raw-socket.js'
import { stringWork } from '../../helpers/string-work.js'

const OTHER_SECRET = 'Xy3-bN8tKq5_vMd0Rw7Lc2Zp9Hf4Gj6S'

/** A host's own guarded routes beside the admin routes. */
async function host (app: FastifyInstance): Promise<void> {
  await app.register(adminGuard, { jwtSecrets: [SECRET] })
  app.get('/any', { config: { gatehouse: { admin: true } } }, async ({ admin }) => admin)
  app.get('/open', async ({ admin }) => ({ admin }))
  for (const role of ROLES) {
    app.get(`/from/${role}`, { config: { gatehouse: { admin: { roles: atLeast(role) } } } }, async ({ admin }) =>
      admin?.role)
  }
  app.get('/only-editors', { config: { gatehouse: { admin: { roles: ['editor'] } } } }, async () => 'ok')
}

t.test('request.admin is the caller on a guarded route and null on an unguarded route', async (t) => {
  const { addUser, login, get } = await adminApp(t, { before: host })
  const user = await addUser('ann@example.com', 'editor', 'acme')
  const { access_token } = await login('ann@example.com')
  t.match((await get('/any', access_token)).json(), {
    sub: user.id,
    org_id: 'acme',
    role: 'editor',
    email: 'ann@example.com'
  })
  t.same((await get('/open', access_token)).json(), { admin: null })
})

t.test('a list of roles allows exactly these roles, and atLeast() allows a role and every higher role', async (t) => {
  const { addUser, login, get } = await adminApp(t, { before: host })
  for (const role of ROLES) {
    await addUser(`${role}@example.com`, role)
    const { access_token } = await login(`${role}@example.com`)
    for (const least of ROLES) {
      const reply = await get(`/from/${least}`, access_token)
      const may = ROLES.indexOf(role) <= ROLES.indexOf(least)
      t.equal(reply.statusCode, may ? 200 : 403, `${role} where ${least} is needed`)
      if (!may) t.equal(reply.json().error.code, 'FORBIDDEN')
    }
    t.equal((await get('/only-editors', access_token)).statusCode, role === 'editor' ? 200 : 403)
  }
})

t.test('a change of role and a disabled user take effect on the next request with the same token', async (t) => {
  const { addUser, login, get, store } = await adminApp(t, { before: host })
  const user = await addUser('ann@example.com', 'owner')
  await addUser('bob@example.com', 'owner')
  const { access_token } = await login('ann@example.com')
  t.equal((await get('/from/owner', access_token)).statusCode, 200)
  await store.members.update('default', user.id, { role: 'viewer' })
  t.equal((await get('/from/owner', access_token)).statusCode, 403)
  t.equal((await get('/any', access_token)).json().role, 'viewer')
  await store.members.update('default', user.id, { disabled: true })
  const reply = await get('/any', access_token)
  t.equal(reply.statusCode, 401)
  t.equal(reply.json().error.code, 'INVALID_TOKEN')
})

t.test('only a single Bearer header is accepted, and a refusal does not name the failed check', async (t) => {
  const { app, addUser, login } = await adminApp(t, { before: host })
  await addUser('ann@example.com')
  const { access_token } = await login('ann@example.com')
  const cases: Array<[string, Record<string, string>, string?]> = [
    ['nothing', {}],
    ['a cookie', { cookie: `access_token=${access_token}; token=${access_token}` }],
    ['another header', { 'x-access-token': access_token }],
    ['the query', {}, `?access_token=${access_token}&token=${access_token}`],
    ['no scheme', { authorization: access_token }],
    ['Basic', { authorization: `Basic ${access_token}` }],
    ['two spaces', { authorization: `Bearer  ${access_token}` }],
    ['a list', { authorization: `Bearer ${access_token}, Bearer ${access_token}` }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['15 KB', { authorization: `Bearer ${access_token}${'A'.repeat(15_000)}` }],
    ['100 KB', { authorization: `Bearer ${'A'.repeat(100_000)}` }],
    ['100 KB of dots', { authorization: `Bearer ${'.'.repeat(100_000)}` }]
  ]
  for (const [name, headers, query = ''] of cases) {
    const { parsed, read } = await stringWork(() => app.inject({ url: `/any${query}`, headers }))
    t.ok(
      parsed < 4_096 && read < JSON.stringify(headers).length + 10_000,
      `${name}: ${parsed} characters are parsed and ${read} read`
    )
    const reply = await app.inject({ url: `/any${query}`, headers })
    t.equal(reply.statusCode, 401, name)
    t.match(reply.json(), { error: { code: /^(UNAUTHORIZED|INVALID_TOKEN)$/, message: String } }, name)
    t.match(reply.headers['www-authenticate'], /^Bearer/, name)
    t.equal(reply.headers['cache-control'], 'no-store', name)
    t.notMatch(reply.body, /stack|jwt|signature/i, name)
  }
  t.equal(
    (await app.inject({ url: '/any', headers: { authorization: `bearer ${access_token}` } })).statusCode,
    200,
    'the scheme is not case-sensitive'
  )
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const good = `Authorization: Bearer ${access_token}`
  for (const pair of [[good, 'Authorization: Bearer x'], ['Authorization: Bearer x', good], [good, good]]) {
    t.match(
      await rawExchange(origin, ['GET /any HTTP/1.1', 'Host: x', ...pair, 'Connection: close', '', ''].join('\r\n')),
      /^HTTP\/1\.1 401/,
      'two headers'
    )
  }
  t.match(
    await rawExchange(origin, `GET /any HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'A'.repeat(100_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431/
  )
})

t.test('with global every route without admin: false is guarded, and so is the 404 handler; ' +
  'a preflight passes', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { sweepEvery: 0 })
  app.get('/before', async () => 'ok')
  await app.register(adminGuard, { jwtSecrets: [SECRET], global: true })
  app.get('/after', async () => 'ok')
  app.get('/open', { config: { gatehouse: { admin: false } } }, async () => 'ok')
  app.options('/after', async () => 'preflight')
  for (const url of ['/before', '/after', '/nowhere']) t.equal((await app.inject(url)).statusCode, 401, url)
  t.equal((await app.inject('/open')).statusCode, 200)
  const preflight = { origin: 'https://a.test', 'access-control-request-method': 'GET' }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/after', headers: preflight })).statusCode, 200)
})

t.test('a wrong value in config.gatehouse.admin stops the start', async (t) => {
  for (
    const admin of ['yes', {}, { roles: [] }, { roles: ['root'] }, { roles: ['owner'], role: 'owner' }, { fields: {} },
      { roles: ['owner'], fields: null }, { roles: ['owner'], fields: { name: [] } }, {
        roles: ['owner'],
        fields: { name: ['root'] }
      }, null]
  ) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(tokenStore, { sweepEvery: 0 })
    await app.register(adminGuard, { jwtSecrets: [SECRET] })
    app.get('/', { config: { gatehouse: { admin: admin as unknown as true } } }, async () => 'ok')
    await t.rejects(
      async () => app.ready(),
      { code: 'INVALID_OPTIONS', message: /config\.gatehouse\.admin/ },
      JSON.stringify(admin)
    )
  }
})

t.test('a body or query property that the role is not allowed to send is refused before the ' +
  'schema is applied', async (t) => {
  const admin = { roles: ['owner', 'editor'], fields: { key: ['owner'] } } as const
  const keyed = { type: 'object', properties: { key: { type: 'string', default: 'made here' } } } as const
  const { addUser, login, app } = await adminApp(t, {
    before: async (app) => {
      await app.register(adminGuard, { jwtSecrets: [SECRET] })
      app.post(
        '/things',
        { config: { gatehouse: { admin } }, schema: { body: keyed, querystring: keyed } },
        async ({ body }) => body
      )
    }
  })
  for (const role of ['owner', 'editor'] as const) {
    await addUser(`${role}@example.com`, role)
    const { access_token } = await login(`${role}@example.com`)
    const send = (url: string, payload: object) =>
      app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${access_token}` } })
    t.same(
      (await send('/things', {})).json(),
      { key: 'made here' },
      'a default of the schema does not count as sent by the caller'
    )
    for (
      const reply of [await send('/things', { key: 'k' }), await send('/things?key=k', {}),
        await send('/things', { key: 1 })]
    ) {
      t.equal(reply.statusCode, role === 'owner' ? 200 : 403)
      if (role === 'editor') t.match(reply.json().error, { code: 'FORBIDDEN', message: 'Only owner may send "key"' })
    }
  }
})

t.test("two guards in two scopes refuse each other's tokens", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { sweepEvery: 0 })
  const tokens: string[] = []
  for (const [path, secret] of [['/a', SECRET], ['/b', OTHER_SECRET]] as const) {
    await app.register(async (scope) => {
      await scope.register(adminGuard, { jwtSecrets: [secret] })
      scope.get(path, { config: { gatehouse: { admin: true } } }, async () => 'ok')
      const user = await app.tokenStore.users.create({
        orgId: 'default',
        email: `${path.slice(1)}@example.com`,
        passwordHash: '',
        role: 'viewer'
      })
      const claims = { sub: user.id, org_id: 'default', role: 'viewer' as Role, sid: path, epoch: 0 }
      await app.tokenStore.sessions.start({
        id: path,
        userId: user.id,
        orgId: user.orgId,
        mfaAt: null,
        sso: null,
        epoch: user.epoch,
        refreshDigest: path,
        endsAt: Date.now() + 60_000,
        ip: '',
        userAgent: ''
      })
      tokens.push(scope.adminTokens.issueAccess(claims))
    })
  }
  const [a, b] = tokens
  const status = async (url: string, token = '') =>
    (await app.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode
  t.same([await status('/a', a), await status('/b', b), await status('/a', b), await status('/b', a)], [200, 200, 401,
    401])
})

for (const when of ['before', 'after'] as const) {
  for (const namespaced of [false, true]) {
    t.test(`with @fastify/jwt ${when} adminGuard, ${namespaced ? 'with a' : 'without'} namespace, each refuses the ` +
      "other's tokens", async (t) => {
      const withJwt = async (app: FastifyInstance) => {
        await app.register(jwt, { secret: OTHER_SECRET, ...namespaced ? { namespace: 'own' } : {} })
        const verify = namespaced ? 'ownJwtVerify' : 'jwtVerify'
        app.get('/own', async (request) => {
          await (request as unknown as Record<string, () => Promise<void>>)[verify]?.()
          return 'ok'
        })
      }
      const { app, addUser, login, get } = await adminApp(t, {
        before: async (app) => {
          if (when === 'before') await withJwt(app)
          await host(app)
          if (when === 'after') await withJwt(app)
        }
      })
      await addUser('ann@example.com')
      const { access_token } = await login('ann@example.com')
      const own = namespaced ? (app.jwt as unknown as Record<string, FastifyInstance['jwt']>)['own'] : app.jwt
      const theirs = own?.sign({ sub: 'x' }) ?? ''
      t.equal((await get('/any', access_token)).statusCode, 200)
      t.equal((await get('/own', theirs)).statusCode, 200)
      t.equal((await get('/any', theirs)).statusCode, 401)
      t.equal((await get('/own', access_token)).statusCode, 401)
      t.notOk(
        Object.keys(app.jwt).some((name) => name.startsWith('gatehouse')),
        'the host has no access to the keys of adminGuard'
      )
    })
  }
}

t.test('adminGuard without a token store, or twice in one scope, stops the start', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await t.rejects(async () => app.register(adminGuard, { jwtSecrets: [SECRET] }), /token store|tokenStore/)
  const twice = Fastify()
  t.teardown(() => twice.close())
  await twice.register(tokenStore, { sweepEvery: 0 })
  await twice.register(adminGuard, { jwtSecrets: [SECRET] })
  await t.rejects(async () => twice.register(adminGuard, { jwtSecrets: [SECRET] }), { code: 'INVALID_OPTIONS' })
})
