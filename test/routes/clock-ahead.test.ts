import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { refuseRevoked } from '../../plugins/embed-revocation.js'
import tokenStore, { memoryStore } from '../../plugins/token-store/index.js'
import userReference from '../../plugins/user-reference/index.js'
import databrainProxy from '../../routes/databrain/proxy/index.js'
import embedAuthorize from '../../routes/embed-authorize/index.js'
import guestToken from '../../routes/databrain/guest-token/index.js'
import widgetToken from '../../routes/widget-token/index.js'
import { signUserReference } from '../../signing/user-reference.js'
import { embedApp, embedQuery, SECRET } from '../helpers/embed.js'
import { API_KEY, mint, PROXY_KEY, REFERENCE_KEY } from '../helpers/guest-token.js'
import { reply, stubUpstream } from '../helpers/stub-upstream.js'

interface Clock {
  now: number
}

interface Routes {
  app: FastifyInstance
  /** Calls each of the four embedding routes with a reference and returns their statuses. */
  statuses(reference: string): Promise<Record<string, number>>
}

/** The four embedding routes with one clock. `issuedAt` returns when the user signed in. */
async function embeddingRoutes (t: Test, clock: Clock, issuedAt?: () => number): Promise<Routes> {
  const { apiUrl } = await embedApp(t)
  const databrain = await stubUpstream(
    t,
    (call, response) => (call.url.endsWith('/create') ? mint : reply({}))(call, response)
  )
  const app = Fastify()
  t.teardown(() => app.close())
  const now = (): number => clock.now
  const since = () => issuedAt === undefined ? {} : { issuedAt: issuedAt() }
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(userReference, { keys: [REFERENCE_KEY], now })
  const product = { apiUrl: databrain.origin, apiKey: API_KEY, dataAppName: 'sales', proxyKeys: [PROXY_KEY], now }
  const clientOf = ({ userReference }: { userReference: { sub: string } | null }) =>
    userReference && { clientId: userReference.sub, ...since() }
  await app.register(guestToken, { ...product, authorize: clientOf })
  await app.register(databrainProxy, { ...product, authorize: clientOf })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl, embedSecret: SECRET }],
    errors: 'http',
    now,
    authorize: ({ userReference }) => userReference && { username: userReference.sub, ...since() }
  })
  await app.register(widgetToken, {
    secret: 's',
    issuer: 'a',
    session: 'b',
    now,
    authorize: ({ userReference }) => userReference && { user: userReference.sub, ...since() }
  })
  async function statuses (reference: string): Promise<Record<string, number>> {
    const headers = { 'x-user-reference': reference }
    const body = { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl }
    return {
      guestToken:
        (await app.inject({
          url: `/api/databrain/guest-token?ref=${reference}`,
          headers: { authorization: `Bearer ${PROXY_KEY}` }
        })).statusCode,
      databrainProxy:
        (await app.inject({ url: '/api/databrain/proxy/x', headers: { ...headers, 'x-proxy-auth-key': PROXY_KEY } }))
          .statusCode,
      embedAuthorize: (await app.inject({ method: 'POST', url: '/authorize', headers, body })).statusCode,
      widgetToken: (await app.inject({ url: '/api/generate-token', headers })).statusCode
    }
  }
  return { app, statuses }
}

function everywhere (status: number): Record<string, number> {
  return { guestToken: status, databrainProxy: status, embedAuthorize: status, widgetToken: status }
}

function reference (now: number): string {
  return signUserReference({ sub: 'ann' }, { key: REFERENCE_KEY, audience: 'gatehouse-embed', now })
}

function revoke (app: FastifyInstance, before: number) {
  return app.tokenStore.revocations.revoke({ orgId: 'default', kind: 'user', subject: 'ann', before, createdBy: null })
}

for (const ahead of [0, 1, 2_000, 30_000]) {
  t.test(`a reference that is signed ${ahead} ms ahead is valid until its user is revoked`, async (t) => {
    const clock = { now: Date.now() }
    const { app, statuses } = await embeddingRoutes(t, clock)
    const signed = reference(clock.now + ahead)
    t.same(await statuses(signed), everywhere(200))
    clock.now += 5
    await revoke(app, clock.now)
    t.same(await statuses(signed), everywhere(403))
    clock.now += 60_000
    t.same(await statuses(signed), everywhere(403), 'it stays revoked when the clock reaches its time')
    t.same(await statuses(reference(clock.now)), everywhere(200), 'a reference that is signed later is valid')
  })
}

t.test('a reference that is signed ahead and first used after the revocation is refused', async (t) => {
  const clock = { now: Date.now() }
  const { app, statuses } = await embeddingRoutes(t, clock)
  const signed = reference(clock.now + 20_000)
  await revoke(app, clock.now + 5)
  clock.now += 10
  t.same(await statuses(signed), everywhere(403))
  clock.now += 60_000
  t.same(await statuses(signed), everywhere(403))
})

for (const ahead of [30_001, 300_000, 86_400_000]) {
  t.test(`a reference that is signed ${ahead} ms ahead is 401 on all embedding routes`, async (t) => {
    const clock = { now: Date.now() }
    const { statuses } = await embeddingRoutes(t, clock)
    t.same(await statuses(reference(clock.now + ahead)), everywhere(401))
  })
}

for (const ahead of [1, 2_000, 30_000, 30_001, 86_400_000]) {
  t.test(`a revocation of the user ends a session that the host dates ${ahead} ms ahead`, async (t) => {
    const clock = { now: Date.now() }
    const start = clock.now
    const { app, statuses } = await embeddingRoutes(t, clock, () => start + ahead)
    t.same(await statuses(reference(clock.now)), everywhere(200))
    await revoke(app, clock.now + 5)
    clock.now += 10
    t.same(await statuses(reference(clock.now)), everywhere(403))
  })
}

t.test('refuseRevoked refuses a revoked user whose issue time is ahead of the clock', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: memoryStore() })
  await revoke(app, Date.now())
  for (const ahead of [1_000, 29_000, 31_000, 86_400_000]) {
    t.throws(() => refuseRevoked(app, { user: 'ann' }, Date.now() + ahead), { code: 'FORBIDDEN' }, `${ahead} ms ahead`)
  }
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(refuseRevoked(app, { user: 'ann' }, Date.now()), undefined)
})
