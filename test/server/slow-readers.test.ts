import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { cutSlowReaders } from '../../server/slow-readers.js'
import type { SlowReaderOptions } from '../../server/slow-readers.js'
import { demoApp } from '../helpers/server-app.js'
import { logReader } from '../helpers/log-reader.js'
import { readSlowly } from '../helpers/slow-reader.js'

/** More than the socket buffers hold. */
const BIG = Buffer.alloc(48_000_000, 'x')

async function server (
  t: Test,
  options: SlowReaderOptions
): Promise<{ app: FastifyInstance, origin: string, log: ReturnType<typeof logReader> }> {
  const log = logReader()
  const app = Fastify({
    forceCloseConnections: true,
    logger: { level: 'info', stream: log.stream },
    keepAliveTimeout: 60_000
  })
  t.teardown(() => app.close())
  cutSlowReaders(app, options)
  app.get('/big', (_request, reply) => reply.send(BIG))
  app.get('/later', async () => {
    await sleep(2_500)
    return 'ok'
  })
  app.get('/ok', async () => 'ok')
  return { app, log, origin: await app.listen({ host: '127.0.0.1', port: 0 }) }
}

function connections ({ server }: FastifyInstance): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => error === null ? resolve(count) : reject(error))
  )
}

t.test('a client that reads its response a few bytes at a time is disconnected, with one log line', async (t) => {
  const { app, origin, log } = await server(t, { within: 1_000, every: 200 })
  const readers = await Promise.all(
    Array.from({ length: 5 }, () => readSlowly(origin, '/big', { bytes: 1, pause: 100, limit: 30_000 }))
  )
  for (const { cut, after, taken } of readers) {
    t.ok(cut, 'by the server')
    t.ok(after >= 1_000, `after ${after} ms`)
    t.ok(taken < BIG.length, `with ${taken} bytes`)
  }
  while (await connections(app) > 0) await sleep(20)
  const lines = log.lines().filter(({ msg }) => String(msg).startsWith('connection cut'))
  t.equal(lines.length, 5)
  t.match(lines[0], { remoteAddress: '127.0.0.1', waiting: Number })
})

t.test('a client that reads fast enough is not disconnected, even after a long time', async (t) => {
  const { origin } = await server(t, { within: 1_000, every: 200 })
  // Some MB in each second: the system accepts more of a response only when a large part of its buffer
  // has been read.
  const { cut, taken, after } = await readSlowly(origin, '/big', { bytes: 262_144, pause: 40, limit: 4_000 })
  t.notOk(cut, `after ${after} ms with ${taken} bytes`)
})

t.test('a client that has its response, waits for a response or is idle is not disconnected', async (t) => {
  const { app, origin } = await server(t, { within: 500, every: 100 })
  const port = Number(new URL(origin).port)
  const silent = connect(port, '127.0.0.1')
  const waiting = connect(port, '127.0.0.1')
  const answered = connect(port, '127.0.0.1')
  const texts = { waiting: '', answered: '' }
  waiting.on('data', (chunk) => {
    texts.waiting += chunk.toString()
  }).write('GET /later HTTP/1.1\r\nHost: a\r\n\r\n')
  answered.on('data', (chunk) => {
    texts.answered += chunk.toString()
  }).write('GET /ok HTTP/1.1\r\nHost: a\r\n\r\n')
  while (texts.waiting === '') await sleep(20)
  t.match(texts.waiting, /^HTTP\/1\.1 200/)
  t.match(texts.answered, /^HTTP\/1\.1 200/)
  t.equal(await connections(app), 3)
  for (const socket of [silent, waiting, answered]) socket.destroy()
})

t.test('a page of a list has about 1 MB, and a client that requests many pages without ' +
  'reading is disconnected', async (t) => {
  // The limit is the timeout of a request.
  const { app, first } = await demoApp(t, {
    HEADERS_TIMEOUT_MS: '1000',
    REQUEST_TIMEOUT_MS: '2000',
    INGEST_KEY_RATE_MAX: '0',
    LOG_LEVEL: 'warn'
  }, { listen: true })
  for (let at = 0; at < 5; at++) {
    const batch = Array.from(
      { length: 40 },
      () => ({ type: 'track', event: 'Big', userId: 'u', properties: { text: 'x'.repeat(60_000) } })
    )
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/batch',
      headers: { authorization: `Bearer ${String(first.pipelineKey)}` },
      payload: { batch }
    })
    t.equal(reply.statusCode, 200)
  }
  const { email, generatedPassword: password } = first
  const login = await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })
  const headers = { authorization: `Bearer ${String(login.json().access_token)}` }
  const list = await app.inject({ url: '/v1/admin/events?limit=100', headers })
  t.ok(list.body.length > 900_000 && list.body.length < 1_200_000, `${list.body.length} bytes`)
  // Data in the buffers of the system does not count as waiting.
  const readers = await Promise.all(
    Array.from({ length: 4 }, () =>
      readSlowly(app.listeningOrigin, '/v1/admin/events?limit=100', {
        bytes: 1,
        pause: 250,
        limit: 60_000,
        times: 12,
        headers
      }))
  )
  t.same(readers.map(({ cut }) => cut), [true, true, true, true], JSON.stringify(readers))
  t.ok(readers.every(({ taken }) => taken < list.body.length))
  t.equal((await app.inject('/healthz')).statusCode, 200)
})
