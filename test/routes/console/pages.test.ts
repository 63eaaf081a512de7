import { brotliDecompressSync, gunzipSync } from 'node:zlib'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import adminConsole from '../../../routes/console/index.js'
import type { AdminConsoleOptions } from '../../../routes/console/index.js'
import { registerAdmin } from '../../helpers/admin-routes.js'

async function consoleApp (t: Test, options: AdminConsoleOptions = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(adminConsole, options)
  await app.ready()
  return app
}

/** The URL of the script of the start page. */
function scriptOf (html: string): string {
  return `/console/${/src="\.\/(assets\/[^"]+\.js)"/.exec(html)?.[1] ?? ''}`
}

/** Where a browser looks for the assets of a page, by its base. */
function folderOf (html: string, path: string): string {
  return new URL(/<base href="([^"]*)">/.exec(html)?.[1] ?? 'none', `https://host.example${path}`).pathname
}

t.test('each page below the path is the same document, whose base is the folder of the console', async (t) => {
  const app = await consoleApp(t)
  for (const path of ['/console', '/console/', '/console/sources', '/console/sources/a.b%2Fc', '/console/a/b/c?d=/e']) {
    const { statusCode, headers, body } = await app.inject(path)
    t.equal(statusCode, 200, path)
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
    t.equal(headers['cache-control'], 'no-cache')
    t.equal(folderOf(body, path), '/console/', path)
  }
})

t.test('the base and the API are relative, so that a proxy may serve the app below another path', async (t) => {
  const app = await consoleApp(t, { prefix: '/tools/admin', api: '/api/admin' })
  const { body } = await app.inject('/tools/admin/sources/1')
  t.equal(folderOf(body, '/gate/tools/admin/sources/1'), '/gate/tools/admin/')
  const api = /<meta name="gatehouse-api" content="([^"]*)">/.exec(body)?.[1] ?? ''
  t.equal(new URL(api, 'https://host.example/gate/tools/admin/').pathname, '/gate/api/admin/')
})

t.test('a page has a policy without inline code, other origins and script strings', async (t) => {
  const app = await consoleApp(t)
  const { headers, body } = await app.inject('/console/')
  t.equal(
    headers['content-security-policy'],
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
      "base-uri 'self'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
  )
  t.match(headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' })
  t.notMatch(body, /<script(?![^>]* src=)|<style| style=| on\w+=/, 'no inline code')
})

t.test('assets have a year of life and the coding that the browser accepts', async (t) => {
  const app = await consoleApp(t)
  const url = scriptOf((await app.inject('/console/')).body)
  const plain = await app.inject(url)
  t.equal(plain.statusCode, 200)
  t.match(plain.headers, {
    'content-type': /^(?:text|application)\/javascript/,
    'cache-control': 'public, max-age=31536000, immutable'
  })
  for (const [coding, decode] of [['br', brotliDecompressSync], ['gzip', gunzipSync]] as const) {
    const reply = await app.inject({ url, headers: { 'accept-encoding': coding } })
    t.equal(reply.headers['content-encoding'], coding)
    t.equal(reply.headers['vary'], 'accept-encoding')
    t.equal(decode(reply.rawPayload).toString(), plain.body)
  }
})

t.test('a page and an asset answer 304 to their own tag, and HEAD without a body', async (t) => {
  const app = await consoleApp(t)
  const { headers: { etag }, body } = await app.inject('/console/sources')
  for (const url of ['/console/sources', scriptOf(body)]) {
    const tag = (await app.inject(url)).headers.etag ?? ''
    const unchanged = await app.inject({ url, headers: { 'if-none-match': tag } })
    t.same([unchanged.statusCode, unchanged.body], [304, ''], url)
    t.equal((await app.inject({ url, headers: { 'if-none-match': '"other"' } })).statusCode, 200)
    const head = await app.inject({ method: 'HEAD', url })
    t.same([head.statusCode, head.body], [200, ''])
  }
  t.equal((await app.inject({ url: '/console/sources', headers: { 'if-none-match': `W/${etag}` } })).statusCode, 304)
})

t.test('unknown assets, paths outside of the console and other methods are 404', async (t) => {
  const app = await consoleApp(t)
  for (const path of ['/console/assets/', '/console/assets/none.js', '/console/assets/%2e%2e%2findex.html', '/consoles',
    '/v1/admin/none']) {
    t.equal((await app.inject(path)).statusCode, 404, path)
  }
  const { body } = await app.inject('/console/assets/none.js')
  t.equal(JSON.parse(body).error.code, 'NOT_FOUND')
  t.equal((await app.inject({ method: 'POST', url: '/console/sources' })).statusCode, 404)
})

t.test('the page names the parts of the admin API that the app has', async (t) => {
  const features = (html: string) => /<meta name="gatehouse-features" content="([^"]*)">/.exec(html)?.[1]
  const bare = await consoleApp(t)
  t.equal(features((await bare.inject('/console/')).body), '')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(adminConsole)
  await registerAdmin(app)
  t.equal(features((await app.inject('/console/')).body), 'sources users keys mfa passkeys sso scim')
})

t.test('the page names where the guide is: on the same server, elsewhere, or nowhere', async (t) => {
  const guides = [['/guide', '../guide'], ['https://docs.example.com/gate', 'https://docs.example.com/gate'], [undefined, '']]
  for (const [guide, content] of guides) {
    const app = await consoleApp(t, guide === undefined ? {} : { guide })
    t.match((await app.inject('/console/')).body, `<meta name="gatehouse-guide" content="${content}">`)
  }
})

t.test('a title is escaped', async (t) => {
  const app = await consoleApp(t, { title: '<b>"A & B"' })
  t.match((await app.inject('/console/')).body, '<title>&lt;b&gt;&quot;A &amp; B&quot;</title>')
})

t.test('the rate limit counts pages and assets of an address', async (t) => {
  const app = await consoleApp(t, { rateLimit: { max: 2, timeWindow: 60_000 } })
  const statuses = []
  for (const url of ['/console', '/console/sources', '/console/users']) statuses.push((await app.inject(url)).statusCode)
  t.same(statuses, [200, 200, 429])
})

t.test('it can be registered twice, and beside the host\'s own @fastify/static and hooks', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const { default: fastifyStatic } = await import('@fastify/static')
  await app.register(fastifyStatic, { root: new URL('.', import.meta.url), prefix: '/files/' })
  app.addHook('onSend', async (_request, reply) => { reply.header('x-frame-options', 'SAMEORIGIN') })
  await app.register(adminConsole)
  await app.register(adminConsole, { prefix: '/other' })
  t.equal((await app.inject('/console/')).statusCode, 200)
  t.equal((await app.inject('/other/sources')).headers['x-frame-options'], 'DENY')
  t.equal((await app.inject('/files/pages.test.ts')).statusCode, 200)
})

const BAD: ReadonlyArray<readonly [string, unknown]> = [['prefix', '/'], ['prefix', 'console'], ['prefix', '/console/'],
  ['prefix', ''], ['api', 'https://api.example.com'], ['api', '/v1/:x'], ['title', ''], ['title', 5], ['titel', 'x'],
  ['guide', 'guide'], ['guide', 'javascript:alert(1)'], ['guide', 5]]
for (const [name, value] of BAD) {
  t.test(`the option ${name}: ${JSON.stringify(value)} is refused at start`, async (t) => {
    await t.rejects(consoleApp(t, { [name]: value }), { code: 'INVALID_OPTIONS' })
  })
}
