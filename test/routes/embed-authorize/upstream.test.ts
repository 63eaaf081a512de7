import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { FORBIDDEN } from '../../../lib/errors.js'
import { canary } from '../../helpers/canary.js'
import { DASHBOARD, GRANTED, SECRET, embedApp, embedQuery, readCall } from '../../helpers/embed.js'
import { holdTimers } from '../../helpers/held-timers.js'
import { selfSigned } from '../../helpers/self-signed.js'
import { cut, drip, flood, gzipBomb, hang, junk, redirect, reply, stubUpstream } from '../../helpers/stub-upstream.js'
import type { Answer } from '../../helpers/stub-upstream.js'

const HTML = '<html><script>alert(1)</script></html>'
const MEGABYTE = 1_048_576

t.test('a redirect is not followed', async (t) => {
  const trap = await canary(t)
  const { bi, post } = await embedApp(t)
  for (const status of [301, 302, 303, 307, 308]) {
    bi.answer = redirect(`${trap.origin}/latest/meta-data/`, status)
    const answer = await post(embedQuery())
    t.equal(answer.statusCode, 502, String(status))
    t.equal(answer.json().error.code, 'UPSTREAM_ERROR')
    t.equal(answer.headers.location, undefined)
  }
  t.equal(trap.connections(), 0)
})

const UNUSABLE: Array<[string, Answer]> = [
  ['HTML with 200', reply(HTML)],
  ['HTML with 401', reply(HTML, 401)],
  ['JSON with 401', reply({ Message: `no ${SECRET}` }, 401)],
  ['JSON with 201', reply(GRANTED, 201)],
  ['500', reply(HTML, 500)],
  ['an empty body', reply('')],
  ['a list', reply([GRANTED])],
  ['a string', reply('"granted"')],
  ['null', reply('null')],
  ['JSON cut short', reply('{"Message":"a')],
  ['wrong UTF-8', reply(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
  ['a content encoding that was not requested', reply(GRANTED, 200, { 'content-encoding': 'br' })],
  ['no HTTP', junk],
  ['a closed connection', cut]
]

t.test('an unusable response of the upstream is 502 with our own message, and the next call succeeds', async (t) => {
  const { bi, post } = await embedApp(t, { retries: 0 })
  for (const [what, answer] of UNUSABLE) {
    bi.answer = answer
    const { statusCode, payload, headers } = await post(embedQuery())
    t.equal(statusCode, 502, what)
    t.equal(payload, '{"error":{"code":"UPSTREAM_ERROR","message":"The upstream service returned no usable response"}}')
    t.equal(headers['content-type'], 'application/json; charset=utf-8')
  }
  bi.answer = reply(GRANTED)
  t.equal((await post(embedQuery())).statusCode, 200)
})

t.test('no header of the upstream is relayed', async (t) => {
  const { bi, post } = await embedApp(t)
  bi.answer = reply(GRANTED, 200, {
    'set-cookie': ['sid=1; Path=/', 'b=2'],
    server: 'bi',
    'x-powered-by': 'bi',
    'access-control-allow-origin': '*',
    'content-type': 'text/html',
    'keep-alive': 'timeout=9',
    'proxy-authenticate': 'x',
    'cache-control': 'public'
  })
  const { headers, statusCode } = await post(embedQuery())
  t.equal(statusCode, 200)
  t.same(Object.keys(headers).sort(), ['cache-control', 'connection', 'content-length', 'content-type', 'date',
    'x-content-type-options'])
  t.equal(headers['cache-control'], 'no-store')
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
})

t.test("with errors: 'sdk' refusals and upstream failures are a 200 that the SDK shows, and other errors keep their " +
  'status', async (t) => {
  const { bi, post } = await embedApp(t, {
    errors: 'sdk',
    retries: 0,
    timeout: 300,
    authorize (_request, { dashboardId }) {
      if (dashboardId !== DASHBOARD) throw new FORBIDDEN({ message: 'Not <your> dashboard' })
      return { email: 'viewer@example.com' }
    }
  })
  const refusal = (Message: string) => ({ ApiStatus: false, Status: false, Message })
  const shown = async (query: string, message: string) => {
    const answer = await post(query)
    t.equal(answer.statusCode, 200, message)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.same(answer.json(), refusal(message))
  }
  await shown(embedQuery({ embed_dashboard_id: 'other' }), 'Not &lt;your&gt; dashboard')
  await shown(embedQuery({ embed_mode: 'design' }), 'This is not allowed')
  for (const [, answer] of UNUSABLE) {
    bi.answer = answer
    await shown(embedQuery(), 'The upstream service returned no usable response')
  }
  bi.answer = hang
  await shown(embedQuery(), 'The upstream service did not respond in time')
  bi.answer = reply(GRANTED)
  const used = embedQuery()
  t.equal((await post(used)).payload, JSON.stringify(GRANTED))
  t.equal((await post(used)).statusCode, 409)
  t.equal((await post('x=1')).statusCode, 400)
  t.equal((await post(embedQuery(), { dashboardServerApiUrl: 'https://bi.test' })).statusCode, 403)
})

t.test('the response is relayed byte for byte, except for escaped markup in its Message', async (t) => {
  const { bi, post } = await embedApp(t)
  const big = '{ "Data":{"n":12345678901234567890.10,"Message":"<b>","e":1E400},"Message" : "ok","Status":true}\n'
  const cases: Array<[string, string]> = [
    [big, big],
    ['{"Message":"it\'s <b>&\\"x\\"</b>","n":1.0}',
      '{"Message":"it&#39;s &lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;","n":1.0}'],
    ['{"n":1e400,"\\u004dessage":"\\u003cimg src=x onerror=alert(1)\\u003e"}',
      '{"n":1e400,"\\u004dessage":"&lt;img src=x onerror=alert(1)&gt;"}'],
    ['{"Message":"fine","Message":"<b>"}', '{"Message":"fine","Message":"&lt;b&gt;"}'],
    ['{"Message":["<b>",{"<i>":"<u>"}],"Data":"<s>"}',
      '{"Message":["&lt;b&gt;",{"&lt;i&gt;":"&lt;u&gt;"}],"Data":"<s>"}'],
    ['{"a":"\\\\","Message":"<\\\\\\"","b":"\\"Message\\":<"}',
      '{"a":"\\\\","Message":"&lt;\\\\&quot;","b":"\\"Message\\":<"}'],
    ['{"a":["Message","<"],"b":{"Message":"<"},"Message":null}',
      '{"a":["Message","<"],"b":{"Message":"<"},"Message":null}'],
    ['{"message":"<b>","Message":5}', '{"message":"<b>","Message":5}'],
    ['{"Message":"<","x":{"Message":"<"},"y":"<"}', '{"Message":"&lt;","x":{"Message":"<"},"y":"<"}'],
    ['{}', '{}']
  ]
  for (const [sent, expected] of cases) {
    bi.answer = reply(sent)
    const { statusCode, payload } = await post(embedQuery())
    t.equal(statusCode, 200)
    t.equal(payload, expected)
  }
  bi.answer = reply(`\ufeff${JSON.stringify(GRANTED)}`)
  t.equal((await post(embedQuery())).payload, JSON.stringify(GRANTED), 'the byte order mark is removed')
})

t.test('a flood, a compressed bomb and a slow response end with 502 or 504 in bounded memory', async (t) => {
  const { bi, post } = await embedApp(t, { timeout: 61_234 })
  const limit = holdTimers(t, 61_234)
  await post(embedQuery())
  let peak = 0
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 5)
  t.teardown(() => clearInterval(sampler))
  // Built one by one: the stub runs in this process, and compressing a bomb needs memory too.
  for (
    const [what, make, status] of [['flood', () => flood(100 * MEGABYTE), 502], ['drip', drip, 504], ['gzip bomb',
      () => gzipBomb(100 * MEGABYTE), 502]] as const
  ) {
    bi.answer = make()
    const { length } = bi.calls
    const before = peak = process.memoryUsage.rss()
    const answer = post(embedQuery())
    while (bi.calls.length === length) await sleep(10)
    if (what === 'drip') limit.run()
    t.equal((await answer).statusCode, status, what)
    t.ok(peak - before < 64 * MEGABYTE, `${what} grew memory by ${Math.round((peak - before) / MEGABYTE)} MB`)
  }
  bi.answer = reply({ ...GRANTED, pad: 'x'.repeat(4 * MEGABYTE - 200) })
  t.equal((await post(embedQuery())).statusCode, 200, 'just under 4 MiB is accepted')
})

t.test('a hanging upstream is 504', async (t) => {
  const { bi, post } = await embedApp(t, { timeout: 200 })
  bi.answer = hang
  const answer = await post(embedQuery())
  t.equal(answer.statusCode, 504)
  t.equal(answer.json().error.code, 'UPSTREAM_TIMEOUT')
})

t.test('an upstream with an untrusted certificate is 502 and receives no query', async (t) => {
  const tls = selfSigned()
  const secure = await stubUpstream(t, reply(GRANTED), tls)
  for (const [ca, status] of [[undefined, 502], [tls.cert, 200]] as const) {
    const { post } = await embedApp(t, { servers: [{ apiUrl: secure.origin, embedSecret: SECRET }], retries: 0, ca })
    t.equal((await post(embedQuery(), { dashboardServerApiUrl: secure.origin })).statusCode, status)
    t.equal(secure.calls.length, status === 200 ? 1 : 0)
  }
})

t.test('the upstream receives only headers of the route', async (t) => {
  for (const transport of ['get', 'post'] as const) {
    const { bi, post } = await embedApp(t, { transport })
    await post(embedQuery(), {}, {
      cookie: 'sid=secret',
      authorization: 'Bearer secret',
      'x-forwarded-for': '1.2.3.4',
      forwarded: 'for=1.2.3.4',
      expect: '100-continue',
      referer: 'https://secret.test/',
      'x-user-reference': 'secret',
      'user-agent': 'secret',
      te: 'trailers',
      'accept-language': 'secret'
    })
    const { rawHeaders } = bi.calls[0] ?? { rawHeaders: [] }
    const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()).sort()
    const body = transport === 'post' ? ['content-length', 'content-type'] : []
    t.same(names, ['accept', 'accept-encoding', 'connection', 'host', 'user-agent', ...body].sort())
    t.notMatch(bi.rawBytes(), /secret|1\.2\.3\.4/)
    const { signature, expected } = readCall(bi.calls[0])
    t.equal(signature, expected)
  }
})
