import t from 'tap'
import fastify from 'fastify'

import { startDataBrain } from '../../../server/mock-products/databrain.js'
import type { DataBrain, DataBrainOptions } from '../../../server/mock-products/databrain.js'
import type { PageConfig } from '../../../routes/databrain/guest-token/index.js'

type Test = Pick<typeof t, 'teardown'>

const CREATE = '/api/v2/guest-token/create'

async function mock (test: Test, options: Partial<DataBrainOptions> = {}): Promise<DataBrain> {
  const started = await startDataBrain({ embedders: ['http://127.0.0.1:3000'], proxyAuthUrls: [], ...options })
  test.teardown(() => started.close())
  return started
}

function create ({ origin, apiKey }: DataBrain, body: unknown, authorization = `Bearer ${apiKey}`): Promise<Response> {
  return fetch(origin + CREATE, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify(body)
  })
}

t.test('the API key mints a token that opens the dashboard of its client', async (t) => {
  const dataBrain = await mock(t)
  const answer = await create(dataBrain, {
    clientId: 'acme <b>',
    dataAppName: 'Sales',
    params: {},
    permissions: {},
    expiryTime: 60_000
  })
  t.equal(answer.status, 200)
  const { token } = await answer.json() as { token: string }
  t.match(token, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const embed = await fetch(`${dataBrain.origin}/embed?token=${token}`)
  t.equal(embed.status, 200)
  t.match(await embed.text(), /acme &lt;b&gt;/, 'the name is escaped')
  t.match(embed.headers.get('content-security-policy'), /frame-ancestors http:\/\/127\.0\.0\.1:3000/)
})

t.test('a wrong key and a body without a client get an error object and no token', async (t) => {
  const dataBrain = await mock(t)
  const cases: Array<[string, number, string, Promise<Response>]> = [
    ['no key', 401, 'INVALID_TOKEN', create(dataBrain, { clientId: 'a' }, '')],
    ['a wrong key', 401, 'INVALID_TOKEN', create(dataBrain, { clientId: 'a' }, 'Bearer wrong')],
    ['the bare key', 401, 'INVALID_TOKEN', create(dataBrain, { clientId: 'a' }, dataBrain.apiKey)],
    ['no client', 400, 'CLIENT_ID_ERROR', create(dataBrain, {})],
    ['an empty client', 400, 'CLIENT_ID_ERROR', create(dataBrain, { clientId: '' })],
    ['a negative lifetime', 400, 'INVALID_REQUEST_BODY', create(dataBrain, { clientId: 'a', expiryTime: -1 })]
  ]
  for (const [name, status, code, pending] of cases) {
    const answer = await pending
    t.equal(answer.status, status, name)
    t.match(await answer.json(), { error: { code } }, name)
  }
})

t.test('an unknown and an expired token give no access', async (t) => {
  let now = Date.now()
  const dataBrain = await mock(t, { now: () => now })
  const { token } = await (await create(dataBrain, { clientId: 'a', expiryTime: 60_000 })).json() as { token: string }
  const open = async (query: string) => (await fetch(`${dataBrain.origin}/embed${query}`)).status
  t.equal(await open(''), 401)
  t.equal(await open('?token=a30b0a2e-3e0c-4f5e-8d0f-0b3a4d1c2b3a'), 401)
  t.equal(await open(`?token=${token}&token=${token}`), 401)
  now += 59_999
  t.equal(await open(`?token=${token}`), 200)
  now += 1
  t.equal(await open(`?token=${token}`), 401)
})

function dbn (proxyAuthUrl: string): PageConfig {
  return { baseUrl: 'https://app.usedatabrain.com', proxyAuthUrl, proxyAuthKey: 'the-key', isEnableProxyAuth: true }
}

t.test('the component refuses a page that lacks one of the four required properties of window.dbn', async (t) => {
  const { origin } = await mock(t, { proxyAuthUrls: ['https://app.example.com/proxy'] })
  const good = dbn('https://app.example.com/proxy')
  const wrong: Array<[keyof PageConfig, unknown[]]> = [
    ['baseUrl', [undefined, '', 'app.usedatabrain.com', 7]],
    ['proxyAuthUrl', [undefined, '', 7]],
    ['proxyAuthKey', [undefined, '', 7]],
    ['isEnableProxyAuth', [undefined, false, 'true', 1]]
  ]
  for (const [name, values] of wrong) {
    for (const value of values) {
      const answer = await fetch(`${origin}/component/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...good, [name]: value })
      })
      t.equal(answer.status, 400, `${name}: ${String(value)}`)
      t.match((await answer.json() as { error: { message: string } }).error.message, `window.dbn.${name} is`)
    }
  }
})

t.test("the component shows the error of the customer's endpoint, or its own error if the endpoint cannot be " +
  'reached', async (t) => {
  const customer = fastify()
  const error = { code: 'FORBIDDEN', message: 'Your plan has no dashboards' }
  customer.get('/refuses', async (_request, reply) => reply.code(403).send({ error }))
  customer.get('/page', async (_request, reply) => reply.type('text/html').send('<h1>Hello</h1>'))
  const origin = await customer.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => customer.close())
  const dataBrain = await mock(t, { proxyAuthUrls: ['/refuses', '/page'].map((path) => origin + path) })
  const session = (path: string) =>
    fetch(`${dataBrain.origin}/component/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(dbn(origin + path))
    })
  const refused = await session('/refuses')
  t.same([refused.status, await refused.json()], [403, { error }])
  const broken = await session('/page')
  t.same([broken.status, await broken.json()], [502, {
    error: { code: 'PROXY_AUTH_ERROR', message: 'Network error or timeout' }
  }])
})

t.test("the component calls the customer's endpoint with the key, and only at the allowed URL", async (t) => {
  let token = ''
  const seen: unknown[] = []
  const customer = fastify()
  customer.get('/proxy', async ({ headers, query }) => {
    seen.push([headers.authorization, headers['content-type'], query])
    return { token }
  })
  const origin = await customer.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => customer.close())
  const dataBrain = await mock(t, { proxyAuthUrls: [`${origin}/proxy`] })
  const session = (proxyAuthUrl: string) =>
    fetch(`${dataBrain.origin}/component/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(dbn(proxyAuthUrl))
    })

  token = (await (await create(dataBrain, { clientId: 'a', expiryTime: 60_000 })).json() as { token: string }).token
  const good = await session(`${origin}/proxy?ref=abc`)
  t.equal(good.status, 200)
  t.same(await good.json(), { token })
  t.same(seen, [['Bearer the-key', 'application/json', { ref: 'abc' }]])

  for (const url of [`${origin}/other`, 'http://127.0.0.1:1/proxy', 'not a url', `${origin}/proxy/../x`]) {
    t.equal((await session(url)).status, 403, url)
  }
  t.equal(seen.length, 1, 'no other request was sent')
  token = 'a30b0a2e-3e0c-4f5e-8d0f-0b3a4d1c2b3a'
  t.equal((await session(`${origin}/proxy`)).status, 401, 'a token that the product did not issue')
})
