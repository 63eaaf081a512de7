import t from 'tap'
import type { Test } from 'tap'

import { startDataBrain } from '../../server/mock-products/databrain.js'
import { generateSecret, verifyUserReference } from '../../signing/index.js'
import { cookieOf, DEMO_PASSWORD, scriptsOf, submitLogin } from '../helpers/example-login.js'
import { exampleApp, startError, startExample } from '../helpers/example.js'
import { freePort } from '../helpers/free-port.js'

const [PROXY_KEY, USER_REFERENCE_KEY, SESSION_SECRET] = [generateSecret(), generateSecret(), generateSecret()]

interface Dbn { baseUrl: string, proxyAuthKey: string, proxyAuthUrl: string, isEnableProxyAuth: boolean }

/** The example behind a port, with the mock DataBrain, which calls it back. */
async function start (t: Test) {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const proxyAuthUrls = [`${origin}/api/databrain/guest-token`]
  const databrain = await startDataBrain({ embedders: [origin], proxyAuthUrls })
  t.teardown(() => databrain.close())
  const app = await exampleApp(t, 'databrain-session', {
    DATABRAIN_API_KEY: databrain.apiKey,
    DATABRAIN_API_URL: databrain.origin,
    DATABRAIN_DATA_APP: 'Sales',
    DATABRAIN_DASHBOARD: 'sales',
    DATABRAIN_PROXY_KEY: PROXY_KEY,
    USER_REFERENCE_KEY,
    SESSION_SECRET,
    DEMO_PASSWORD,
    PUBLIC_URL: origin
  })
  await app.listen({ host: '127.0.0.1', port })

  /** What DataBrain's servers do for the component of a page. */
  async function openComponent (dbn: Dbn) {
    const body = JSON.stringify(dbn)
    const response = await fetch(`${databrain.origin}/component/session`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body
    })
    return { status: response.status, ...await response.json() as { token?: string, error?: { message: string } } }
  }
  return { app, origin, databrain, openComponent }
}

function dbnOf (html: string): Dbn {
  return JSON.parse(/window\.dbn = (\{.*?\})</.exec(html)?.[1] ?? '{}') as Dbn
}

t.test('a signed-in user gets a page whose component loads the rows of the user\'s company', async (t) => {
  const { app, databrain, openComponent } = await start(t)
  const cookie = await cookieOf(app, 'ann')
  const page = await app.inject({ url: '/', headers: { cookie } })
  t.equal(page.statusCode, 200)
  const dbn = dbnOf(page.body)
  const reference = new URL(dbn.proxyAuthUrl).searchParams.get('ref') ?? ''
  const rules = { keys: [USER_REFERENCE_KEY], audience: 'gatehouse-embed' }
  t.match(verifyUserReference(reference, rules), { sub: 'ann', company: 'acme' })

  const { status, token = '' } = await openComponent(dbn)
  t.equal(status, 200)
  const rows = await fetch(`${databrain.origin}/api/v2/dashboard`, { headers: { 'x-plugin-token': token } })
  t.match(await rows.json(), { data: { clientId: 'acme', externalDashboard: { name: 'Sales' } } })
})

t.test('DataBrain gets no token for an altered reference or another key', async (t) => {
  const { app, openComponent } = await start(t)
  const page = await app.inject({ url: '/', headers: { cookie: await cookieOf(app, 'ann') } })
  const dbn = dbnOf(page.body)
  t.match(await openComponent({ ...dbn, proxyAuthUrl: `${dbn.proxyAuthUrl}A` }), {
    status: 401, error: { message: 'User not authenticated' }
  })
  t.match(await openComponent({ ...dbn, proxyAuthKey: generateSecret() }), {
    status: 401, error: { message: 'Invalid authentication key' }
  })
})

t.test('a page that stays open renews its URL by the session of the user', async (t) => {
  const { app, openComponent } = await start(t)
  const cookie = await cookieOf(app, 'ann')
  const dbn = dbnOf((await app.inject({ url: '/', headers: { cookie } })).body)
  const renewed = await app.inject({ url: '/api/databrain/proxy-auth-url', headers: { cookie } })
  t.equal(renewed.statusCode, 200)
  const { proxyAuthUrl } = renewed.json()
  t.match(await openComponent({ ...dbn, proxyAuthUrl }), { status: 200, token: /^[0-9a-f-]{36}$/ })
  const anonymous = await app.inject('/api/databrain/proxy-auth-url')
  t.equal(anonymous.statusCode, 401)
  t.equal(anonymous.json().error.code, 'UNAUTHORIZED')
})

t.test('the proxy forwards calls of a signed-in user with the token of the user\'s company', async (t) => {
  const { app, origin } = await start(t)
  const cookie = await cookieOf(app, 'ann')
  const { baseUrl, proxyAuthKey } = dbnOf((await app.inject({ url: '/proxied', headers: { cookie } })).body)
  t.equal(baseUrl, `${origin}/api/databrain/proxy`)
  const call = async (headers: Record<string, string>) => {
    const response = await fetch(`${baseUrl}/api/v2/dashboard`, { headers })
    return { status: response.status, ...await response.json() as object }
  }
  const key = { 'x-proxy-auth-key': proxyAuthKey }
  t.match(await call({ cookie, ...key }), { status: 200, data: { clientId: 'acme' } })
  t.match(await call({ ...key }), { status: 401, error: { code: 'UNAUTHORIZED' } }, 'no session')
  t.match(await call({ cookie }), { status: 401, error: { code: 'UNAUTHORIZED' } }, 'no proxy key')
  const foreign = { cookie, ...key, origin: 'https://evil.example' }
  t.match(await call(foreign), { status: 403, error: { code: 'ORIGIN_NOT_ALLOWED' } })
})

t.test('a user without permission is refused on every route', async (t) => {
  const { app } = await start(t)
  const headers = { cookie: await cookieOf(app, 'bob'), 'x-proxy-auth-key': PROXY_KEY }
  for (const url of ['/', '/api/databrain/proxy-auth-url', '/api/databrain/proxy/api/v2/dashboard']) {
    t.equal((await app.inject({ url, headers })).statusCode, 403, url)
  }
})

t.test('pages require a login', async (t) => {
  const { app } = await start(t)
  for (const url of ['/', '/proxied']) {
    const { statusCode, headers } = await app.inject(url)
    t.strictSame([statusCode, headers.location], [302, '/login'], url)
  }
  for (const [user, password] of [['ann', 'a wrong password'], ['eve', DEMO_PASSWORD]] as const) {
    const refused = await submitLogin(app, user, password)
    t.strictSame([refused.statusCode, refused.cookies], [401, []], user)
  }
})

t.test('the scripts of both pages are served', async (t) => {
  const { app } = await start(t)
  const cookie = await cookieOf(app, 'ann')
  for (const [url, script] of [['/', '/guest-token.js'], ['/proxied', '/proxied.js']] as const) {
    const scripts = scriptsOf((await app.inject({ url, headers: { cookie } })).body)
    t.strictSame(scripts.sort(), ['/databrain.js', '/keep-token.js', script].sort())
    for (const path of scripts) {
      const { statusCode, headers } = await app.inject(path)
      t.strictSame([statusCode, headers['content-type']], [200, 'text/javascript'], path)
    }
  }
})

t.test('the example starts with its environment, and does not start without a key', async (t) => {
  const env = {
    DATABRAIN_API_KEY: 'an-api-key',
    DATABRAIN_DATA_APP: 'Sales',
    DATABRAIN_PROXY_KEY: PROXY_KEY,
    USER_REFERENCE_KEY,
    SESSION_SECRET,
    DEMO_PASSWORD
  }
  const { origin } = await startExample(t, 'databrain-session', env)
  t.equal((await fetch(`${origin}/login`)).status, 200)
  const messages = {
    DATABRAIN_API_KEY: '"apiKey"',
    DATABRAIN_PROXY_KEY: '"proxyKeys',
    USER_REFERENCE_KEY: '"userReferenceKeys',
    SESSION_SECRET: 'secret'
  }
  for (const [name, message] of Object.entries(messages)) {
    t.match(await startError(t, 'databrain-session', { ...env, [name]: '' }), message, name)
  }
})
