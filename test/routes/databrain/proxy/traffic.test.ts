import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'

import t from 'tap'
import type { Test } from 'tap'

import { proxyApp } from '../../../helpers/databrain-proxy.js'
import { comesTrue, openCall, readAll } from '../../../helpers/databrain-streams.js'
import { holdTimers } from '../../../helpers/held-timers.js'
import { drip, hang, reply } from '../../../helpers/stub-upstream.js'
import type { Answer } from '../../../helpers/stub-upstream.js'

/** An upstream that can respond before it has read the whole request. */
async function streamingUpstream (
  t: Test,
  listener: RequestListener
): Promise<{ upstreamUrl: string, openSockets: () => number }> {
  const server = createServer(listener)
  let open = 0
  server.on('connection', (socket) => {
    open++
    socket.on('close', () => open--)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() =>
    new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  )
  return { upstreamUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, openSockets: () => open }
}

const BLOCK = Buffer.alloc(65_536, 'x')

const endless: Answer = (_call, response) => {
  Readable.from((function * () {
    for (;;) yield BLOCK
  })()).pipe(response)
}

t.test('a request body is streamed: its first byte reaches the upstream before its last byte is sent', async (t) => {
  let received = ''
  const { upstreamUrl } = await streamingUpstream(t, (request, response) => {
    request.setEncoding('latin1').on('data', (text: string) => {
      received += text
    }).on('end', () => response.end('all'))
  })
  const { listen, headers } = await proxyApp(t, { upstreamUrl })
  const { request, answer } = openCall(await listen(), headers())
  request.write('first')
  t.ok(await comesTrue(() => received === 'first'))
  request.end('last')
  t.equal((await readAll(await answer)).text, 'all')
  t.equal(received, 'firstlast')
})

t.test('a response is streamed: its first byte reaches the caller before its last byte is sent', async (t) => {
  let finish = (): void => {}
  const { upstreamUrl } = await streamingUpstream(t, (_request, response) => {
    response.write('first')
    finish = () => {
      response.end('last')
    }
  })
  const { listen, headers } = await proxyApp(t, { upstreamUrl })
  const { request, answer } = openCall(await listen(), headers(), 'GET')
  request.end()
  const response = await answer
  const first = await new Promise<Buffer>((resolve) => {
    response.once('data', resolve)
  })
  t.equal(first.toString(), 'first')
  finish()
  t.match(await readAll(response), { text: 'last', whole: true })
})

t.test('a response that the upstream sends before the end of the request body is relayed', async (t) => {
  const { upstreamUrl } = await streamingUpstream(t, (_request, response) => {
    response.writeHead(403).end('no more, please')
  })
  const { listen, headers } = await proxyApp(t, { upstreamUrl })
  const { request, answer } = openCall(await listen(), headers())
  request.on('error', () => {})
  request.write('first')
  const response = await answer
  t.equal(response.statusCode, 403)
  t.equal((await readAll(response)).text, 'no more, please')
})

t.test('bodyLimit: a larger body is 413 with and without Content-Length, and a body of exactly that size is ' +
  'forwarded', async (t) => {
  const { call, listen, headers, upstream } = await proxyApp(t, { bodyLimit: 100_000 })
  t.equal((await call({ method: 'POST', payload: Buffer.alloc(100_000) })).statusCode, 200)
  t.equal(upstream.calls[0]?.body.length, 100_000)
  const announced = await call({ method: 'POST', payload: Buffer.alloc(100_001) })
  t.match([announced.statusCode, announced.json()], [413, { error: { code: 'PAYLOAD_TOO_LARGE' } }])
  const { request, answer } = openCall(await listen(), headers())
  request.on('error', () => {})
  request.write(Buffer.alloc(60_000))
  request.write(Buffer.alloc(60_000))
  const response = await answer
  t.equal(response.statusCode, 413)
  t.match(JSON.parse((await readAll(response)).text), { error: { code: 'PAYLOAD_TOO_LARGE' } })
  t.equal(upstream.calls.length, 1, 'the upstream does not receive the whole body')
})

t.test('maxResponse: a larger announced response is 502, and a larger unannounced response is aborted', async (t) => {
  const { call, listen, headers, upstream } = await proxyApp(t, { maxResponse: 1_000_000 })
  upstream.answer = reply(Buffer.alloc(1_000_000))
  t.equal((await call()).rawPayload.length, 1_000_000)
  upstream.answer = reply(Buffer.alloc(1_000_001), 200, { 'content-length': '1000001' })
  const announced = await call()
  t.match([announced.statusCode, announced.json()], [502, { error: { code: 'UPSTREAM_ERROR' } }])
  upstream.answer = endless
  const { request, answer } = openCall(await listen(), headers(), 'GET')
  request.end()
  const read = await readAll(await answer)
  t.equal(read.whole, false, 'the response is aborted')
  t.ok(read.length <= 1_000_000)
  t.ok(await comesTrue(() => upstream.openSockets() <= 2), 'the socket to the upstream is closed')
})

t.test('a slow response continues, and a response that pauses for idleTimeout is aborted', async (t) => {
  const { listen, headers, upstream } = await proxyApp(t, { idleTimeout: 1_000, timeout: 1_000 })
  const origin = await listen()
  upstream.answer = drip(50)
  const dripping = openCall(origin, headers(), 'GET')
  dripping.request.end()
  let drops = 0
  ;(await dripping.answer).on('data', () => drops++).on('error', () => {})
  // This takes longer than either limit.
  t.ok(await comesTrue(() => drops > 40))
  dripping.request.destroy()

  upstream.answer = (_call, response) => {
    response.writeHead(200).write('first')
  }
  const pausing = openCall(origin, headers(), 'GET')
  pausing.request.end()
  t.match(await readAll(await pausing.answer), { text: 'first', whole: false })
  t.ok(await comesTrue(() => upstream.openSockets() === 0))
})

t.test('a slow upload continues, and an upload that pauses for the time limit is 400', async (t) => {
  const { listen, headers, upstream } = await proxyApp(t, { timeout: 1_000 })
  const origin = await listen()
  const slow = openCall(origin, headers())
  const timer = setInterval(() => slow.request.write('x'), 100)
  setTimeout(() => {
    clearInterval(timer)
    slow.request.end()
  }, 2_500)
  t.equal((await slow.answer).statusCode, 200)
  t.ok((upstream.calls[0]?.body.length ?? 0) > 10)

  const paused = openCall(origin, headers())
  paused.request.write('x')
  const response = await paused.answer
  t.equal(response.statusCode, 400)
  t.match(JSON.parse((await readAll(response)).text), { error: { code: 'INVALID_REQUEST' } })
  t.equal(upstream.calls.length, 1)
})

t.test('a caller that disconnects while it waits, sends or reads frees the socket of the upstream', async (t) => {
  const { listen, headers, upstream } = await proxyApp(t, { timeout: 60_000 })
  const origin = await listen()
  upstream.answer = hang
  const waiting = openCall(origin, headers(), 'GET')
  waiting.request.end()
  t.ok(await comesTrue(() => upstream.calls.length === 1))
  waiting.request.destroy()
  // undici opens a spare socket for each socket that it destroys, and closes it after 4 s.
  t.ok(await comesTrue(() => upstream.openSockets() === 0), 'while it waits')

  const sending = openCall(origin, headers())
  sending.request.write('some')
  t.ok(await comesTrue(() => upstream.openSockets() === 1))
  sending.request.destroy()
  t.ok(await comesTrue(() => upstream.openSockets() === 0), 'while it sends')

  upstream.answer = endless
  const reading = openCall(origin, headers(), 'GET')
  reading.request.end()
  await new Promise((resolve) => {
    reading.answer.then((answer) => answer.once('data', resolve), resolve)
  })
  reading.request.destroy()
  t.ok(await comesTrue(() => upstream.openSockets() === 0), 'while it reads')
})

t.test('a caller that does not read is disconnected after readTimeout', async (t) => {
  const { listen, headers, upstream } = await proxyApp(t, { readTimeout: 500, idleTimeout: 60_000 })
  upstream.answer = endless
  const { request, answer } = openCall(await listen(), headers(), 'GET')
  request.end()
  const response = await answer
  response.pause()
  t.ok(await comesTrue(() => upstream.openSockets() === 0))
  t.equal((await readAll(response)).whole, false)
})

t.test('all calls to a hanging upstream are 504, and other routes respond meanwhile', async (t) => {
  const limit = holdTimers(t, 61_234)
  const { app, listen, headers, upstream } = await proxyApp(t, { timeout: 61_234, userConnections: 200 }, {}, (app) => {
    app.get('/healthz', async () => 'alive')
  })
  upstream.answer = hang
  const origin = await listen()
  const calls = Array.from({ length: 200 }, () => {
    const { request, answer } = openCall(origin, headers(), 'GET')
    request.end()
    return answer.then(async (answer) => [answer.statusCode, JSON.parse((await readAll(answer)).text).error.code])
  })
  t.ok(await comesTrue(() => limit.waiting() === 200))
  const health = []
  for (let at = 0; at < 20; at++) health.push((await app.inject('/healthz')).statusCode)
  t.same(new Set(health), new Set([200]))
  t.equal(limit.waiting(), 200, 'all calls still wait for the upstream or for one of 64 sockets')
  limit.run()
  t.same(new Set((await Promise.all(calls)).map(String)), new Set(['504,UPSTREAM_TIMEOUT']))
  t.ok(await comesTrue(() => upstream.openSockets() === 0))
  upstream.answer = reply('again')
  t.equal((await app.inject({ url: '/api/databrain/proxy/x', headers: headers() })).statusCode, 200)
})
