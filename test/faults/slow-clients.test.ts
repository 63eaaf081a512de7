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

/** Of each attack; 1 000 for the full one. */
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 100)
/**
 * The longest that an attack lasts. With 120 it is the full test, some 6 minutes (`--timeout=900`): the server keeps
 * its own time limits, and the
 * attacks, six programs of which would be a load of their own, come one by one.
 */
const SECONDS = Number(process.env.SECONDS ?? 20)
/** Of those that say nothing. All together must stay below MAX_CONNECTIONS (10 000), beyond which nobody gets in. */
const IDLE = Number(process.env.IDLE ?? 500)
/** Of those that ask for much and read none of it. */
const UNREAD = 20
const SHORT: Variables = { HEADERS_TIMEOUT_MS: '4000', REQUEST_TIMEOUT_MS: '6000', KEEP_ALIVE_TIMEOUT_MS: '3000' }
const IS_SHORT = SECONDS < 120
const LIMITS: Variables = IS_SHORT ? SHORT : {}
const AT_ONCE = 100
/** Nobody is turned away for asking too often, which would be too easy. */
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

t.test(`${CONNECTIONS} clients of each kind of slowness and ${IDLE} idle ones leave the service available and ` +
  'are closed', async (t) => {
  const attack = await slowHttpTest(t)
  if (attack === null) return
  const store = await storeOfServer(t, 'PGlite')
  const server = await startServerProcess(t, store?.dataDir ?? '', { ...store?.variables, ...UNLIMITED, ...LIMITS })
  const { origin } = server
  const { pipelineKey } = printedBy(server)
  const port = Number(new URL(origin).port)
  const [event, big] = [`${origin}/v1/t?wk=${pipelineKey}`, `${origin}/docs/static/swagger-ui-bundle.js`]

  // Ahead of the others: an event loop takes one new connection a turn.
  const holding = await openAll(port, IDLE, '')
  // More than the system takes for itself.
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
    // What is asked for much is no longer a slow client but a busy one.
    const connections = url === big ? Math.min(CONNECTIONS, 200) : CONNECTIONS
    return {
      what: `${slow} ${new URL(url).pathname}`,
      slow,
      connections,
      ...await attack({ slow, url, ...pace, connections, duration: SECONDS })
    }
  }
  const attacks = IS_SHORT ? Promise.all(targets.map(carryOut)) : oneByOne(targets, carryOut)

  // Someone with events of their own, all the while.
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
    // One that reads slowly has its last bytes from the system, long after the server has closed it.
    if (slow !== 'answer') t.equal(ended, 'No open connections left', what)
  }
  const slowest = Math.max(...sent.map(({ time }) => time))
  t.same(sent.filter(({ status }) => status !== 200), [], 'every event was taken')
  t.equal(health.failed, 0)
  t.ok(
    sent.length >= 10 && health.asked >= 10,
    `${sent.length} events and ${health.asked} requests for /healthz were answered during the attacks`
  )
  t.ok(health.growth < 200, `the memory grew by ${health.growth} MB`)

  // Those that say or read nothing hold on: it is the server that closes them.
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

/** That many connections that send those bytes and read nothing. */
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
