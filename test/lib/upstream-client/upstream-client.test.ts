import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'
import type { Test } from 'tap'

import { upstreamClient } from '../../../lib/upstream-client/index.js'
import type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
import { holdTimers } from '../../helpers/held-timers.js'
import { selfSigned } from '../../helpers/self-signed.js'
import { stopClock } from '../../helpers/stopped-clock.js'
import {
  cut, drip, flood, gzipBomb, hang, inTurn, junk, redirect, reply,
  stubUpstream
} from '../../helpers/stub-upstream.js'
import type { Answer } from '../../helpers/stub-upstream.js'

async function clientOf (t: Test, answer: Answer, options: Partial<UpstreamClientOptions> = {}) {
  const stub = await stubUpstream(t, answer)
  const client = upstreamClient({ origin: stub.origin, timeout: 2_000, ...options })
  t.teardown(() => client.close())
  return { stub, client, get: (path = '/') => client.call({ method: 'GET', path }) }
}

t.test('every response is returned as status, headers and bytes', async (t) => {
  const { get } = await clientOf(t, reply('nein', 404, { 'x-y': 'z' }))
  const answer = await get()
  t.equal(answer.statusCode, 404)
  t.equal(answer.headers['x-y'], 'z')
  t.equal(answer.body.toString(), 'nein')
})

t.test('path and body are sent byte for byte, with only the configured headers', async (t) => {
  const { stub, client } = await clientOf(t, reply({}))
  const path = '/a%2f..%2fb//?q=%zz+a&q=\'"|^[]{}&%41'
  await client.call({ method: 'POST', path, headers: { authorization: 'Bearer x' }, body: '{"ü":1}' })
  t.ok(stub.rawBytes().startsWith(`POST ${path} HTTP/1.1\r\n`))
  t.equal(stub.calls[0]?.body.toString(), '{"ü":1}')
  t.same(Object.keys(stub.calls[0]?.headers ?? {}).sort(), ['accept-encoding', 'authorization', 'connection',
    'content-length', 'host'])
  t.equal(stub.calls[0]?.headers['accept-encoding'], 'identity')
})

t.test('connections are reused', async (t) => {
  const { stub, get } = await clientOf(t, reply({}))
  for (let i = 0; i < 30; i++) await get()
  t.ok(stub.connections() <= 2, `${stub.connections()} connections`)
})

t.test('a redirect is returned, not followed', async (t) => {
  const canary = await stubUpstream(t)
  const { get } = await clientOf(t, redirect(`${canary.origin}/stolen`, 307))
  t.equal((await get()).statusCode, 307)
  t.equal(canary.connections(), 0)
})

for (
  const [name, bad] of Object.entries({
    'a 500': reply('no', 500),
    'a 429': reply('no', 429),
    'a cut connection': cut,
    'no HTTP': junk
  })
) {
  t.test(`${name} is retried exactly twice`, async (t) => {
    const good = await clientOf(t, inTurn(bad, bad, reply({ ok: true })))
    t.equal((await good.get()).statusCode, 200)
    t.equal(good.stub.calls.length, 3)
    const never = await clientOf(t, bad)
    const outcome = await never.get().then(({ statusCode }) => statusCode, ({ code }) => code)
    t.ok([500, 429, 'UPSTREAM_ERROR'].includes(outcome), String(outcome))
    t.equal(never.stub.calls.length, 3)
  })
}

t.test('a 400 is not retried, and a call can disable retries', async (t) => {
  const { stub, get, client } = await clientOf(t, inTurn(reply('no', 400), reply('no', 503)))
  await get()
  t.equal(stub.calls.length, 1)
  await client.call({ method: 'GET', path: '/', retries: 0 })
  t.equal(stub.calls.length, 2)
})

t.test('a request is not retried if Retry-After is beyond the deadline', async (t) => {
  const { stub, get } = await clientOf(t, reply('slow down', 429, { 'retry-after': '3' }))
  t.equal((await get()).statusCode, 429)
  t.equal(stub.calls.length, 1)
})

t.test('a request is not retried if another attempt of the same duration would exceed the deadline', async (t) => {
  const clock = stopClock(t)
  for (const [time, calls] of [[700_000, 1], [400_000, 2]] as const) {
    const slow: Answer = async (call, response) => {
      clock.advance(time)
      await reply('no', 500)(call, response)
    }
    const { stub, get } = await clientOf(t, slow, { timeout: 1_000_000 })
    t.equal((await get()).statusCode, 500)
    t.equal(stub.calls.length, calls)
  }
})

for (const [name, answer] of Object.entries({ hangs: hang, 'sends its body slowly': drip() })) {
  t.test(`a call to an upstream that ${name} ends at the time limit, and its socket is closed`, async (t) => {
    const limit = holdTimers(t, 61_234)
    const { stub, get } = await clientOf(t, answer, { timeout: 61_234 })
    const call = get().catch((error: unknown) => error)
    while (stub.calls.length === 0) await sleep(10)
    t.equal(await Promise.race([call, sleep(100, 'waits')]), 'waits')
    limit.run()
    t.match(await call, { code: 'UPSTREAM_TIMEOUT', statusCode: 504 })
    while (stub.openSockets() > 0) await sleep(10)
    t.equal(stub.calls.length, 1)
  })
}

t.test('an endless body is refused at the maximum size, with little memory', async (t) => {
  const { stub, get } = await clientOf(t, flood(100_000_000))
  const before = process.memoryUsage().rss
  await t.rejects(get(), { code: 'UPSTREAM_ERROR', statusCode: 502 })
  t.ok(process.memoryUsage().rss - before < 64_000_000)
  t.equal(stub.calls.length, 1, 'the call is not repeated')
})

t.test('a body of the maximum size passes, and a body with one byte more is refused', async (t) => {
  const { get } = await clientOf(
    t,
    (call, response) => response.end(Buffer.alloc(Number(call.url.slice(1)))) && undefined,
    { maxResponse: 1_000 }
  )
  t.equal((await get('/1000')).body.length, 1_000)
  await t.rejects(get('/1001'), { code: 'UPSTREAM_ERROR' })
})

t.test('a gzip response is refused without decompression', async (t) => {
  const { get } = await clientOf(t, gzipBomb(50_000_000))
  await t.rejects(get(), { code: 'UPSTREAM_ERROR', reason: /content encoding/ })
})

t.test('a refused connection is UPSTREAM_ERROR with a cause that names the failure', async (t) => {
  const { stub, get } = await clientOf(t, hang)
  await stub.close()
  await t.rejects(get(), { code: 'UPSTREAM_ERROR', cause: { code: 'ECONNREFUSED' } })
})

t.test('no error contains sent or received data', async (t) => {
  const { client } = await clientOf(t, (call, response) => {
    response.socket?.end(`HTTP/1.1 200 OK\r\n${call.headers.authorization}\r\n\r\n`)
  })
  const error = await client.call({ method: 'GET', path: '/', headers: { authorization: 'Bearer s3cr3t' } }).catch((
    error: unknown
  ) => error)
  t.match(error, { code: 'UPSTREAM_ERROR' })
  const { cause } = error as Error
  t.notMatch(
    JSON.stringify([cause, { ...cause as object }, (cause as Error).message, (cause as Error).stack]),
    's3cr3t'
  )
})

t.test('an untrusted certificate is refused, and a trusted one is accepted', async (t) => {
  const tls = selfSigned()
  const stub = await stubUpstream(t, reply({}), tls)
  const strict = upstreamClient({ origin: stub.origin })
  const trusting = upstreamClient({ origin: stub.origin, ca: tls.cert })
  t.teardown(() => Promise.all([strict.close(), trusting.close()]))
  await t.rejects(strict.call({ method: 'GET', path: '/' }), {
    code: 'UPSTREAM_ERROR',
    cause: { code: /SELF_SIGNED|UNABLE_TO_VERIFY/ }
  })
  t.equal(stub.calls.length, 0)
  t.equal((await trusting.call({ method: 'GET', path: '/' })).statusCode, 200)
})

t.test('the caller can abort before and during the call', async (t) => {
  const { stub, client } = await clientOf(t, hang)
  await t.rejects(client.call({ method: 'GET', path: '/', signal: AbortSignal.abort() }), { code: 'UPSTREAM_ERROR' })
  t.equal(stub.calls.length, 0)
  const giveUp = new AbortController()
  const call = client.call({ method: 'GET', path: '/', signal: giveUp.signal })
  while (stub.calls.length === 0) await sleep(5)
  giveUp.abort()
  await t.rejects(call, { code: 'UPSTREAM_ERROR' })
})

t.test('close ends calls in flight immediately', async (t) => {
  // Longer than the test runs.
  const { stub, client, get } = await clientOf(t, hang, { timeout: 3_600_000 })
  const call = get()
  while (stub.calls.length === 0) await sleep(5)
  await Promise.all([client.close(), t.rejects(call, { code: 'UPSTREAM_ERROR' })])
  await t.rejects(get(), { code: 'UPSTREAM_ERROR' })
})

t.test('a request target that would split the request is refused before anything is sent', async (t) => {
  const { stub, get } = await clientOf(t, reply({}))
  for (const path of ['/a b', '/a\r\nx: y', '/a\0', '//\n', 'http://evil.test/', 'a']) {
    await t.rejects(get(path), { code: 'UPSTREAM_ERROR' }, path)
  }
  t.equal(stub.calls.length, 0)
})

t.test('invalid options stop the start', async (t) => {
  const origin = 'https://api.example.com'
  for (
    const options of [
      { origin: 'api.example.com' },
      { origin: `${origin}/path` },
      { origin: 'ftp://a.test' },
      { origin: 'https://u:p@a.test' },
      { origin, timeout: 0 },
      { origin, timeout: 1.5 },
      { origin, connectTimeout: NaN },
      { origin, maxResponse: -1 },
      { origin, retries: -1 },
      { origin, connections: 0 }
    ]
  ) t.throws(() => upstreamClient(options), { code: 'INVALID_OPTIONS' })
})

t.test('a connection that is not ready in time fails at the connect timeout', async (t) => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = upstreamClient({ origin, connectTimeout: 200, retries: 0 })
  t.teardown(() => client.close())
  await t.rejects(client.call({ method: 'GET', path: '/' }), {
    code: 'UPSTREAM_TIMEOUT',
    cause: { message: /timeout: 200ms/ }
  })
})
