import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { UNAUTHORIZED } from '../../../lib/errors.js'
import captcha from '../../../plugins/captcha/index.js'
import connectionLimit from '../../../plugins/connection-limit/index.js'
import csrf from '../../../plugins/csrf/index.js'
import metrics from '../../../plugins/metrics/index.js'
import proxyKey from '../../../plugins/proxy-key.js'
import rateLimit from '../../../plugins/rate-limit/index.js'
import requireHttps from '../../../plugins/require-https.js'
import signature from '../../../plugins/signature.js'
import tokenStore, { memoryStore } from '../../../plugins/token-store/index.js'
import identityToken from '../../../plugins/identity-token/index.js'
import userReference from '../../../plugins/user-reference/index.js'
import { signBody } from '../../../signing/datafly/body-signature.js'
import { adminApp } from '../../helpers/admin.js'
import { gateway } from '../../helpers/gateway.js'
import { PATH, guestTokenApp, tokenOf } from '../../helpers/guest-token.js'
import { scraped } from '../../helpers/metrics.js'
import { widgetTokenApp } from '../../helpers/widget-token.js'

const KEY = 'k3y-for-the-guards-0123456789-abcdefghij'
const DECISIONS = 'gatehouse_guard_decisions_total'
const MINTS = 'gatehouse_mints_total'

async function guardedApp (t: Test) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics)
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(requireHttps, { allowLoopback: false })
  await app.register(proxyKey, { keys: [KEY] })
  await app.register(userReference, { keys: [KEY] })
  await app.register(identityToken, { providers: [{ issuer: 'https://idp.example', audience: 'app' }] })
  await app.register(signature, { secrets: () => [KEY] })
  await app.register(connectionLimit, { sockets: false })
  await app.register(rateLimit, { address: { max: 1, timeWindow: 60_000 } })
  await app.register(csrf, { key: KEY, sessionOf: () => null })
  await app.register(captcha, { provider: 'altcha', hmacKey: KEY })
  const names = ['https', 'proxyKey', 'userReference', 'identityToken', 'connectionLimit', 'rateLimit', 'csrf',
    'captcha'] as const
  for (const name of names) app.post(`/${name}`, { config: { gatehouse: { [name]: true } } }, async () => '')
  app.post('/signature', { config: { gatehouse: { signature: 'required' } } }, async () => '')
  return app
}

t.test('each decision of a guard is counted with its outcome and its error code', async (t) => {
  const app = await guardedApp(t)
  const post = (url: string, headers: Record<string, string> = {}, payload = '{}') =>
    app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } })
  await post('/proxyKey', { authorization: `Bearer ${KEY}` })
  await post('/userReference', { 'x-user-reference': app.userReference.sign({ sub: 'ann' }) })
  await post('/signature', { 'x-datafly-signature': signBody(KEY, '{}') })
  await post('/connectionLimit')
  await post('/rateLimit')
  const allowed = ['connectionLimit', 'proxyKey', 'rateLimit', 'signature', 'userReference']
  for (const guard of allowed) {
    t.equal((await scraped(app)).sum(DECISIONS, { guard, outcome: 'allowed' }), 1, guard)
  }

  const codes = {
    https: 'HTTPS_REQUIRED',
    proxyKey: 'UNAUTHORIZED',
    userReference: 'UNAUTHORIZED',
    identityToken: 'UNAUTHORIZED',
    signature: 'SIGNATURE_REQUIRED',
    rateLimit: 'RATE_LIMITED',
    csrf: 'CSRF_FAILED',
    captcha: 'CAPTCHA_FAILED'
  }
  for (const guard of Object.keys(codes)) await post(`/${guard}`)
  await post('/signature', { 'x-datafly-signature': signBody(KEY, 'other') })
  const samples = await scraped(app)
  for (const [guard, code] of Object.entries(codes)) {
    t.equal(samples.sum(DECISIONS, { guard, outcome: 'refused', code }), 1, guard)
  }
  t.equal(samples.sum(DECISIONS, { guard: 'signature', code: 'INVALID_SIGNATURE' }), 1)
  t.equal(samples.sum(DECISIONS), allowed.length + Object.keys(codes).length + 1)
})

t.test('a pipeline key is one decision, in whichever place the request has it', async (t) => {
  const { app, key, post, signed } = await gateway(t, { before: (app) => app.register(metrics) })
  const event = { event: 'e', userId: 'u' }
  const bare = (payload: object) => app.inject({ method: 'POST', url: '/v1/t', payload })
  await post('/v1/t', event)
  await signed('/v1/t', event)
  await bare({ ...event, writeKey: key })
  const samples = await scraped(app)
  t.equal(samples.sum(DECISIONS, { guard: 'pipelineKey', outcome: 'allowed' }), 3)
  t.equal(samples.sum(DECISIONS, { guard: 'signature', outcome: 'allowed' }), 1)
  await bare(event)
  await post('/v1/t', { ...event, writeKey: 'dk_other' })
  t.equal((await scraped(app)).sum(DECISIONS, { guard: 'pipelineKey', code: 'INVALID_PIPELINE_KEY' }), 2)
})

t.test('credentials and calls to the upstream are counted by product and outcome', async (t) => {
  const { ask, app, databrain } = await guestTokenApp(t, {}, {}, (app) => app.register(metrics))
  t.equal((await ask('ann')).json().token, tokenOf('ann'))
  await ask('ann')
  await app.inject(PATH)
  databrain.answer = (_call, response) => { response.writeHead(503).end() }
  t.equal((await ask('bob')).statusCode, 500)

  const samples = await scraped(app)
  for (const [outcome, count] of Object.entries({ minted: 1, cached: 1, refused: 2 })) {
    t.equal(samples.sum(MINTS, { product: 'databrain', outcome }), count, outcome)
  }
  const calls = (outcome: string) =>
    samples.sum('gatehouse_upstream_duration_seconds_count', { product: 'databrain', outcome })
  t.equal(calls('ok'), 1)
  t.equal(calls('failed'), 1, 'with its retries')
})

t.test('widget tokens are counted as minted or refused', async (t) => {
  let user: string | null = 'ann'
  const { app, ask } = await widgetTokenApp(t, {
    authorize: () => {
      if (user === null) throw new UNAUTHORIZED()
      return user
    }
  }, {}, (app) => app.register(metrics))
  await ask()
  user = null
  await ask()
  const samples = await scraped(app)
  t.equal(samples.sum(MINTS, { product: 'dxfeed', outcome: 'minted' }), 1)
  t.equal(samples.sum(MINTS, { product: 'dxfeed', outcome: 'refused' }), 1)
})

t.test('logins, refreshes and revocations are counted by outcome and kind', async (t) => {
  const admin = await adminApp(t, {
    auth: { lockout: { max: 2 } },
    before: async (app) => { await app.register(metrics) }
  })
  await admin.addUser('ann@example.com', 'owner')
  await admin.addUser('bob@example.com')
  const pair = await admin.login('ann@example.com')
  await admin.post('login', { email: 'ann@example.com', password: 'wrong password' })
  for (let attempt = 0; attempt < 3; attempt++) {
    await admin.post('login', { email: 'bob@example.com', password: 'wrong password' })
  }
  t.equal((await admin.refresh(pair.refresh_token)).statusCode, 200)
  t.equal((await admin.refresh(pair.refresh_token)).statusCode, 401)
  await admin.refresh('nonsense')
  const { access_token: token } = await admin.login('ann@example.com')
  t.equal((await admin.post('/v1/admin/embeds/revoke', { user_id: 'eve' }, token)).statusCode, 200)
  t.equal((await admin.post('logout-all', undefined, token)).statusCode, 204)

  const samples = await scraped(admin.app)
  const sum = (name: string, labels: Record<string, string>) => samples.sum(`gatehouse_${name}_total`, labels)
  t.equal(sum('logins', { outcome: 'succeeded' }), 2)
  t.equal(sum('logins', { outcome: 'failed' }), 3)
  t.equal(sum('logins', { outcome: 'locked' }), 1)
  t.equal(sum('refreshes', { outcome: 'rotated' }), 1)
  t.equal(sum('refreshes', { outcome: 'reused' }), 1)
  t.equal(sum('refreshes', { outcome: 'refused' }), 1)
  t.equal(sum('revocations', { kind: 'embed' }), 1)
  t.equal(sum('revocations', { kind: 'session' }), 2, 'by the reused token and by the logout')
  t.ok(sum('guard_decisions', { guard: 'admin', outcome: 'allowed' }) >= 2)
})
