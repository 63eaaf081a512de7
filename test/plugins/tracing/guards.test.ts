import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import captcha from '../../../plugins/captcha/index.js'
import identityToken from '../../../plugins/identity-token/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import tracing from '../../../plugins/tracing/index.js'
import { adminApp } from '../../helpers/admin.js'
import { AUDIENCE, identityProvider } from '../../helpers/identity-provider.js'
import { PRODUCT_SECRET, SITE, siteverifyServer } from '../../helpers/siteverify.js'
import { recordTraces } from '../../helpers/traces.js'
import type { RecordedTraces } from '../../helpers/traces.js'
import { webhookGateway } from '../../helpers/webhook-gateway.js'

async function tracedApp (t: Test, { tracerProvider }: RecordedTraces) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing, { tracerProvider })
  return app
}

t.test('a captcha is a step with the call to the product, and what follows is not part of it', async (t) => {
  const traces = recordTraces(t)
  const app = await tracedApp(t, traces)
  const siteverify = await siteverifyServer(t, 'turnstile')
  await app.register(tokenStore)
  await app.register(captcha, {
    provider: 'turnstile',
    secret: PRODUCT_SECRET,
    hostnames: [SITE],
    siteverifyUrl: siteverify.url
  })
  const { authorizeByHost } = await import('../../../lib/authorize.js')
  app.get('/x', { config: { gatehouse: { captcha: true } } }, async () => await authorizeByHost(() => ({ user: 'u' })))
  const token = siteverify.issue('0.a-Good_tok.en')
  t.equal((await app.inject({ url: '/x', headers: { 'x-captcha-token': token } })).statusCode, 200)
  const request = traces.only('GET /x')
  t.same(traces.tree(request), ['GET /x', '  guard captcha', '    upstream captcha', '  authorize'])
  t.equal(traces.only('guard captcha').attributes['gatehouse.outcome'], 'allowed')
  const { traceId, spanId } = traces.only('upstream captcha').spanContext()
  t.equal(siteverify.calls[0]?.headers['traceparent'], `00-${traceId}-${spanId}-01`)

  const refused = await app.inject({ url: '/x', headers: { 'x-captcha-token': token } })
  t.equal(refused.statusCode, 403)
  t.equal(refused.json().error.code, 'CAPTCHA_FAILED')
  const guard = traces.spans().filter(({ name }) => name === 'guard captcha').at(-1)
  t.match(guard, {
    status: { code: 0 },
    attributes: { 'gatehouse.outcome': 'refused', 'error.type': 'CAPTCHA_FAILED' }
  })
  for (const secret of [token, PRODUCT_SECRET]) t.notMatch(traces.text(), secret)
})

t.test('an identity token is a step with the fetch of the keys, and without it once they are known', async (t) => {
  const traces = recordTraces(t)
  const app = await tracedApp(t, traces)
  const provider = await identityProvider(t)
  await app.register(identityToken, { providers: [{ issuer: provider.issuer, audience: AUDIENCE }] })
  app.get('/x', { config: { gatehouse: { identityToken: true } } }, async () => 'ok')
  const token = await provider.token()
  const ask = () => app.inject({ url: '/x', headers: { authorization: `Bearer ${token}` } })
  t.equal((await ask()).statusCode, 200)
  const first = traces.only('GET /x')
  t.same(traces.tree(first), ['GET /x', '  guard identityToken', '    upstream identity', '    upstream identity'])
  t.equal((await ask()).statusCode, 200)
  const second = traces.spans().filter(({ name }) => name === 'GET /x').at(-1) ?? first
  t.same(traces.tree(second), ['GET /x', '  guard identityToken'])
  for (const secret of [token, 'ann']) t.notMatch(traces.text(), secret)
})

t.test('a provider that does not respond marks the guard and the request', async (t) => {
  const traces = recordTraces(t)
  const app = await tracedApp(t, traces)
  const provider = await identityProvider(t)
  await app.register(identityToken, { providers: [{ issuer: provider.issuer, audience: AUDIENCE }] })
  app.get('/x', { config: { gatehouse: { identityToken: true } } }, async () => 'ok')
  const token = await provider.token()
  await provider.upstream.close()
  const response = await app.inject({ url: '/x', headers: { authorization: `Bearer ${token}` } })
  t.equal(response.statusCode, 503)
  t.equal(response.json().error.code, 'UNAVAILABLE')
  for (const name of ['guard identityToken', 'GET /x']) {
    t.match(traces.only(name), { status: { code: 2 }, attributes: { 'error.type': 'UNAVAILABLE' } }, name)
  }
  t.match(traces.only('upstream identity'), { status: { code: 2 }, attributes: { 'error.type': 'UPSTREAM_ERROR' } })
})

t.test('a webhook has steps for its look-up and its signature, and a wrong signature is refused in it', async (t) => {
  const traces = recordTraces(t)
  const { deliver, send, webhook } = await webhookGateway(t, 'stripe', {
    before: (app) => app.register(tracing, { tracerProvider: traces.tracerProvider })
  })
  t.equal((await deliver({ id: 'evt_1', type: 'charge', data: { object: { customer: 'SECRET' } } })).statusCode, 200)
  const request = traces.only('POST /v1/webhook')
  t.same(traces.tree(request), ['POST /v1/webhook', '  guard webhook', '  guard webhook', '  sink write'])
  const refused = await send({ id: 'evt_2' }, { 'stripe-signature': 't=1,v1=00' })
  t.equal(refused.statusCode, 401)
  const guard = traces.spans().filter(({ name }) => name === 'guard webhook').at(-1)
  t.equal(guard?.attributes['gatehouse.outcome'], 'refused')
  for (const secret of [webhook.id, 'SECRET', 'evt_1']) t.notMatch(traces.text(), secret)
})

t.test('an admin request has a step for its guard, and no id, email or token is recorded', async (t) => {
  const traces = recordTraces(t)
  const { addUser, login, get } = await adminApp(t, {
    before: async (app) => { await app.register(tracing, { tracerProvider: traces.tracerProvider }) }
  })
  const user = await addUser('owner@example.com', 'owner')
  const { access_token: access, refresh_token: refresh } = await login('owner@example.com')
  t.equal((await get('/v1/admin/sources/5f0c2f0e-0000-4000-8000-000000000000', access)).statusCode, 404)
  const request = traces.only('GET /v1/admin/sources/:id')
  t.match(traces.tree(request), ['GET /v1/admin/sources/:id', '  guard admin'])
  t.equal((await get('/v1/admin/sources', 'wrong-SECRET')).statusCode, 401)
  t.match(traces.only('GET /v1/admin/sources').attributes, { 'error.type': 'INVALID_TOKEN' })
  for (const secret of [user.id, 'owner@example.com', access, refresh, '5f0c2f0e', 'SECRET']) {
    t.notMatch(traces.text(), secret)
  }
})
