import { request as ask } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import type { Http2Server } from 'node:http2'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { InFlight } from '../../../plugins/connection-limit/in-flight.js'
import { Tally } from '../../../plugins/connection-limit/tally.js'
import { until } from '../../helpers/until.js'

const ANY = Number.MAX_SAFE_INTEGER

interface Counting {
  app: FastifyInstance
  origin: string
  inFlight: InFlight
  entered(): number
}

/** An app that counts every request under a separate name. */
async function counting (t: Test, define: (app: FastifyInstance) => void): Promise<Counting> {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  const inFlight = new InFlight()
  let entered = 0
  app.addHook('onRequest', function enter (request, reply, done) {
    inFlight.enter(`client ${++entered}`, 1, request, reply)
    done()
  })
  define(app)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, origin, inFlight, entered: () => entered }
}

/** Sends bytes and disconnects as soon as `when` returns true. */
async function hangUp (origin: string, bytes: string, when: () => boolean): Promise<void> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.on('error', () => {}).resume()
  socket.write(bytes)
  await until('it is time to disconnect', when)
  socket.resetAndDestroy()
}

const head = (url: string) => `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`

t.test('a tally has no entry for a name without places, and never goes below 0', async (t) => {
  const tally = new Tally()
  t.same([tally.take('a', 2), tally.take('a', 2), tally.take('a', 2), tally.take('b', 0)], [true, true, false, false])
  t.equal(tally.size, 1)
  for (let at = 0; at < 3; at++) tally.release('a')
  t.equal(tally.size, 0)
  t.ok(tally.take('a', 1))
})

t.test('no name is left after thousands of successful, failed and unknown requests on connections ' +
  'that stay open', async (t) => {
  const { app, origin, inFlight, entered } = await counting(t, (app) => {
    app.get('/ok', async () => 'ok')
    app.get('/empty', async (_request, reply) => reply.code(204).send())
    app.get('/fails', async () => {
      throw new Error('broken')
    })
    app.post('/body', async ({ body }) => body)
  })
  const calls = [['/ok', {}], ['/empty', {}], ['/fails', {}], ['/nowhere', {}], ['/body', {
    method: 'POST',
    body: '{',
    headers: { 'content-type': 'application/json' }
  }]] as const
  for (let round = 0; round < 30; round++) {
    await Promise.all(Array.from({ length: 100 }, async (_none, at) => {
      const [url, options] = calls[at % calls.length] ?? calls[0]
      await (await fetch(origin + url, options)).arrayBuffer()
    }))
  }
  await Promise.all(Array.from({ length: 500 }, () => app.inject('/ok')))
  t.equal(entered(), 3_500)
  await until('no request is in flight', () => inFlight.size === 0)
  t.equal(inFlight.size, 0)
})

t.test('a request with places in two limits releases both', async (t) => {
  const inner = new InFlight()
  const { origin, inFlight } = await counting(t, (app) => {
    app.addHook('preHandler', function enterToo (request, reply, done) {
      inner.enter('the same', ANY, request, reply)
      done()
    })
    app.get('/', async () => 'ok')
  })
  for (let round = 0; round < 5; round++) await (await fetch(origin)).arrayBuffer()
  await until('no request is in flight', () => inFlight.size === 0 && inner.size === 0)
  t.equal(inFlight.size + inner.size, 0)
})

t.test('no name is left when clients disconnect before the response, also in a pipeline', async (t) => {
  const replies: FastifyReply[] = []
  const { origin, inFlight, entered } = await counting(t, (app) => {
    app.get('/held', (_request, reply) => {
      replies.push(reply)
    })
  })
  for (let round = 0; round < 20; round++) {
    const [start, state] = [entered(), { leave: false }]
    const all = Array.from({ length: 20 }, () => hangUp(origin, head('/held').repeat(5), () => state.leave))
    await until('the requests have entered', () => entered() === start + 100)
    t.ok(inFlight.size >= 100)
    state.leave = true
    await Promise.all(all)
  }
  await until('no request is in flight', () => inFlight.size === 0)
  // A response that is sent afterwards does not release a place twice.
  inFlight.enter('one more', ANY, ...fresh(replies))
  for (const reply of replies.splice(0)) reply.send('late')
  await sleep(20)
  t.equal(inFlight.size, 0, 'no name is counted')
})

/** A request whose client has disconnected gets no place, because no event would release it. */
function fresh ([reply]: FastifyReply[]): [FastifyReply['request'], FastifyReply] {
  if (reply === undefined) throw new Error('no reply')
  return [reply.request, reply]
}

t.test('a client that disconnects during the upload or the response is no longer counted', async (t) => {
  let sent = 0
  const { origin, inFlight, entered } = await counting(t, (app) => {
    app.post('/upload', async () => 'never')
    // More than the socket buffers hold.
    app.get('/big', async (_request, reply) => {
      sent++
      return reply.send(Buffer.alloc(64_000_000))
    })
  })
  const upload = 'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{'
  await Promise.all(Array.from({ length: 200 }, () => hangUp(origin, upload, () => entered() === 200)))
  await Promise.all(Array.from({ length: 3 }, () => hangUp(origin, head('/big'), () => sent === 3)))
  await until('no request is in flight', () => inFlight.size === 0)
  t.equal(inFlight.size, 0)
})

t.test('a hijacked reply is counted until its socket closes', async (t) => {
  const replies: FastifyReply[] = []
  const { origin, inFlight } = await counting(t, (app) => {
    app.get('/stream', (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200).write('first')
      replies.push(reply)
    })
    app.get('/taken', (request, reply) => {
      reply.hijack()
      request.raw.socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const streams = await Promise.all(Array.from({ length: 50 }, () => fetch(`${origin}/stream`)))
  t.equal(inFlight.size, 50)
  for (const reply of replies) reply.raw.end()
  await Promise.all(streams.map((stream) => stream.text()))
  await Promise.all(Array.from({ length: 50 }, async () => (await fetch(`${origin}/taken`)).text()))
  await until('no request is in flight', () => inFlight.size === 0)
  t.equal(inFlight.size, 0)
})

t.test('after the server closes no request is counted', async (t) => {
  const { app, origin, inFlight, entered } = await counting(t, (app) => {
    app.get('/held', () => {})
  })
  const gone = Array.from({ length: 20 }, () =>
    new Promise((resolve) => {
      ask(`${origin}/held`).on('error', resolve).end()
    }))
  await until('the requests have entered', () => entered() === 20)
  t.equal(inFlight.size, 20)
  await app.close()
  await Promise.all(gone)
  await until('no request is in flight', () => inFlight.size === 0)
  t.equal(inFlight.size, 0)
})

t.test('each HTTP/2 stream is counted, and is released when it completes or is reset', async (t) => {
  const inFlight = new InFlight()
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  app.addHook('onRequest', (request, reply, done) => {
    inFlight.enter('one client', ANY, request as never, reply as never)
    done()
  })
  let held = 0
  app.get('/held', () => {
    held++
  })
  app.get('/ok', async () => 'ok')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const session = connectHttp2(`http://127.0.0.1:${((app.server as Http2Server).address() as AddressInfo).port}`)
  t.teardown(() => session.destroy())
  const open = Array.from({ length: 20 }, () => session.request({ ':path': '/held' }).on('error', () => {}))
  await until('the requests are held', () => held === 20)
  t.equal(inFlight.size, 1)
  for (const stream of open) stream.close()
  await Promise.all(
    Array.from({ length: 20 }, () =>
      new Promise((resolve) =>
        session.request({ ':path': '/ok' }).resume().on('end', resolve)
      ))
  )
  await until('no request is in flight', () => inFlight.size === 0)
  t.equal(inFlight.size, 0)
})
