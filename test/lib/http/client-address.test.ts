import Fastify from 'fastify'
import t from 'tap'

import { loggerOptions, RequestLog } from '../../../server/logging.js'
import { clientNetwork, plainAddress } from '../../../lib/http/client-address.js'
import connectionLimit from '../../../plugins/connection-limit/index.js'
import rateLimit from '../../../plugins/rate-limit/index.js'
import { limitRate } from '../../../lib/limits/rate-limit.js'
import { gateway } from '../../helpers/gateway.js'
import { logReader } from '../../helpers/log-reader.js'

const READ = [
  ['192.0.2.7', '192.0.2.7', '192.0.2.7'],
  ['192.0.2.7:50123', '192.0.2.7', '192.0.2.7'],
  ['192.0.2.7:_port.a-b', '192.0.2.7', '192.0.2.7'],
  [' 192.0.2.7 ', '192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7', '192.0.2.7'],
  ['::ffff:c000:207', '192.0.2.7', '192.0.2.7'],
  ['[::ffff:192.0.2.7]:50123', '192.0.2.7', '192.0.2.7'],
  ['2001:db8::7', '2001:db8::7', '2001:db8::/64'],
  ['2001:DB8:0:0:1:0:0:7', '2001:db8::1:0:0:7', '2001:db8::/64'],
  ['[2001:db8::7]', '2001:db8::7', '2001:db8::/64'],
  ['[2001:db8:1:2:3::7]:443', '2001:db8:1:2:3::7', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80::1', 'fe80::/64'],
  ['[fe80::1%25eth0]:80', 'fe80::1', 'fe80::/64'],
  ['::1', '::1', '::/64']
] as const

const NO_ADDRESS = [
  undefined,
  '',
  ' ',
  'unknown',
  'unknown:80',
  '_hidden',
  '_SEVKISEK',
  'localhost',
  'client.example.com',
  '-',
  'null',
  '0',
  '127.1',
  '1.2.3',
  '1.2.3.4.5',
  '256.0.0.1',
  '010.0.0.1',
  '0x7f.0.0.1',
  '2130706433',
  '1.2.3.4:',
  '1.2.3.4:123456',
  '1.2.3.4:port',
  '1.2.3.4/24',
  '[1.2.3.4',
  '[::1',
  '::1]',
  '[]',
  '[]:80',
  '[::1]80',
  ':::',
  '12345::',
  '1:2:3:4:5:6:7:8:9',
  '%eth0',
  '<script>',
  `1.2.3.4${' '.repeat(200)}`,
  '１.2.3.4'
]

t.test('an address is read with or without brackets, a zone, a port and its IPv4-mapped form', async (t) => {
  for (const [text, address, network] of READ) {
    t.equal(plainAddress(text), address, text)
    t.equal(clientNetwork(text), network, text)
  }
})

t.test("a disconnected client and a proxy's placeholder have no address", async (t) => {
  for (const text of NO_ADDRESS) {
    t.equal(plainAddress(text), '', String(text))
    t.equal(clientNetwork(text), '', String(text))
  }
})

const PORTS = Array.from({ length: 5 }, (_, at) => 50_000 + at)
const ONE_CLIENT: Array<[name: string, forwarded: (port: number) => string]> = [
  ['an IPv4 address with a port', (port) => `203.0.113.9:${port}`],
  ['an IPv6 address with a port', (port) => `[2001:db8::1]:${port}`],
  ['addresses of one /64 in brackets', (port) => `[2001:db8::${port}]`],
  ['"unknown"', () => 'unknown'],
  ['hidden names', (port) => `_hidden${port}`]
]

t.test('rateLimit counts all ports of a client, and all clients without an address, as one client', async (t) => {
  for (const [name, forwarded] of ONE_CLIENT) {
    const app = Fastify({ trustProxy: '127.0.0.1' })
    t.teardown(() => app.close())
    await app.register(rateLimit, { global: true, address: { max: 2 } })
    app.get('/', () => 'ok')
    const seen = []
    for (const port of PORTS) {
      seen.push((await app.inject({ url: '/', headers: { 'x-forwarded-for': forwarded(port) } })).statusCode)
    }
    t.same(seen, [200, 200, 429, 429, 429], name)
  }
})

t.test('connectionLimit counts all ports of a client, and all clients without an address, as one client', async (t) => {
  for (const [name, forwarded] of ONE_CLIENT) {
    const app = Fastify({ trustProxy: '127.0.0.1' })
    t.teardown(() => app.close())
    await app.register(connectionLimit, { global: true, max: 2 })
    let open = () => {}
    const held = new Promise<void>((resolve) => {
      open = resolve
    })
    app.get('/', async () => {
      await held
      return 'ok'
    })
    const replies = PORTS.map(async (port) => app.inject({ url: '/', headers: { 'x-forwarded-for': forwarded(port) } }))
    const refused = await Promise.all(replies.slice(2))
    open()
    const served = await Promise.all(replies.slice(0, 2))
    t.same([...served, ...refused].map(({ statusCode }) => statusCode), [200, 200, 429, 429, 429], name)
  }
})

t.test('the guess limit and the ingestion limit count all ports of a client as one client', async (t) => {
  for (const [name, forwarded] of ONE_CLIENT) {
    const guessed = await gateway(t, { server: { trustProxy: '127.0.0.1' }, ingestion: { guessLimit: { max: 2 } } })
    const limited = await gateway(t, {
      server: { trustProxy: '127.0.0.1' },
      ingestion: { rateLimit: { max: 2, timeWindow: 60_000 } }
    })
    const guesses = []
    const events = []
    for (const port of PORTS) {
      const headers = { 'x-forwarded-for': forwarded(port) }
      guesses.push(
        (await guessed.post('/v1/track', '{}', {
          ...headers,
          authorization: `Bearer dk_live_${String(port).repeat(7).slice(0, 32)}`
        })).statusCode
      )
      events.push((await limited.post('/v1/track', { userId: 'u1', event: 'E' }, headers)).statusCode)
    }
    t.same(guesses, [401, 401, 429, 429, 429], name)
    t.same(events, [200, 200, 429, 429, 429], name)
  }
})

t.test('the address of the socket counts if the forwarded string is no address', async (t) => {
  const app = Fastify({ trustProxy: true })
  t.teardown(() => app.close())
  await app.register(rateLimit, { global: true, address: { max: 2 } })
  app.get('/', () => 'ok')
  const get = async (remoteAddress: string, forwarded?: string) => {
    return (await app.inject({
      url: '/',
      remoteAddress,
      ...forwarded === undefined ? {} : { headers: { 'x-forwarded-for': forwarded } }
    })).statusCode
  }
  t.same([await get('192.0.2.1', 'unknown'), await get('192.0.2.1', '_hidden'), await get('192.0.2.1')], [200, 200,
    429])
  t.same([await get('192.0.2.2', 'unknown'), await get('192.0.2.2', '0x7f.1'), await get('::ffff:c000:202')], [200, 200,
    429])
  t.equal(await get('192.0.2.1', '203.0.113.9'), 200, 'a client of the same proxy with an address')
})

t.test('rateLimit with "ipv6Subnet" parses addresses in the same way as without it', async (t) => {
  const app = Fastify({ trustProxy: true })
  t.teardown(() => app.close())
  await limitRate(app, { max: 1, timeWindow: 60_000, ipv6Subnet: 56 })
  app.get('/', () => 'ok')
  const get = async (forwarded: string) =>
    (await app.inject({ url: '/', headers: { 'x-forwarded-for': forwarded } })).statusCode
  t.same([await get('[2001:db8:0:100::1]:50123'), await get('2001:db8:0:1ff::2'), await get('2001:db8:0:200::1')], [200,
    429, 200])
  t.same([await get('203.0.113.9:50123'), await get('::ffff:203.0.113.9')], [200, 429])
  for (const ipv6Subnet of [-1, 129, 56.5, NaN]) {
    await t.rejects(
      limitRate(app, { ipv6Subnet }),
      { message: /"ipv6Subnet" must be a whole number of bits/ },
      String(ipv6Subnet)
    )
  }
})

t.test('the built-in server logs the address without its port, or the peer if the proxy sends ' +
  'no address', async (t) => {
  const log = logReader()
  const app = Fastify({ trustProxy: true, logger: loggerOptions('info', log.stream), logController: new RequestLog(log.stream) })
  t.teardown(() => app.close())
  app.get('/', () => 'ok')
  for (const forwarded of ['203.0.113.9:50123', '::ffff:cb00:7109', '<script>']) {
    await app.inject({ url: '/', remoteAddress: '192.0.2.1', headers: { 'x-forwarded-for': forwarded } })
  }
  const shown = log.lines().map((line) => (line as { req: { remoteAddress: unknown } }).req.remoteAddress)
  t.same(shown, ['203.0.113.9', '203.0.113.9', '192.0.2.1'])
})

t.test('a stored event has the address without its port, or an empty string if the proxy sends ' +
  'no address', async (t) => {
  const { post, signed, accepted } = await gateway(t, { server: { trustProxy: '127.0.0.1' } })
  const sent = ['203.0.113.9:50123', '[2001:DB8::1]:443', 'unknown', '_hidden', '203.0.113.9']
  for (const address of sent) {
    t.equal((await post('/v1/track', { userId: 'u1', event: 'E' }, { 'x-forwarded-for': address })).statusCode, 200)
  }
  t.same((await accepted()).map(({ ip }) => ip), ['203.0.113.9', '2001:db8::1', '', '', '203.0.113.9'])
  t.equal(
    (await signed('/v1/track', { userId: 'u1', event: 'E', context: { ip: '198.51.100.4:50123' } })).statusCode,
    200
  )
  t.equal((await accepted()).at(-1)?.ip, '198.51.100.4')
  const refused = await signed('/v1/track', { userId: 'u1', event: 'E', context: { ip: 'unknown' } })
  t.equal(refused.statusCode, 400)
})
