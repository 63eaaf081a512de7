import Fastify from 'fastify'
import t from 'tap'

import databrainProxy from '../../../../routes/databrain/proxy/index.js'
import { KEY, PREFIX, proxyApp } from '../../../helpers/databrain-proxy.js'
import { API_KEY, mint, PROXY_KEY, tokenOf } from '../../../helpers/guest-token.js'
import { selfSigned } from '../../../helpers/self-signed.js'
import { cut, hang, junk, redirect, reply, stubUpstream } from '../../../helpers/stub-upstream.js'
import type { Answer } from '../../../helpers/stub-upstream.js'

const failures: Record<string, Answer> = {
  'a closed connection': cut,
  'no HTTP': junk,
  'a redirect elsewhere': redirect('https://evil.test/'),
  'a redirect to itself': redirect('/backend/other', 307),
  'a redirect without a location': reply('', 308),
  'several choices': reply('', 300),
  'an upgrade without a request for it': (_call, response) => {
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
  },
  'an invalid status': (_call, response) => {
    response.socket?.end('HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\nno')
  },
  'a head without an end': (_call, response) => {
    response.socket?.end('HTTP/1.1 200 OK\r\nX: y')
  },
  'a head that is too long': (_call, response) => {
    response.socket?.end(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`)
  },
  'an end before the first byte': (_call, response) => {
    response.writeHead(200, {
      'content-type': 'text/csv',
      'content-encoding': 'gzip',
      'content-length': '10',
      'content-disposition': 'attachment',
      etag: '"a"'
    })
    response.flushHeaders()
    setImmediate(() => response.destroy())
  }
}

for (const [name, answer] of Object.entries(failures)) {
  t.test(`${name} from the upstream is 502 with only our own headers, and is not retried`, async (t) => {
    const { call, upstream } = await proxyApp(t)
    upstream.answer = answer
    const response = await call({ method: 'POST', payload: 'x' })
    t.equal(response.statusCode, 502)
    t.same(Object.keys(response.json().error), ['code', 'message'])
    t.match(response.json(), { error: { code: 'UPSTREAM_ERROR' } })
    t.match(response.headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
    for (const name of ['content-encoding', 'content-disposition', 'etag', 'location']) {
      t.notOk(name in response.headers, name)
    }
    t.equal(upstream.calls.length, 1)
    upstream.answer = reply('again')
    t.equal((await call()).statusCode, 200, 'the next call succeeds')
  })
}

t.test('a failed mint is 502, a refused mint is 400, and the call is not forwarded', async (t) => {
  const { call, api, upstream } = await proxyApp(t, { retries: 0 })
  for (
    const [answer, status, code] of [
      [reply('no', 500), 502, 'UPSTREAM_ERROR'],
      [reply({ token: '../x' }), 502, 'UPSTREAM_ERROR'],
      [cut, 502, 'UPSTREAM_ERROR'],
      [reply({ error: { code: 'WORKSPACE_ID_ERROR' } }, 400), 400, 'WORKSPACE_ID_ERROR']
    ] as const
  ) {
    api.answer = answer
    const response = await call()
    t.match([response.statusCode, response.json()], [status, { error: { code } }])
  }
  t.equal(upstream.connections(), 0)
  api.answer = mint
  t.equal((await call()).statusCode, 200)
})

t.test('a hanging mint is 504 at the time limit', async (t) => {
  const { call, api } = await proxyApp(t, { timeout: 500 })
  api.answer = hang
  const response = await call()
  t.match([response.statusCode, response.json()], [504, { error: { code: 'UPSTREAM_TIMEOUT' } }])
})

t.test('an upstream that is down is 502', async (t) => {
  const gone = await stubUpstream(t)
  await gone.close()
  const { call } = await proxyApp(t, { upstreamUrl: gone.origin })
  t.match([(await call()).statusCode, (await call({ method: 'POST', payload: 'x' })).statusCode], [502, 502])
})

t.test('an upstream with an untrusted certificate is 502, and "ca" makes the certificate trusted', async (t) => {
  const tls = selfSigned()
  const secure = await stubUpstream(t, reply('over TLS'), tls)
  const { call } = await proxyApp(t, { upstreamUrl: secure.origin })
  t.equal((await call()).statusCode, 502)
  t.equal(secure.calls.length, 0)
  const api = await stubUpstream(t, mint, tls)
  const trusting = await proxyApp(t, { upstreamUrl: secure.origin, apiUrl: api.origin, ca: tls.cert })
  t.equal((await trusting.call()).body, 'over TLS')
  t.equal(secure.calls[0]?.headers['x-plugin-token'], tokenOf('ann'))
})

t.test('calls are forwarded to apiUrl by default', async (t) => {
  const databrain = await stubUpstream(
    t,
    (call, response) => (call.url.endsWith('/create') ? mint : reply({ data: call.url }))(call, response)
  )
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(databrainProxy, {
    proxyKeys: [PROXY_KEY],
    apiUrl: `${databrain.origin}/self-hosted/`,
    apiKey: API_KEY,
    dataAppName: 'sales',
    authorize: () => ({ clientId: 'ann' })
  })
  const response = await app.inject({ url: `${PREFIX}/api/v2/dashboard?dashboardId=d`, headers: KEY })
  t.same(response.json(), { data: '/self-hosted/api/v2/dashboard?dashboardId=d' })
})

t.test('app.close() does not wait for a hanging upstream', async (t) => {
  const { app, call, upstream } = await proxyApp(t, { timeout: 3_600_000 })
  upstream.answer = hang
  const answer = call()
  while (upstream.calls.length === 0) await new Promise(setImmediate)
  await app.close()
  t.equal((await answer).statusCode, 502)
})
