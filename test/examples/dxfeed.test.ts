import t from 'tap'
import type { Test } from 'tap'

import { startDxFeed } from '../../server/mock-products/dxfeed.js'
import { generateSecret, verifyWidgetToken } from '../../signing/index.js'
import { cookieOf, DEMO_PASSWORD, scriptsOf } from '../helpers/example-login.js'
import { exampleApp, startError, startExample } from '../helpers/example.js'

const PATH = '/api/generate-token'
const ENV = {
  DXFEED_SECRET: generateSecret(),
  DXFEED_ISSUER: 'acme',
  DXFEED_SESSION: 'web',
  DXFEED_WIDGET_SCRIPT: 'https://widgets.example.com/widget.js',
  COOKIE_SECRET: generateSecret(),
  DEMO_PASSWORD
}
const RULES = { secret: ENV.DXFEED_SECRET, issuer: 'acme', session: 'web', timeUnit: 'ms' } as const

function start (t: Test) {
  return exampleApp(t, 'dxfeed', ENV)
}

t.test('a signed-in user gets a token with the user\'s own filters, which dxFeed accepts', async (t) => {
  const app = await start(t)
  const dxfeed = await startDxFeed({ embedders: [], ...RULES })
  t.teardown(() => dxfeed.close())
  for (const [user, filters] of [['ann', ['NASDAQ']], ['bob', ['NYSE', 'OTC']]] as const) {
    const response = await app.inject({ url: PATH, headers: { cookie: await cookieOf(app, user) } })
    t.equal(response.statusCode, 200)
    const { token } = response.json()
    t.match(verifyWidgetToken(token, RULES), { valid: true, payload: { user, filters } })
    const instruments = await fetch(dxfeed.paths.ipfPath, { headers: { authorization: `Bearer ${token}` } })
    t.equal(instruments.status, 200)
    t.match(await instruments.json(), { user, filters })
  }
})

t.test('no cookie, an altered or old one, and a page of another origin get no token', async (t) => {
  const app = await start(t)
  const cookie = await cookieOf(app, 'ann')
  const old = `user=${encodeURIComponent(app.signCookie(`ann.${Date.now() - 13 * 60 * 60 * 1000}`))}`
  for (const headers of [{}, { cookie: cookie.replace('ann', 'bob') }, { cookie: old }]) {
    const { statusCode, json } = await app.inject({ url: PATH, headers })
    t.strictSame([statusCode, json().error.code], [401, 'UNAUTHORIZED'], JSON.stringify(headers))
  }
  const { statusCode, json } = await app.inject({ url: PATH, headers: { cookie, origin: 'https://evil.example' } })
  t.strictSame([statusCode, json().error.code], [403, 'ORIGIN_NOT_ALLOWED'])
})

t.test('keepToken, as the page loads it, gets a token from the app', async (t) => {
  const app = await start(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const cookie = await cookieOf(app, 'ann')
  const page = await app.inject({ url: '/', headers: { cookie } })
  t.strictSame(scriptsOf(page.body).sort(), ['/keep-token.js', '/widget.js'])
  t.match(page.body, `<script src="${ENV.DXFEED_WIDGET_SCRIPT}">`)
  t.match((await app.inject('/widget.js')).body, 'from \'fastify-gatehouse/browser\'')
  const script = await fetch(`${origin}/keep-token.js`)
  t.equal(script.headers.get('content-type'), 'text/javascript')
  const { keepToken } = await import(`data:text/javascript,${encodeURIComponent(await script.text())}`) as
    { keepToken (options: object): { token (): Promise<string>, stop (): void } }
  const keeper = keepToken({ url: origin + PATH, init: { headers: { cookie } }, onToken () {} })
  t.match(verifyWidgetToken(await keeper.token(), RULES), { valid: true, payload: { user: 'ann' } })
  keeper.stop()
})

t.test('a page needs a login', async (t) => {
  const { statusCode, headers } = await (await start(t)).inject('/')
  t.strictSame([statusCode, headers.location], [302, '/login'])
})

t.test('the example starts with its environment, and does not start without a secret', async (t) => {
  const { origin } = await startExample(t, 'dxfeed', ENV)
  t.equal((await fetch(`${origin}/login`)).status, 200)
  const messages = { DXFEED_SECRET: '"secret"', DXFEED_ISSUER: '"issuer"', COOKIE_SECRET: 'COOKIE_SECRET' }
  for (const [name, message] of Object.entries(messages)) {
    t.match(await startError(t, 'dxfeed', { ...ENV, [name]: '' }), message, name)
  }
})
