import { readFileSync } from 'node:fs'

import Fastify from 'fastify'
import t from 'tap'

import embedAuthorize from '../../../routes/embed-authorize/index.js'
import { canary } from '../../helpers/canary.js'
import { SECRET, embedApp, embedQuery, injectJson, readCall } from '../../helpers/embed.js'

const SSRF = new URL('../../vectors/url_ssrf/', import.meta.url)
const PATT = readFileSync(new URL('patt_ssrf_urls.txt', SSRF), 'utf8').split('\n').filter((line) => line.trim() !== '')
const WPT =
  (JSON.parse(readFileSync(new URL('wpt_urltestdata.json', SSRF), 'utf8')) as Array<string | { input: string }>)
    .flatMap((entry) => typeof entry === 'string' ? [] : [entry.input])

for (const errors of ['sdk', 'http'] as const) {
  t.test(`with errors: '${errors}' an address that is not configured is 403, and no server is called`, async (t) => {
    const trap = await canary(t)
    const { bi, post } = await embedApp(t, { errors })
    t.ok(PATT.length >= 160)
    const traps = [trap.origin, `${trap.origin}/bi/api/site/site1`, `http://localhost:${trap.port}/`,
      `http://[::1]:${trap.port}/`, `http://0x7f000001:${trap.port}/`]
    for (const address of [...PATT, ...traps]) {
      const reply = await post(embedQuery(), { dashboardServerApiUrl: address })
      t.equal(reply.statusCode, 403, address)
      t.equal(reply.json().error.code, 'FORBIDDEN')
    }
    t.equal(trap.connections(), 0)
    t.equal(bi.connections(), 0)
  })
}

t.test('a look-alike of the configured address is 403, and another spelling of the address calls the configured ' +
  'URL', async (t) => {
  const { bi, app } = await embedApp(t)
  const trap = await canary(t)
  const origin = `https://127.0.0.1:${trap.port}`
  const look = Fastify()
  t.teardown(() => look.close())
  await look.register(embedAuthorize, {
    servers: [{ apiUrl: 'https://bi.test/bi/api/site/site1', embedSecret: SECRET }, {
      apiUrl: origin,
      embedSecret: SECRET
    }],
    authorize: () => ({ email: 'a@b.c' }),
    errors: 'http',
    rateLimit: false
  })
  const alike = [
    'https://bi.test.evil.test/bi/api/site/site1',
    'https://bi.test@evil.test/bi/api/site/site1',
    'https://evil.test#bi.test/bi/api/site/site1',
    'https://evil.test\\@bi.test/bi/api/site/site1',
    'https://bi.test:444/bi/api/site/site1',
    'http://bi.test/bi/api/site/site1',
    '//bi.test/bi/api/site/site1',
    'https://bi.test/bi/api/site/site1/../../admin',
    'https://bi.test/bi/api/site/site10',
    'https://bi.test/bi/api/site/site1/x',
    'https://bi.test/bi/api/site/site1//',
    'https://bi.test/bi/api/site/%2e%2e/site1',
    'https://bi.test/bi/api/site/site1/%2e%2e',
    'https://bi.test/bi/api/site/site1%2f..',
    'https://bi.test./bi/api/site/site1',
    'https://bi.test/bi/api/site/SITE1',
    'https://bi.test/bi/api/site/site1?x=1',
    'https://bi.test/bi/api/site/site1?',
    'https://bi.test/bi/api/site/site1#',
    'https://bi.test/bi/api//site/site1',
    'https://user@bi.test/bi/api/site/site1',
    ' https://bi.test/bi/api/site/site1',
    'https://bi.test/bi/api/site/site1\n',
    'https://bi.te\tst/bi/api/site/site1',
    'https:\\\\bi.test\\bi\\api\\site\\site1',
    'https:bi.test',
    'https://bi。test.evil/bi/api/site/site1',
    'https://xn--bi-test/bi/api/site/site1',
    'bi.test/bi/api/site/site1',
    ''
  ]
  for (const address of alike) {
    const reply = await injectJson(look, { embedQuerString: embedQuery(), dashboardServerApiUrl: address })
    t.equal(reply.statusCode, 403, address)
    t.equal(reply.json().error.code, 'FORBIDDEN')
  }
  t.equal(trap.connections(), 0)

  const same = bi.origin.replace('127.0.0.1', '127.1')
  for (
    const address of [`${bi.origin}/bi/api/site/site1/`,
      `${bi.origin.replace('http:', 'HTTP:')}/bi/x/../api/site/site1`, `${same}/bi/api/%2e/site/site1`]
  ) {
    t.equal(
      (await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: address })).statusCode,
      200,
      address
    )
    t.equal(
      readCall(bi.calls.at(-1)).path,
      '/bi/api/site/site1/embed/authorize',
      'the call uses the configured spelling'
    )
  }
})

t.test('an address in full-width or enclosed letters calls only the configured server', async (t) => {
  const { bi, post, apiUrl } = await embedApp(t)
  const { port } = new URL(apiUrl)
  for (const host of ['①②⑦.⓪.⓪.①', '１２７．０．０．１', '127。0。0。1', '0177.0.0.1', '0x7f.1', '2130706433']) {
    const reply = await post(embedQuery(), { dashboardServerApiUrl: `http://${host}:${port}/bi/api/site/site1` })
    t.ok([200, 403].includes(reply.statusCode), host)
  }
  for (const call of bi.calls) t.equal(call.headers.host, `127.0.0.1:${port}`)
  for (const host of ['127.0.0.2', '127.0.0.1.evil.test', 'ⓔⓥⓘⓛ.test']) {
    t.equal(
      (await post(embedQuery(), { dashboardServerApiUrl: `http://${host}:${port}/bi/api/site/site1` })).statusCode,
      403,
      host
    )
  }
})

t.test('no address of the test data of URL parsers causes a call to a server', async (t) => {
  const trap = await canary(t)
  const { bi, post } = await embedApp(t)
  t.ok(WPT.length >= 890)
  for (const address of WPT) {
    const reply = await post(embedQuery(), { dashboardServerApiUrl: address })
    t.ok(reply.statusCode === 403 || reply.statusCode === 400, `${reply.statusCode} for ${JSON.stringify(address)}`)
  }
  t.equal(bi.connections(), 0)
  t.equal(trap.connections(), 0)
})

t.test('each server gets its own secret, and a request for one server does not reach another', async (t) => {
  const first = await embedApp(t)
  const second = await embedApp(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: first.apiUrl, embedSecret: 'one' }, { apiUrl: second.apiUrl, embedSecret: 'two' }],
    authorize: (_request, { server }) => ({ email: server === first.apiUrl ? 'one@example.com' : 'two@example.com' })
  })
  for (const { apiUrl, bi, secret } of [{ ...first, secret: 'one' }, { ...second, secret: 'two' }]) {
    t.equal((await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl })).statusCode, 200)
    t.equal(bi.calls.length, 1)
    const { signature, expected, fields } = readCall(bi.calls[0], secret)
    t.equal(signature, expected)
    t.equal(fields.get('embed_user_email'), `${secret}@example.com`)
  }
})
