import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'
import type { Test } from 'tap'

import { auditEntries } from '../../../helpers/audit-entries.js'
import { PREFIX, proxyApp, userOf } from '../../../helpers/databrain-proxy.js'
import type { ProxyApp } from '../../../helpers/databrain-proxy.js'
import { comesTrue, openCall, readAll } from '../../../helpers/databrain-streams.js'
import { mint, PROXY_KEY } from '../../../helpers/guest-token.js'
import { drip, hang, reply } from '../../../helpers/stub-upstream.js'

/** A wait that fails the test, in milliseconds; long, because the machine may be busy. */
const GENEROUS = 60_000

/** Makes a call and returns status and error code, or the string `silence` without a response. */
async function outcome (origin: string, headers: Record<string, string>): Promise<unknown> {
  const { request, answer } = openCall(origin, headers, 'GET')
  request.end()
  const answered = answer.then(async (
    response
  ) => [response.statusCode, /"code":"(\w+)"/.exec((await readAll(response)).text)?.[1]])
  const first = await Promise.race([answered, sleep(GENEROUS, 'silence', { ref: false })])
  request.destroy()
  return first
}

t.test('a call that waits for a socket is 504 at the time limit, however long the socket is in use', async (t) => {
  const { listen, headers, upstream } = await proxyApp(t, { connections: 1, timeout: 1_000 })
  upstream.answer = drip(50)
  const origin = await listen()
  const first = openCall(origin, headers(), 'GET')
  first.request.end()
  const dripping = await first.answer
  dripping.on('error', () => {}).resume()
  t.same(await outcome(origin, headers('bob')), [504, 'UPSTREAM_TIMEOUT'])
  upstream.answer = reply('free')
  first.request.destroy()
  t.same(await outcome(origin, headers('bob')), [200, undefined], 'aborted calls do not block later calls')
  t.equal(upstream.calls.length, 2, 'aborted calls are not forwarded')
})

t.test('one user has at most a quarter of the sockets, other users get 200 meanwhile, and a call that ends frees its ' +
  'socket', async (t) => {
  const { call, listen, headers, upstream } = await proxyApp(t, { connections: 8, timeout: 60_000 })
  upstream.answer = hang
  const origin = await listen()
  const held = [1, 2].map(() => openCall(origin, headers(), 'GET'))
  held.forEach(({ request }) => request.end())
  t.ok(await comesTrue(() => upstream.calls.length === 2))
  const limited = await call()
  t.match([limited.statusCode, limited.json(), limited.headers['retry-after']], [429, {
    error: { code: 'TOO_MANY_CONNECTIONS' }
  }, '1'])
  upstream.answer = reply('numbers')
  t.equal((await call({ user: 'bob' })).statusCode, 200)
  held[0]?.request.destroy()
  t.ok(await eventually(async () => (await call()).statusCode === 200), 'a disconnected caller frees its place')
  for (let at = 0; at < 10; at++) t.equal((await call()).statusCode, 200, 'a finished call frees its place')
  held[1]?.request.destroy()
})

t.test('userConnections limits the calls of a user, and the default is at least one', async (t) => {
  for (const [options, max] of [[{ userConnections: 3, connections: 4 }, 3], [{ connections: 1 }, 1]] as const) {
    const { call, upstream, api } = await proxyApp(t, { ...options, timeout: 60_000 })
    upstream.answer = hang
    // Calls that wait for a guest token count too.
    api.answer = hang
    const held = Array.from({ length: max }, () => call())
    held.forEach((answer) => answer.catch(() => {}))
    t.ok(await comesTrue(() => api.calls.length === 1))
    t.equal((await call()).statusCode, 429)
  }
})

t.test('uploadTimeout: a body that does not end within the time is 400', async (t) => {
  const { app, listen, headers, upstream } = await proxyApp(t, { timeout: 30_000, uploadTimeout: 1_000 })
  const { request, answer } = openCall(await listen(), headers())
  request.on('error', () => {})
  const timer = setInterval(() => request.write('x'), 50)
  t.teardown(() => clearInterval(timer))
  const response = await Promise.race([answer, sleep(GENEROUS, null, { ref: false })])
  clearInterval(timer)
  if (response === null) return t.fail('the upload continues')
  t.equal(response.statusCode, 400)
  t.match(JSON.parse((await readAll(response)).text), { error: { code: 'INVALID_REQUEST' } })
  t.ok(await comesTrue(() => upstream.openSockets() === 0))
  t.equal(upstream.calls.length, 0)
  t.match(await auditEntries(app, 1), [{ action: 'databrain_proxy.refused', userId: 'ann' }])
})

t.test('uploadTimeout does not include the time of the upstream after the whole body', async (t) => {
  const { call, upstream } = await proxyApp(t, { uploadTimeout: 500 })
  upstream.answer = async (call, response) => {
    await sleep(1_500)
    await reply('late')(call, response)
  }
  t.match(await call({ method: 'POST', payload: 'x' }), { statusCode: 200, body: 'late' })
})

/** A socket that sends the given requests. */
async function sending (t: Test, { listen }: ProxyApp, ...requests: string[]): Promise<Socket> {
  const socket = connect(Number(new URL(await listen()).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(requests.join(''))
  return socket
}

const asked = (method: string, user: string, body = ''): string =>
  `${method} ${PREFIX}/thing HTTP/1.1\r\nHost: a\r\nX-Proxy-Auth-Key: ${PROXY_KEY}\r\nCookie: user=${user}\r\nContent-Length: ${body.length}\r\n\r\n${body}`

t.test('a call whose caller disconnects during authorize is audited and not forwarded', async (t) => {
  let isAsked = false
  const proxy = await proxyApp(t, {
    async authorize (request) {
      isAsked = true
      await once(request.raw.socket, 'close')
      return { clientId: userOf(request) ?? '' }
    }
  })
  const socket = await sending(t, proxy, asked('POST', 'ann', '{}'))
  t.ok(await comesTrue(() => isAsked))
  socket.destroy()
  t.match(await auditEntries(proxy.app, 1), [{
    action: 'databrain_proxy.refused',
    userId: 'ann',
    ipAddress: '127.0.0.1',
    changes: { outcome: 'INVALID_REQUEST' }
  }])
  t.equal(proxy.upstream.connections(), 0)
})

t.test('a call whose caller disconnects while its token is minted is audited and not forwarded, also when ' +
  'pipelined', async (t) => {
  for (const requests of [[asked('DELETE', 'ann')], [asked('DELETE', 'ann'), asked('DELETE', 'bob')]]) {
    const proxy = await proxyApp(t)
    const { app, api, upstream } = proxy
    let release = (): void => {}
    const left = new Promise<void>((resolve) => {
      release = resolve
    })
    api.answer = async (call, response) => {
      await left
      await mint(call, response)
    }
    app.server.on('connection', (socket) => socket.once('close', release))
    const socket = await sending(t, proxy, ...requests)
    t.ok(await comesTrue(() => api.calls.length === requests.length))
    socket.destroy()
    const entries = await auditEntries(app, requests.length)
    t.same(entries.map(({ action }) => action), requests.map(() => 'databrain_proxy.refused'))
    t.equal(upstream.connections(), 0)
  }
})

t.test('a call whose caller disconnects while the upstream works is audited once as forwarded, also when ' +
  'pipelined', async (t) => {
  const proxy = await proxyApp(t, { timeout: 60_000 })
  const { app, upstream } = proxy
  upstream.answer = hang
  const socket = await sending(t, proxy, asked('DELETE', 'ann'), asked('GET', 'bob'))
  t.ok(await comesTrue(() => upstream.calls.length === 2))
  socket.destroy()
  await auditEntries(app, 2)
  t.ok(await comesTrue(() => upstream.openSockets() === 0))
  // A second entry for either call would be written with the first.
  await sleep(200)
  const entries = await auditEntries(app, 2)
  t.same(entries.map(({ action, userId, ipAddress }) => [action, userId, ipAddress]).toSorted(), [
    ['databrain_proxy.forwarded', 'ann', '127.0.0.1'],
    ['databrain_proxy.forwarded', 'bob', '127.0.0.1']
  ])
})

async function eventually (holds: () => Promise<boolean>): Promise<boolean> {
  for (const until = performance.now() + GENEROUS; performance.now() < until; await sleep(20)) {
    if (await holds()) return true
  }
  return false
}
