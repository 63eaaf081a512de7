import t from 'tap'

import { rawRequest } from '../../helpers/raw-socket.js'
import { PAGE, PATH, widgetTokenApp } from '../../helpers/widget-token.js'
import vectors from '../../vectors/cors/wpt_cors_origin_disallowed.json' with { type: 'json' }

const HOST = 'shop.example.com'
const PARTS: Record<string, string> = {
  SCHEME: 'https:',
  HOST,
  SUB: 'www',
  HREF: `${PAGE}/basket/page.html`,
  CROSSDOMAIN: 'https://evil.test',
  PARENT: 'example.com',
  'UPPER(SCHEME//HOST)': PAGE.toUpperCase(),
  'UPPER(SCHEME)': 'HTTPS:',
  'DIRNAME(HREF)': `${PAGE}/basket/`
}

/** Origins that look like the origin of the page; the route must refuse each of them. */
const lookAlikes = [
  `http://${HOST}`,
  `${PAGE}.`,
  `${PAGE}:443`,
  `${PAGE}:444`,
  `${PAGE}:8443`,
  `${PAGE}.evil.test`,
  'https://shop.example.com.evil.test',
  'https://evilshop.example.com',
  'https://evil-shop.example.com',
  'https://a.shop.example.com',
  'https://example.com',
  'https://shopxexample.com',
  'https://shop.example.comevil.test',
  'https://shop.example.co',
  'https://shop.example.community',
  'https://shop.example.com@evil.test',
  'https://evil.test#shop.example.com',
  'https://evil.test?shop.example.com',
  'https://evil.test/shop.example.com',
  'https://evil.test\\shop.example.com',
  `https://evil.test,${PAGE}`,
  `${PAGE},https://evil.test`,
  `${PAGE} https://evil.test`,
  `${PAGE}/`,
  `${PAGE}/path`,
  `${PAGE}%60.evil.test`,
  `${PAGE}_.evil.test`,
  `${PAGE}!.evil.test`,
  `${PAGE}%00`,
  'https://shop.example.com%2eevil.test',
  'https://ѕhop.example.com',
  'https://ｓhop.example.com',
  'https://shop。example。com',
  'https://xn--hop-7kd.example.com',
  'https://SHOP.example.com',
  'file://shop.example.com',
  'file://',
  'chrome-extension://shop.example.com',
  'capacitor://localhost',
  'http://localhost',
  'http://127.0.0.1',
  'undefined',
  'NULL',
  '*'
]

function fill (template: string): string {
  return template.replace(/\{([^{}]+)\}/g, (_all, name: string) => {
    const part = PARTS[name]
    if (part === undefined) throw new Error(`no value for ${name}`)
    return part
  })
}

t.test('a page of an allowed origin reads its token, with cookies', async (t) => {
  const { ask } = await widgetTokenApp(t)
  const response = await ask({ headers: { origin: PAGE } })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['access-control-allow-origin'], PAGE)
  t.equal(response.headers['access-control-allow-credentials'], 'true')
})

for (
  const [name, origins] of [['a value that browsers never match', vectors.disallowed.map(fill)], ['a look-alike',
    lookAlikes]] as const
) {
  t.test(`${name} as Origin is 403, without any CORS header, and no token is issued`, async (t) => {
    let asked = 0
    const { ask } = await widgetTokenApp(t, {
      authorize: () => {
        asked++
        return 'ann'
      }
    })
    for (const origin of origins) {
      const response = await ask({ headers: { origin } })
      t.equal(response.statusCode, 403, encodeURIComponent(origin))
      t.equal(response.json().error.code, 'ORIGIN_NOT_ALLOWED')
      t.same(Object.keys(response.headers).filter((name) => name.startsWith('access-control')), [])
    }
    t.equal(asked, 0)
    t.ok(origins.length >= 40)
  })
}

t.test('two Origin headers are 403', async (t) => {
  const { app } = await widgetTokenApp(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const pair of [[PAGE, 'https://evil.test'], ['https://evil.test', PAGE], [PAGE, PAGE]]) {
    const lines = [`GET ${PATH} HTTP/1.1`, 'Host: a', 'Connection: close', ...pair.map((value) => `Origin: ${value}`)]
    const { statusCode, head } = await rawRequest(origin, lines)
    t.equal(statusCode, 403)
    t.notMatch(head, /access-control-allow/i)
  }
})

t.test('the Referer does not change the decision', async (t) => {
  const { ask } = await widgetTokenApp(t)
  const referer = `${PAGE}/page`
  t.equal((await ask({ headers: { origin: 'https://evil.test', referer } })).statusCode, 403)
  t.equal((await ask({ headers: { origin: PAGE, referer: 'https://evil.test/' } })).statusCode, 200)
  const response = await ask({ headers: { referer } })
  t.equal(response.statusCode, 200, 'a script of another page sends an Origin')
  t.equal(response.headers['access-control-allow-origin'], undefined)
})

t.test('a preflight is allowed only for an allowed origin, and private networks are not allowed', async (t) => {
  const { ask } = await widgetTokenApp(t)
  const preflight = { 'access-control-request-method': 'GET', 'access-control-request-private-network': 'true' }
  const own = await ask({ method: 'OPTIONS', headers: { origin: PAGE, ...preflight } })
  t.equal(own.statusCode, 204)
  t.equal(own.headers['access-control-allow-origin'], PAGE)
  t.match(own.headers.vary, /Origin/)
  t.ok(Number(own.headers['access-control-max-age']) <= 600)
  t.equal(own.headers['access-control-allow-private-network'], undefined)
  const foreign = await ask({ method: 'OPTIONS', headers: { origin: 'https://evil.test', ...preflight } })
  t.equal(foreign.statusCode, 403)
  t.same(Object.keys(foreign.headers).filter((name) => name.startsWith('access-control')), [])
})

t.test('a page of an allowed origin can read errors', async (t) => {
  const { ask } = await widgetTokenApp(t, { authorize: () => null, rateLimit: { max: 1 } })
  for (const status of [401, 429]) {
    const response = await ask({ headers: { origin: PAGE } })
    t.equal(response.statusCode, status)
    t.equal(response.headers['access-control-allow-origin'], PAGE)
  }
})

t.test('without "cors" every Origin is 403', async (t) => {
  const { ask } = await widgetTokenApp(t, { cors: undefined } as object)
  t.equal((await ask()).statusCode, 200)
  const response = await ask({ headers: { origin: PAGE } })
  t.equal(response.statusCode, 403)
  t.equal(response.json().error.code, 'ORIGIN_NOT_ALLOWED')
})

t.test('100 parallel calls of one address get 60 tokens, with any X-Forwarded-For', async (t) => {
  let users = 0
  const { ask } = await widgetTokenApp(t, { rateLimit: undefined, authorize: () => `user ${users++}` } as object)
  const responses = await Promise.all(
    Array.from({ length: 100 }, (_, at) => ask({ headers: { 'x-forwarded-for': `10.0.0.${at}` } }))
  )
  t.equal(responses.filter(({ statusCode }) => statusCode === 200).length, 60)
  const limited = responses.filter(({ statusCode }) => statusCode === 429)
  t.equal(limited.length, 40)
  for (const response of limited) {
    t.equal(response.json().error.code, 'RATE_LIMITED')
    t.ok(Number(response.headers['retry-after']) > 0)
  }
  t.equal((await ask({ remoteAddress: '10.1.1.1' })).statusCode, 200)
})

t.test('calls of a user are limited over all addresses', async (t) => {
  const { ask } = await widgetTokenApp(t, {
    userRateLimit: { max: 2 },
    authorize: ({ query }) => (query as { as: string }).as
  })
  const statuses = []
  for (const host of [1, 2, 3]) {
    statuses.push((await ask({ url: `${PATH}?as=ann`, remoteAddress: `10.0.0.${host}` })).statusCode)
  }
  t.same(statuses, [200, 200, 429])
  t.equal((await ask({ url: `${PATH}?as=bob` })).statusCode, 200)
})

t.test('users of the same name in two tenants are limited separately', async (t) => {
  const { ask } = await widgetTokenApp(t, {
    userRateLimit: { max: 1 },
    authorize: ({ query }) => ({ user: 'alice', tenant: (query as { of: string }).of })
  })
  const statuses = []
  for (const tenant of ['a', 'a', 'b', 'b']) statuses.push((await ask({ url: `${PATH}?of=${tenant}` })).statusCode)
  t.same(statuses, [200, 429, 200, 429])
})
