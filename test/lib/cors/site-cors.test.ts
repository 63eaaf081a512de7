import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { routeScope } from '../../../lib/http/route-scope.js'
import type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'

const PAGE = 'https://app.example.com'

async function site (t: Test, cors: SiteCorsOptions): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await routeScope(app, { cors }, async (scope) => {
    scope.get('/x', async () => ({}))
    scope.get('/fails', async () => {
      throw new Error('broken')
    })
  })
  return app
}

const grants = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control-')).sort()

t.test('an entry that is not an exact origin stops the start', async (t) => {
  for (
    const origin of [
      '*',
      'null',
      '',
      '/.*/',
      '.*',
      'https://*.example.com',
      'https://*',
      'https://app.example.com/',
      'https://app.example.com/x',
      'https://app.example.com?x',
      'https://app.example.com#x',
      'https://user@app.example.com',
      'https://app.example.com:443',
      'HTTPS://APP.EXAMPLE.COM',
      'app.example.com',
      '//app.example.com',
      'javascript:alert(1)',
      'data:text/html,x',
      'file://',
      'ws://app.example.com',
      'ftp://app.example.com',
      ' https://app.example.com',
      'https://app.example.com, https://b.example.com',
      'https://exämple.com'
    ]
  ) {
    await t.rejects(
      site(t, { origins: [PAGE, origin] }),
      { code: 'INVALID_OPTIONS', message: /"origins"/ },
      JSON.stringify(origin)
    )
  }
  for (const origins of [PAGE, /.*/, undefined, true, [/.*/], [null]]) {
    await t.rejects(
      site(t, { origins: origins as never }),
      { code: 'INVALID_OPTIONS', message: /"origins"/ },
      String(origins)
    )
  }
  for (
    const origin of [
      'capacitor://localhost',
      'ionic://localhost',
      'tauri://localhost',
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
      'moz-extension://0a1b2c3d-0000-4000-8000-00000000abcd'
    ]
  ) {
    const app = await site(t, { origins: [PAGE, origin] })
    const reply = await app.inject({ url: '/x', headers: { origin } })
    t.equal(reply.headers['access-control-allow-origin'], origin)
    t.equal((await app.inject({ url: '/x', headers: { origin: `${origin}.evil` } })).statusCode, 403)
  }
  for (
    const origin of ['http://localhost:3000', 'https://127.0.0.1', 'https://[::1]:8443', 'https://xn--exmple-cua.com']
  ) await t.resolves(site(t, { origins: [origin] }), origin)
})

t.test('another wrong option of cors stops the start with an error that names it', async (t) => {
  const cases: Array<[options: object, message: string]> = [
    [{ methods: 'GET' }, 'cors: "methods" must be a list of methods; got "GET"'],
    [{ allowedHeaders: 'x-a' }, 'cors: "allowedHeaders" must be a list of header names'],
    [{ credentials: 'no' }, 'cors: "credentials" must be true or false; got "no"'],
    [{ maxAgeSeconds: '600' }, 'cors: "maxAgeSeconds" must be a whole number of seconds, 0 or more; got "600"'],
    [{ maxAgeSeconds: -1 }, 'cors: "maxAgeSeconds" must be a whole number of seconds, 0 or more; got -1']
  ]
  for (const [options, message] of cases) {
    await t.rejects(site(t, { origins: [PAGE], ...options }), { code: 'INVALID_OPTIONS', message })
  }
})

t.test('an origin that a browser sends in another spelling is refused with that spelling', async (t) => {
  for (
    const [origin, sent] of [
      ['https://bücher.example', 'https://xn--bcher-kva.example'],
      ['https://app.example.com/', 'https://app.example.com'],
      ['HTTPS://App.Example.COM:443/x', 'https://app.example.com'],
      ['Capacitor://localhost', 'capacitor://localhost']
    ] as const
  ) {
    await t.rejects(site(t, { origins: [origin] }), {
      code: 'INVALID_OPTIONS',
      message: new RegExp(`browsers send "${origin}" as "${sent}"`)
    }, origin)
  }
})

t.test('without an Origin no CORS header is set, with any Referer, and the response has Vary: Origin', async (t) => {
  const app = await site(t, { origins: [PAGE] })
  for (const headers of [{}, { referer: `${PAGE}/page` }]) {
    const reply = await app.inject({ url: '/x', headers })
    t.equal(reply.statusCode, 200)
    t.same(grants(reply.headers), [])
    t.equal(reply.headers.vary, 'Origin')
  }
  const foreign = await app.inject({ url: '/x', headers: { origin: 'https://evil.test', referer: `${PAGE}/page` } })
  t.equal(foreign.statusCode, 403)
  t.same(grants(foreign.headers), [])
})

t.test('a preflight does not allow access to a private network', async (t) => {
  const app = await site(t, { origins: [PAGE] })
  const reply = await app.inject({
    method: 'OPTIONS',
    url: '/x',
    headers: { origin: PAGE, 'access-control-request-method': 'GET', 'access-control-request-private-network': 'true' }
  })
  t.equal(reply.statusCode, 204)
  t.same(grants(reply.headers), ['access-control-allow-credentials', 'access-control-allow-headers',
    'access-control-allow-methods', 'access-control-allow-origin', 'access-control-expose-headers',
    'access-control-max-age'])
})

t.test("a success and a failure have Vary: Origin once, and the site's page can read both, with cookies only " +
  'if they are allowed', async (t) => {
  for (const credentials of [true, false]) {
    const app = await site(t, { origins: [PAGE], credentials })
    for (const [url, status] of [['/x', 200], ['/fails', 500]] as const) {
      const { statusCode, headers } = await app.inject({ url, headers: { origin: PAGE } })
      t.equal(statusCode, status)
      t.equal(headers['access-control-allow-origin'], PAGE)
      t.equal(headers['access-control-allow-credentials'], credentials ? 'true' : undefined)
      t.equal(headers.vary, 'Origin')
    }
  }
})
