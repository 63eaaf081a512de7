import t from 'tap'

import { generateSecret } from '../../signing/secret-strength/index.js'
import { demoApp } from '../helpers/server-app.js'
import { feedState } from '../helpers/feed-state.js'

const json = { 'content-type': 'application/json' }

t.test("a visitor's cookie works in all three flows from the page to the products", async (t) => {
  const { app, products } = await demoApp(t, {}, { listen: true })
  const origin = app.listeningOrigin
  const start = await fetch(`${origin}/`)
  t.equal(start.status, 200)
  const cookie = start.headers.get('set-cookie') ?? ''
  t.match(cookie, /^gatehouse_demo=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/)
  const headers = { cookie: cookie.split(';')[0] ?? '' }
  const page = await (await fetch(`${origin}/demo/page.json`, { headers })).json() as {
    user: string
    databrain: { page: object }
    pipelineKey: string
  }
  t.equal(page.user, 'viewer@example.com')

  const session = await fetch(`${products.databrain?.mockOrigin}/component/session`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify(page.databrain.page)
  })
  t.equal(session.status, 200)
  const { token } = await session.json() as { token: string }
  t.match(
    await (await fetch(`${products.databrain?.mockOrigin}/embed?token=${token}`)).text(),
    'Rows of <b>viewer@example.com</b>'
  )

  const embedQuerString =
    `embed_nonce=${crypto.randomUUID()}&embed_dashboard_id=c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff&embed_mode=view` +
    `&embed_timestamp=${Math.floor(Date.now() / 1000)}&embed_expirationtime=86400`
  const authorized = await fetch(`${origin}/authorize`, {
    method: 'POST',
    headers: { ...json, ...headers, origin },
    body: JSON.stringify({ embedQuerString, dashboardServerApiUrl: products.boldbi?.apiUrl })
  })
  t.equal(authorized.status, 200)
  const { Data } = await authorized.json() as { Data: { DashboardUrl: string } }
  t.match(await (await fetch(`${products.boldbi?.mockOrigin}${Data.DashboardUrl}`)).text(), 'viewer@example.com')

  const widget = await fetch(`${origin}/api/generate-token`, { headers })
  t.equal(widget.status, 200)
  const { token: widgetToken } = await widget.json() as { token: string }
  t.equal(await feedState(products.dxfeed?.paths?.feedPath ?? '', widgetToken), 'AUTHORIZED')

  const event = await fetch(`${origin}/v1/t`, {
    method: 'POST',
    headers: { ...json, origin, authorization: `Bearer ${page.pipelineKey}` },
    body: '{"event":"Clicked","userId":"u"}'
  })
  t.equal(event.status, 200)
  t.same(await event.json(), { success: true })
})

t.test('the end user comes from the reference, otherwise from the session, otherwise from EMBED_USER', async (t) => {
  const { app, products, secrets } = await demoApp(t, { EMBED_USER: 'fallback@example.com' }, { listen: true })
  const authorization = `Bearer ${secrets.DATABRAIN_PROXY_KEY[0]}`
  const clientOf = async (headers: Record<string, string>, query = '') => {
    const answer = await app.inject({
      url: `/api/databrain/guest-token${query}`,
      headers: { authorization, ...headers }
    })
    if (answer.statusCode !== 200) return answer.statusCode
    return /Rows of <b>([^<]+)</.exec(
      await (await fetch(`${products.databrain?.mockOrigin}/embed?token=${answer.json().token}`)).text()
    )?.[1]
  }
  const chosen = await app.inject({ method: 'POST', url: '/demo/session', payload: { user: 'ann@example.com' } })
  t.equal(chosen.statusCode, 204)
  const cookie = String(chosen.headers['set-cookie']).split(';')[0] ?? ''
  const ref = app.userReference.sign({ sub: 'bob' })

  t.equal(await clientOf({}), 'fallback@example.com')
  t.equal(await clientOf({ cookie }), 'ann@example.com')
  t.equal(await clientOf({ cookie }, `?ref=${ref}`), 'bob')
  t.equal(await clientOf({ cookie, 'x-user-reference': ref }), 'bob')
  t.equal(await clientOf({ cookie: `${cookie}x` }), 'fallback@example.com', 'a forged session is ignored')
  t.equal(await clientOf({ cookie: `gatehouse_demo=${ref}` }), 'fallback@example.com', 'a reference is no session')
  t.equal(
    await clientOf({ cookie }, `?ref=${cookie.slice('gatehouse_demo='.length)}`),
    401,
    'a session is no reference'
  )
  t.equal(
    (await app.inject({ method: 'POST', url: '/demo/session', payload: { user: 'root' } })).statusCode,
    400,
    'an unknown demo user'
  )
})

t.test('with a real product and no EMBED_USER there is no end user, and the page starts no session', async (t) => {
  const { app, products } = await demoApp(t, { DXFEED_SECRET: 's3cr3t', DXFEED_ISSUER: 'acme', DXFEED_SESSION: 'web' })
  const start = await app.inject('/')
  t.equal(start.statusCode, 200)
  t.equal(start.headers['set-cookie'], undefined)
  t.equal((await app.inject('/api/generate-token')).statusCode, 401)
  t.equal(
    (await app.inject({ method: 'POST', url: '/demo/session', payload: { user: 'viewer@example.com' } })).statusCode,
    400
  )
  t.match((await app.inject('/demo/page.json')).json(), {
    user: null,
    users: [],
    dxfeed: { mockOrigin: null },
    boldbi: { apiUrl: products.boldbi?.apiUrl }
  })
})

t.test('in production there is no page, no session and no demo source', async (t) => {
  const off = { DATABRAIN: 'off', BOLDBI: 'off', DXFEED: 'off' }
  const { app, first, store } = await demoApp(t, {
    NODE_ENV: 'production',
    JWT_SECRET: generateSecret(),
    SECRETS_KEY: generateSecret(),
    ...off
  })
  for (
    const url of ['/', '/demo/page.json', '/demo/start.js', '/authorize', '/api/generate-token',
      '/api/databrain/guest-token']
  ) {
    t.equal((await app.inject(url)).statusCode, 404, url)
  }
  t.equal(first.pipelineKey, null)
  t.same((await store.sources.list('default', { limit: 10 })).data, [])
})

t.test('with DOCS=off no docs are served', async (t) => {
  const { app } = await demoApp(t, { DOCS: 'off' })
  t.equal((await app.inject('/docs')).statusCode, 404)
  t.equal((await app.inject('/docs/json')).statusCode, 404)
})

t.test("the first start creates an owner who can log in and a source for the server's own pages", async (t) => {
  const { app, first } = await demoApp(t)
  t.match(first, { email: 'admin@example.com', generatedPassword: /^[\w-]{43}$/, pipelineKey: /^dk_live_/ })
  const login = await app.inject({
    method: 'POST',
    url: '/v1/admin/auth/login',
    payload: { email: first.email, password: first.generatedPassword }
  })
  t.equal(login.statusCode, 200)
  const sources = await app.inject({
    url: '/v1/admin/sources',
    headers: { authorization: `Bearer ${login.json().access_token}` }
  })
  t.match(sources.json(), {
    data: [{
      name: 'Demo',
      pipeline_key: first.pipelineKey,
      domains: ['http://127.0.0.1:3000', 'http://localhost:3000']
    }]
  })
})
