import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { watchHealth } from '../helpers/health-probe.js'
import { startServerProcess } from '../helpers/server-process.js'
import type { Variables } from '../helpers/server-process.js'
import { printedBy } from '../helpers/server-session.js'
import { openSockets, slowHttpTest } from '../helpers/slow-http-test.js'
import type { Slowness } from '../helpers/slow-http-test.js'
import { storeOfServer } from '../helpers/stores.js'
import { timedCall } from '../helpers/timed-calls.js'
import type { TimedAnswer } from '../helpers/timed-calls.js'

/** The connections of each attack; 1 000 in the full test. */
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 100)
/**
 * The longest duration of an attack in seconds. 120 is the full test, about 6 minutes (`--timeout=900`): the server
 * keeps its own time limits, and the
 * attacks run one after another, because six programs at once would load the machine themselves.
 */
const SECONDS = Number(process.env.SECONDS ?? 20)
/** Silent connections. All connections together must stay below MAX_CONNECTIONS (10 000). */
const IDLE = Number(process.env.IDLE ?? 500)
/** Connections that request much data and do not read it. */
const UNREAD = 20
const SHORT: Variables = { HEADERS_TIMEOUT_MS: '4000', REQUEST_TIMEOUT_MS: '6000', KEEP_ALIVE_TIMEOUT_MS: '3000' }
const IS_SHORT = SECONDS < 120
const LIMITS: Variables = IS_SHORT ? SHORT : {}
const AT_ONCE = 100
/** Disables the rate limits, which would otherwise end the attacks. */
const UNLIMITED: Variables = {
  LOG_LEVEL: 'warn',
  EMBED_RATE_MAX: '0',
  INGEST_IP_RATE_MAX: '0',
  INGEST_KEY_RATE_MAX: '0',
  NOT_FOUND_RATE_MAX: '0',
  EMBED_CONNECTIONS_MAX: '0',
  ADDRESS_SOCKETS_MAX: '0'
}
const EVENT = '{"event":"Meanwhile","userId":"u"}'

t.test(`${CONNECTIONS} slow clients of each kind and ${IDLE} idle clients leave the server available ` +
  'and are closed', async (t) => {
  const attack = await slowHttpTest(t)
  if (attack === null) return
  const store = await storeOfServer(t, 'PGlite')
  const server = await startServerProcess(t, store?.dataDir ?? '', { ...store?.variables, ...UNLIMITED, ...LIMITS })
  const { origin } = server
  const { pipelineKey } = printedBy(server)
  const port = Number(new URL(origin).port)
  const [event, big] = [`${origin}/v1/t?wk=${pipelineKey}`, `${origin}/docs/static/swagger-ui-bundle.js`]

  // Opened first: an event loop accepts one new connection per turn.
  const holding = await openAll(port, IDLE, '')
  // More data than the socket buffers hold.
  holding.push(...await openAll(port, UNREAD, `GET ${new URL(big).pathname} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(6)))

  const endWatch = watchHealth(server)
  const pace = IS_SHORT ? { rate: CONNECTIONS / 2, interval: 1 } : { rate: CONNECTIONS / 5, interval: 5 }
  const targets: ReadonlyArray<[Slowness, string]> = [
    ['body', event],
    ['body', `${origin}/authorize`],
    ['headers', event],
    ['headers', `${origin}/authorize`],
    ['answer', event],
    ['answer', big]
  ]
  const carryOut = async ([slow, url]: [Slowness, string]) => {
    // Many requests for the large file would be a busy client and not a slow client.
    const connections = url === big ? Math.min(CONNECTIONS, 200) : CONNECTIONS
    return {
      what: `${slow} ${new URL(url).pathname}`,
      slow,
      connections,
      ...await attack({ slow, url, ...pace, connections, duration: SECONDS })
    }
  }
  const attacks = IS_SHORT ? Promise.all(targets.map(carryOut)) : oneByOne(targets, carryOut)

  // Meanwhile another client sends events.
  const state = { over: false }
  const sent: TimedAnswer[] = []
  const sending = (async () => {
    while (!state.over) {
      sent.push(await timedCall('event', `${origin}/v1/t`, { token: pipelineKey, body: EVENT }))
      await sleep(200)
    }
  })()
  const outcomes = await attacks
  state.over = true
  await sending
  const health = await endWatch()

  for (const { what, slow, connections, unavailable, connected, ended } of outcomes) {
    t.equal(unavailable, 0, `${what}: the service was available all the time`)
    t.ok(connected > connections / 2, `${what}: ${connected} were connected at a time`)
    // A slow reader gets its last bytes from the system, long after the server has closed the connection.
    if (slow !== 'answer') t.equal(ended, 'No open connections left', what)
  }
  const slowest = Math.max(...sent.map(({ time }) => time))
  t.same(sent.filter(({ status }) => status !== 200), [], 'every event was accepted')
  t.equal(health.failed, 0)
  t.ok(
    sent.length >= 10 && health.asked >= 10,
    `${sent.length} events and ${health.asked} requests for /healthz were answered during the attacks`
  )
  t.ok(health.growth < 200, `the memory grew by ${health.growth} MB`)

  // Silent clients and clients that do not read stay connected until the server closes them.
  while (await openSockets(port) > 0) await sleep(100)
  for (const socket of holding) socket.destroy()
  t.comment(
    `${outcomes.length} x ${CONNECTIONS} slow and ${holding.length} silent clients: ${sent.length} events, at most ${slowest} ms; ` +
      `/healthz: median ${health.median} ms, at most ${health.slowest} ms of ${health.asked}; memory grew by ${health.growth} MB`
  )
  t.equal((await server.stop()).code, 0)
})

async function oneByOne<Item, Result> (
  items: readonly Item[],
  work: (item: Item) => Promise<Result>
): Promise<Result[]> {
  const results: Result[] = []
  for (const item of items) results.push(await work(item))
  return results
}

/** Opens this many connections, which send these bytes and read nothing. */
async function openAll (port: number, count: number, bytes: string): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let left = count; left > 0; left -= AT_ONCE) {
    sockets.push(...await Promise.all(Array.from({ length: Math.min(AT_ONCE, left) }, () => unread(port, bytes))))
  }
  return sockets
}

function unread (port: number, bytes: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.pause().off('error', reject).on('error', () => {})
      socket.write(bytes)
      resolve(socket)
    }).on('error', reject)
  })
}
