import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import connectionLimit from '../../../plugins/connection-limit/index.js'
import type { ConnectionLimitOptions } from '../../../plugins/connection-limit/index.js'
import { addressList, limitSockets } from '../../../plugins/connection-limit/sockets.js'
import { selfSigned } from '../../helpers/self-signed.js'

interface Client {
  socket: Socket
  /** The string received until the server closed. */
  text: Promise<string>
}

/** Exempts no peer, not even the loopback address of these tests. */
const COUNT_ALL = { exemptPeers: [] }

async function server (
  t: Test,
  options: ConnectionLimitOptions,
  settings: FastifyServerOptions = {}
): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true, ...settings })
  t.teardown(() => app.close())
  await app.register(connectionLimit, options)
  app.get('/', async () => 'ok')
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}

/** Opens a connection and, with `send`, requests the page at once, as any client does. */
async function open (app: FastifyInstance, send = false): Promise<Client> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  const chunks: string[] = []
  socket.on('data', (chunk) => chunks.push(chunk.toString())).on('error', () => {})
  const text = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(chunks.join('')))
  })
  await once(socket, 'connect')
  if (send) socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  return { socket, text }
}

async function openMany (app: FastifyInstance, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => open(app)))
}

function connections ({ server }: FastifyInstance): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => error === null ? resolve(count) : reject(error))
  )
}

async function leave (app: FastifyInstance, clients: readonly Client[]): Promise<void> {
  for (const { socket } of clients) socket.destroy()
  await Promise.all(clients.map(({ text }) => text))
  while (await connections(app) > 0) await sleep(5)
}

t.test('a socket beyond the limit of its address gets 429 and is closed; after others close, a ' +
  'new socket works', async (t) => {
  const app = await server(t, { ...COUNT_ALL, sockets: 5 })
  const clients = await openMany(app, 5)
  const refused = await (await open(app)).text
  t.match(refused, /^HTTP\/1\.1 429 Too Many Requests\r\n/)
  t.match(refused, /\r\nRetry-After: 1\r\n/)
  t.match(refused, /\r\n\r\n\{"error":\{"code":"TOO_MANY_CONNECTIONS","message":"Too many connections"\}\}$/)
  t.equal(Number(/Content-Length: (\d+)/.exec(refused)?.[1]), refused.split('\r\n\r\n')[1]?.length)
  await leave(app, clients)
  t.match(await (await open(app, true)).text, /^HTTP\/1\.1 200 OK\r\n/)
})

t.test('by default an address can have 100 sockets, and the loopback address has no limit', async (t) => {
  const counted = await server(t, COUNT_ALL)
  const hundred = await openMany(counted, 100)
  t.match(await (await open(counted)).text, /^HTTP\/1\.1 429/)
  await leave(counted, hundred)
  const exempt = await server(t, {})
  const many = await openMany(exempt, 150)
  t.match(await (await open(exempt, true)).text, /^HTTP\/1\.1 200/)
  await leave(exempt, many)
})

t.test('behind a trusted proxy sockets are not counted unless exemptPeers lists the proxies', async (t) => {
  const proxied = await server(t, {}, { trustProxy: '10.0.0.1' })
  const many = await openMany(proxied, 120)
  t.match(await (await open(proxied, true)).text, /^HTTP\/1\.1 200/)
  await leave(proxied, many)
  const named = await server(t, { sockets: 2, exemptPeers: ['10.0.0.0/8'] }, { trustProxy: '10.0.0.0/8' })
  const two = await openMany(named, 2)
  t.match(await (await open(named)).text, /^HTTP\/1\.1 429/)
  await leave(named, two)
})

t.test('with sockets: false the number of sockets is not limited', async (t) => {
  const app = await server(t, { ...COUNT_ALL, sockets: false })
  const many = await openMany(app, 120)
  t.match(await (await open(app, true)).text, /^HTTP\/1\.1 200/)
  await leave(app, many)
})

t.test('a TLS server closes an excess socket without a response and stays available', async (t) => {
  const { key, cert } = selfSigned()
  const app = await server(t, { ...COUNT_ALL, sockets: 1 }, { https: { key, cert } } as object)
  const first = connectTls({
    port: (app.server.address() as AddressInfo).port,
    host: '127.0.0.1',
    ca: cert,
    rejectUnauthorized: false
  })
  await once(first, 'secureConnect')
  t.equal(await (await open(app)).text, '')
  first.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const [answer] = await once(first, 'data') as [Buffer]
  t.match(answer.toString(), /^HTTP\/1\.1 200/)
})

t.test('a second registration with another socket limit stops the start, and a registration without ' +
  'a limit starts', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(connectionLimit, { sockets: 5 })
  await app.register(async (scope) => {
    await scope.register(connectionLimit, {})
  })
  await t.rejects(async () =>
    app.register(async (scope) => {
      await scope.register(connectionLimit, { sockets: 6 })
    }), { code: 'INVALID_OPTIONS', message: /"sockets"/ })
})

t.test('no peer is counted after thousands of accepted and refused sockets have closed', async (t) => {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  app.get('/', async () => 'ok')
  const cap = limitSockets(app.server, 50, addressList([]))
  if (cap === null) throw new Error('capped already')
  await app.listen({ host: '127.0.0.1', port: 0 })
  for (const way of ['asked', 'reset', 'ended', 'destroyed'] as const) {
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(Array.from({ length: 100 }, () => open(app, way === 'asked')))
      t.ok(cap.size <= 1)
      const texts = clients.map(({ text }) => text)
      if (way === 'asked') {
        // A socket that has its response is closed and makes room for the next socket.
        await Promise.all(texts)
        continue
      }
      // Silent sockets stay open until the client closes them.
      const refused = await firstOf(50, texts)
      t.ok(refused.every((text) => text.startsWith('HTTP/1.1 429')), way)
      for (const { socket } of clients) {
        if (way === 'reset') socket.resetAndDestroy()
        else if (way === 'ended') socket.end()
        else socket.destroy()
      }
      await Promise.all(texts)
      // The next round must not find sockets of this round.
      while (cap.size > 0) await sleep(5)
    }
  }
  while (cap.size > 0) await sleep(5)
  t.equal(cap.size, 0)
  cap.end()
  const many = await openMany(app, 60)
  t.match(await (await open(app, true)).text, /^HTTP\/1\.1 200/, 'sockets are no longer counted')
  await leave(app, many)
})

async function firstOf<Value> (count: number, promises: ReadonlyArray<Promise<Value>>): Promise<Value[]> {
  const values: Value[] = []
  return new Promise((resolve) => {
    for (const promise of promises) {
      promise.then((value) => {
        if (values.push(value) === count) resolve([...values])
      }, () => {})
    }
  })
}

t.test('an address list matches IPv4 and IPv6 addresses and networks', async (t) => {
  const list = addressList(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1'])
  for (
    const [address, family, expected] of [
      ['10.1.2.3', 'ipv4', true],
      ['11.0.0.1', 'ipv4', false],
      ['192.0.2.1', 'ipv4', true],
      ['192.0.2.2', 'ipv4', false],
      ['2001:db8:1::1', 'ipv6', true],
      ['2001:db9::1', 'ipv6', false],
      ['::1', 'ipv6', true],
      ['::2', 'ipv6', false]
    ] as const
  ) t.equal(list.check(address, family), expected, address)
})
