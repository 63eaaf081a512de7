import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyServerOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import connectionLimit from '../../../plugins/connection-limit/index.js'
import type { ConnectionLimitOptions } from '../../../plugins/connection-limit/index.js'
import { rawExchange } from '../../helpers/raw-socket.js'
import { temporaryFolder } from '../../helpers/server-process.js'

interface Held {
  app: FastifyInstance
  /** Replies of the routes that wait to be sent. */
  waiting: FastifyReply[]
  /** Sends all waiting replies. */
  answer(): void
  /** Resolves when this many requests wait. */
  wait(count: number): Promise<void>
}

/** An app whose routes respond when the test calls `answer`. */
async function held (t: Test, options: ConnectionLimitOptions = {}, server: FastifyServerOptions = {}): Promise<Held> {
  const app = Fastify({ forceCloseConnections: true, ...server })
  t.teardown(() => app.close())
  await app.register(connectionLimit, options)
  const waiting: FastifyReply[] = []
  const hold = (_request: unknown, reply: FastifyReply) => {
    waiting.push(reply)
  }
  app.get('/held', { config: { gatehouse: { connectionLimit: true } } }, hold)
  app.get('/two', { config: { gatehouse: { connectionLimit: 2 } } }, hold)
  app.get('/free', { config: { gatehouse: { connectionLimit: false } } }, hold)
  app.get('/silent', hold)
  async function wait (count: number) {
    // The timeout of the test runner ends this loop.
    while (waiting.length < count) await sleep(5)
  }
  return {
    app,
    waiting,
    wait,
    answer: () => {
      for (const reply of waiting.splice(0)) reply.send({ ok: true })
    }
  }
}

const from = (url: string, remoteAddress: string) => ({ url, remoteAddress })
const statuses = (replies: ReadonlyArray<{ statusCode: number }>) => replies.map(({ statusCode }) => statusCode).sort()

t.test('exactly 10 of 100 concurrent requests from one address are admitted, and the others are 429', async (t) => {
  const { app, answer, wait } = await held(t)
  const all = Array.from({ length: 100 }, () => app.inject('/held'))
  await wait(10)
  const other = app.inject(from('/held', '192.0.2.7'))
  await wait(11)
  answer()
  const replies = await Promise.all(all)
  t.same(statuses(replies), [...Array(10).fill(200), ...Array(90).fill(429)])
  t.equal((await other).statusCode, 200, 'another address has a separate limit')
  const refused = replies.find(({ statusCode }) => statusCode === 429)
  t.same(refused?.json(), { error: { code: 'TOO_MANY_CONNECTIONS', message: 'Too many connections' } })
  t.match(refused?.headers, { 'retry-after': '1', 'cache-control': 'no-store' })
  const next = app.inject('/held')
  await wait(1)
  answer()
  t.equal((await next).statusCode, 200, 'all places are free again')
})

t.test('a route with a number counts separately, in every spelling and with HEAD; unmarked routes ' +
  'are not limited', async (t) => {
  const { app, answer, wait } = await held(t, { max: 3 }, {
    routerOptions: { ignoreTrailingSlash: true, caseSensitive: false }
  })
  const ask = (method: 'GET' | 'HEAD', url: string) => app.inject({ method, url })
  const all = [ask('GET', '/two'), ask('HEAD', '/two/'), ask('GET', '/TWO?x=1'), ask('HEAD', '/two')]
  const shared = [ask('GET', '/held'), ask('GET', '/held'), ask('GET', '/held'), ask('GET', '/held')]
  const free = Array.from({ length: 20 }, (_, at) => ask('GET', at % 2 === 0 ? '/free' : '/silent'))
  await wait(2 + 3 + 20)
  answer()
  t.same(statuses(await Promise.all(all)), [200, 200, 429, 429])
  t.same(statuses(await Promise.all(shared)), [200, 200, 200, 429])
  t.same(statuses(await Promise.all(free)), Array(20).fill(200))
})

t.test('an IPv6 /64 counts as one address, and X-Forwarded-For of an untrusted peer is ignored', async (t) => {
  const { app, answer, wait } = await held(t, { max: 2 })
  const all = [1, 2, 3].map((at) => app.inject(from('/held', `2001:db8::${at}`)))
  const neighbour = app.inject(from('/held', '2001:db8:0:1::1'))
  const claims = [1, 2, 3].map((at) =>
    app.inject({
      ...from('/held', '192.0.2.1'),
      headers: { 'x-forwarded-for': `10.0.0.${at}`, forwarded: `for=10.0.0.${at}` }
    })
  )
  const mapped = [app.inject(from('/held', '192.0.2.9')), app.inject(from('/held', '::ffff:192.0.2.9')),
    app.inject(from('/held', '::FFFF:192.0.2.9'))]
  await wait(7)
  answer()
  t.same(statuses(await Promise.all(all)), [200, 200, 429])
  t.equal((await neighbour).statusCode, 200)
  t.same(statuses(await Promise.all(claims)), [200, 200, 429])
  t.same(statuses(await Promise.all(mapped)), [200, 200, 429])
})

t.test('behind a trusted proxy each client is counted separately', async (t) => {
  const { app, answer, wait } = await held(t, { max: 1 }, { trustProxy: '127.0.0.1' })
  const all = ['192.0.2.1', '192.0.2.2', '192.0.2.1'].map((client) =>
    app.inject({ url: '/held', headers: { 'x-forwarded-for': client } })
  )
  await wait(2)
  answer()
  t.same(statuses(await Promise.all(all)), [200, 200, 429])
})

t.test('with global every route without connectionLimit: false is limited, and so are the 404 ' +
  'handler and preflights', async (t) => {
  const { app, answer, wait } = await held(t, { max: 1, global: true })
  const first = app.inject('/silent')
  await wait(1)
  t.equal((await app.inject('/nowhere')).statusCode, 429)
  t.equal((await app.inject('/silent')).statusCode, 429)
  const preflight = { origin: 'https://a.test', 'access-control-request-method': 'GET' }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/silent', headers: preflight })).statusCode, 429)
  const free = app.inject('/free')
  await wait(2)
  answer()
  t.same([(await first).statusCode, (await free).statusCode], [200, 200])
  t.equal((await app.inject('/nowhere')).statusCode, 404)
})

t.test('on a Unix socket all requests count as one client unless the proxy is trusted', async (t) => {
  for (
    const [trustProxy, expected] of [[false, [200, 429]], [(_address: string, hop: number) => hop < 1, [200,
      200]]] as const
  ) {
    const { app, answer, wait } = await held(t, { max: 1 }, { trustProxy })
    const path = join(await temporaryFolder(t), 'socket')
    await app.listen({ path })
    const get = (client: string) =>
      new Promise<number>((resolve) => {
        request({ socketPath: path, path: '/held', agent: false, headers: { 'x-forwarded-for': client } }, (reply) => {
          reply.resume()
          resolve(reply.statusCode ?? 0)
        }).end()
      })
    const first = get('192.0.2.1')
    await wait(1)
    const second = get('192.0.2.2')
    if (expected[1] === 200) await wait(2)
    else t.equal(await second, 429)
    answer()
    t.same([await first, await second], expected)
  }
})

t.test('two scopes count separately', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const waiting: FastifyReply[] = []
  for (const prefix of ['/a', '/b']) {
    await app.register(async (scope) => {
      await scope.register(connectionLimit, { max: 1, global: true })
      scope.get('/x', (_request, reply) => {
        waiting.push(reply)
      })
    }, { prefix })
  }
  const all = ['/a/x', '/a/x', '/b/x', '/b/x'].map((url) => app.inject(url))
  while (waiting.length < 2) await sleep(5)
  for (const reply of waiting) reply.send('ok')
  t.same((await Promise.all(all)).map(({ statusCode }) => statusCode), [200, 429, 200, 429])
})

t.test("the refusal is the envelope on a host's route with an error handler of the host", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send('host'))
  await app.register(connectionLimit)
  app.get('/x', { config: { gatehouse: { connectionLimit: 1 } } }, async () => {
    await sleep(50)
  })
  const replies = await Promise.all([app.inject('/x'), app.inject('/x')])
  t.same(replies.map(({ statusCode }) => statusCode), [200, 429])
  t.equal(replies[1]?.json().error.code, 'TOO_MANY_CONNECTIONS')
})

/** Opens a connection and sends that many requests at once. */
async function pipeline (origin: string, url: string, count: number): Promise<Socket> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.on('error', () => {}).resume()
  await once(socket, 'connect')
  socket.write(`GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(count))
  return socket
}

t.test('each request of a pipeline counts, and all its places are free again when the ' +
  'client disconnects', async (t) => {
  const { app, waiting, wait, answer } = await held(t, { max: 5 })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = await pipeline(origin, '/held', 8)
  await wait(5)
  t.equal((await app.inject('/held')).statusCode, 429)
  socket.destroy()
  // No response was sent: the places are free because the client has disconnected.
  while ((await free(app, waiting)) === false) await sleep(5)
  t.equal(waiting.length, 6)
  answer()
  const text = rawExchange(
    origin,
    `${'GET /held HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4)}GET /held HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  )
  await wait(5)
  answer()
  t.equal((await text).split('HTTP/1.1 200').length - 1, 5)
})

/** Returns whether another request is admitted; an admitted request keeps waiting. */
async function free (app: FastifyInstance, waiting: FastifyReply[]): Promise<boolean> {
  const before = waiting.length
  return Promise.race([app.inject('/held').then(() => false), (async () => {
    while (waiting.length === before) await sleep(5)
    return true
  })()])
}

t.test('an invalid option stops the start with an error that names it', async (t) => {
  const cases: Array<[object, string, FastifyServerOptions?]> = [
    [{ max: 0 }, 'max'],
    [{ max: '10' }, 'max'],
    [{ max: 1.5 }, 'max'],
    [{ global: 'yes' }, 'global'],
    [{ sockets: 0 }, 'sockets'],
    [{ sockets: true }, 'sockets'],
    [{ exemptPeers: '10.0.0.1' }, 'exemptPeers'],
    [{ exemptPeers: ['10.0.0.0/33'] }, 'exemptPeers'],
    [{ exemptPeers: ['host'] }, 'exemptPeers'],
    [{ exemptPeers: ['::1/x'] }, 'exemptPeers'],
    [{ sockets: 10 }, 'sockets', { trustProxy: '10.0.0.1' }]
  ]
  for (const [options, name, server = {}] of cases) {
    const app = Fastify(server)
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(connectionLimit, options), {
      code: 'INVALID_OPTIONS',
      message: new RegExp(`"${name}"`)
    }, JSON.stringify(options))
  }
  for (const value of [0, -1, 1.5, '5', null]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(connectionLimit)
    app.get('/x', { config: { gatehouse: { connectionLimit: value as number } } }, async () => 'x')
    await t.rejects(
      async () => app.ready(),
      { code: 'INVALID_OPTIONS', message: /connectionLimit must be/ },
      String(value)
    )
  }
})
