import t from 'tap'
import type { Test } from 'tap'

import { generatePipelineKey, generateSecret, generateServerSecret, verifyWidgetToken } from '../../signing/index.js'
import { exampleApp, startError, startExample } from '../helpers/example.js'

const [APP, SHOP, OTHER] = ['https://app.example.com', 'https://shop.example.com', 'https://evil.example']
const ENV = {
  JWT_SECRET: generateSecret(),
  PIPELINE_KEY: generatePipelineKey('live'),
  SERVER_SECRET: generateServerSecret(),
  DXFEED_SECRET: generateSecret(),
  DXFEED_ISSUER: 'acme',
  DXFEED_SESSION: 'web',
  APP_ORIGIN: APP,
  SHOP_ORIGIN: SHOP
}

async function start (t: Test) {
  const app = await exampleApp(t, 'own-jwt-and-cors', ENV)
  const { jwt } = app as typeof app & { jwt: { sign (claims: object): string } }
  const authorization = `Bearer ${jwt.sign({ sub: 'ann' })}`
  const event = (headers: Record<string, string>) => app.inject({
    method: 'POST',
    url: '/v1/t',
    payload: { event: 'Product Viewed', userId: 'ann' },
    headers: { authorization: `Bearer ${ENV.PIPELINE_KEY}`, ...headers }
  })
  return { app, authorization, event }
}

t.test('the host\'s token opens the host\'s API and gets a widget token for its user', async (t) => {
  const { app, authorization } = await start(t)
  t.same((await app.inject({ url: '/api/me', headers: { authorization } })).json(), { id: 'ann' })
  const widget = await app.inject({ url: '/api/generate-token', headers: { authorization, origin: APP } })
  t.equal(widget.statusCode, 200)
  const rules = { secret: ENV.DXFEED_SECRET, issuer: 'acme', session: 'web', timeUnit: 'ms' } as const
  t.match(verifyWidgetToken(widget.json().token, rules), { valid: true, payload: { user: 'ann' } })
})

t.test('without the host\'s token, or with an altered one, both are refused', async (t) => {
  const { app, authorization } = await start(t)
  for (const url of ['/api/me', '/api/generate-token']) {
    for (const headers of [{}, { authorization: authorization.slice(0, -2) }]) {
      t.equal((await app.inject({ url, headers })).statusCode, 401, url)
    }
  }
})

t.test('each route allows the origins of its own list', async (t) => {
  const { app, authorization, event } = await start(t)
  const allowed = 'access-control-allow-origin'
  const me = (origin: string) => app.inject({ url: '/api/me', headers: { authorization, origin } })
  t.equal((await me(APP)).headers[allowed], APP)
  t.not((await me(SHOP)).headers[allowed], SHOP)

  const widget = (origin: string) => app.inject({ url: '/api/generate-token', headers: { authorization, origin } })
  t.equal((await widget(APP)).headers[allowed], APP)
  t.match((await widget(SHOP)).json(), { error: { code: 'ORIGIN_NOT_ALLOWED' } })

  const accepted = await event({ origin: SHOP })
  t.strictSame([accepted.statusCode, accepted.headers[allowed]], [200, SHOP])
  for (const origin of [APP, OTHER]) {
    const refused = await event({ origin })
    t.strictSame([refused.statusCode, refused.json().error.code], [403, 'ORIGIN_NOT_ALLOWED'], origin)
  }
})

t.test('preflights are allowed for the origins of their route', async (t) => {
  const { app } = await start(t)
  const preflight = async (url: string, method: string, origin: string) => (await app.inject({
    method: 'OPTIONS',
    url,
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' }
  })).headers['access-control-allow-origin']
  t.equal(await preflight('/api/me', 'GET', APP), APP)
  t.equal(await preflight('/api/generate-token', 'GET', APP), APP)
  t.equal(await preflight('/v1/t', 'POST', SHOP), SHOP)
  for (const [url, method] of [['/api/me', 'GET'], ['/api/generate-token', 'GET'], ['/v1/t', 'POST']] as const) {
    t.not(await preflight(url, method, OTHER), OTHER, url)
  }
})

t.test('an event without a valid pipeline key is refused, with the host\'s token too', async (t) => {
  const { authorization, event } = await start(t)
  const refused = await event({ authorization })
  t.strictSame([refused.statusCode, refused.json().error.code], [401, 'INVALID_PIPELINE_KEY'])
})

t.test('the example starts with its environment, and does not start without a secret', async (t) => {
  const { origin } = await startExample(t, 'own-jwt-and-cors', ENV)
  t.equal((await fetch(`${origin}/api/me`)).status, 401)
  const messages = { JWT_SECRET: 'JWT_SECRET', DXFEED_SECRET: '"secret"', PIPELINE_KEY: 'pipeline key' }
  for (const [name, message] of Object.entries(messages)) {
    t.match(await startError(t, 'own-jwt-and-cors', { ...ENV, [name]: '' }), message, name)
  }
})
