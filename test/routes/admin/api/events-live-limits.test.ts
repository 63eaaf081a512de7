import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import t from 'tap'

import { acceptedEvent } from '../../../helpers/accepted-event.js'
import { caller } from '../../../helpers/admin-caller.js'
import { liveGateway } from '../../../helpers/live-gateway.js'
import type { LiveGateway } from '../../../helpers/live-gateway.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const ANY_RATE = 1_000_000

/** Opens a live view and does not read it. */
function openUnread ({ origin, owner }: LiveGateway): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${origin}/v1/admin/events/live?outcome=accepted`, {
      agent: false,
      headers: { authorization: `Bearer ${owner.token}` }
    }, resolve).on('error', reject)
  })
}

/** Publishes events as ingestion does, with a pause after every 100. */
async function publish (
  { app }: LiveGateway,
  source: Parameters<typeof acceptedEvent>[0],
  count: number,
  bytes: number
): Promise<void> {
  for (let n = 0; n < count; n++) {
    app.eventFeed.accepted(source, [acceptedEvent(source, `m${n}`, bytes)])
    if (n % 100 === 0) await turn()
  }
}

t.test('a live view that does not read is disconnected with bounded memory, and other live views ' +
  'continue', async (t) => {
  const gateway = await liveGateway(t, {
    api: { live: { maxViewers: 2, eventsPerSecond: ANY_RATE, stallTimeout: 2_000 } }
  })
  const { source } = await gateway.source()
  const unread = await openUnread(gateway)
  const cut = new Promise((resolve) => unread.on('error', resolve).on('close', resolve))
  const other = await gateway.watch('?outcome=refused')
  const full = await gateway.watch()
  t.equal(full.response.status, 429)
  t.match(await full.over && JSON.parse(full.text()), { error: { code: 'TOO_MANY_CONNECTIONS' } })

  collectGarbage()
  const before = process.memoryUsage()
  await publish(gateway, source, 5_000, 16_384)
  await turn()
  collectGarbage()
  await turn()
  const after = process.memoryUsage()
  const growth = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
  t.ok(growth < 8 * 1024 * 1024, `80 MB of events, ${Math.round(growth / 1024)} KB kept`)

  let next = await gateway.watch()
  while (next.response.status === 429) {
    await sleep(50)
    next = await gateway.watch()
  }
  t.equal(next.response.status, 200, 'the place of the closed live view is free again')
  unread.resume()
  await cut
  t.notOk(unread.complete, 'the connection was destroyed before the end of the response')
  gateway.app.eventFeed.refused(source, 'FORBIDDEN', () => ({
    status: 403,
    code: 'FORBIDDEN',
    message: '',
    sourceId: source.id,
    environment: 'live',
    type: null,
    messageId: null,
    index: null,
    origin: null,
    receivedAt: '',
    ip: ''
  }))
  await other.until('refused')
})

t.test('a live view that reads again receives the number of events that were left out', async (t) => {
  const gateway = await liveGateway(t, { api: { live: { eventsPerSecond: ANY_RATE, stallTimeout: 60_000 } } })
  const { source } = await gateway.source()
  const unread = await openUnread(gateway)
  await publish(gateway, source, 2_000, 16_384)
  let text = ''
  await new Promise<void>((resolve) => {
    unread.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const dropped = [...text.matchAll(/^data: \{"count":(\d+),"reason":"slow"\}$/gm)].reduce(
        (sum, [, count]) => sum + Number(count),
        0
      )
      if (dropped > 0 && dropped + text.split('event: accepted\n').length - 1 === 2_000) resolve()
    }).on('error', () => {})
  })
  t.pass('sent and left out events are all events')
  unread.destroy()
})

t.test('above eventsPerSecond the stream counts accepted events instead of sending them, and still sends ' +
  'refusals', async (t) => {
  const gateway = await liveGateway(t, { api: { live: { eventsPerSecond: 5 } } })
  const { source } = await gateway.source()
  const stream = await gateway.watch()
  gateway.app.eventFeed.accepted(source, Array.from({ length: 100 }, (_, n) => acceptedEvent(source, `m${n}`)))
  for (let n = 0; n < 3; n++) await gateway.send({ source, key: source.pipelineKey, secret: '' }, '/v1/t', {})
  t.same((await stream.until('dropped')).data, { count: 95, reason: 'rate' })
  t.same(stream.events().filter(({ event }) => event === 'accepted').map(({ data }) => data['messageId']), ['m0', 'm1',
    'm2', 'm3', 'm4'])
  t.equal(stream.events().filter(({ event }) => event === 'refused').length, 3)
  gateway.app.eventFeed.accepted(source, [acceptedEvent(source, 'later')])
  await stream.until('accepted', ({ messageId }) => messageId === 'later')
})

t.test('maxViewers and maxViewersTotal limit the live views, and a closed live view makes room for ' +
  'another', async (t) => {
  const gateway = await liveGateway(t, { api: { live: { maxViewers: 2, maxViewersTotal: 3 } } })
  const stranger = await caller(gateway, 'viewer', 'other')
  const mine = [await gateway.watch(), await gateway.watch()]
  const foreign = await gateway.watch('', {}, stranger.token)
  t.same([...mine, foreign].map(({ response }) => response.status), [200, 200, 200])
  for (const token of [gateway.owner.token, stranger.token]) {
    const { response } = await gateway.watch('', {}, token)
    t.equal(response.status, 429)
    t.equal(response.headers.get('retry-after'), '30')
    t.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  }
  mine[0]?.close()
  let again = await gateway.watch('', {}, stranger.token)
  for (const deadline = Date.now() + 60_000; again.response.status === 429 && Date.now() < deadline; await sleep(20)) {
    again = await gateway.watch('', {}, stranger.token)
  }
  t.equal(again.response.status, 200)
})

t.test('a user has at most three live views, and other users of the organisation can still open one', async (t) => {
  const gateway = await liveGateway(t)
  const colleague = await caller(gateway, 'viewer', 'acme')
  const mine = [await gateway.watch(), await gateway.watch(), await gateway.watch()]
  t.same(mine.map(({ response }) => response.status), [200, 200, 200])
  const fourth = await gateway.watch()
  t.equal(fourth.response.status, 429)
  t.equal(fourth.response.headers.get('retry-after'), '30')
  await fourth.over
  t.match(JSON.parse(fourth.text()), { error: { code: 'TOO_MANY_CONNECTIONS' } })
  t.equal((await gateway.watch('', {}, colleague.token)).response.status, 200)
  mine[0]?.close()
  let again = await gateway.watch()
  for (const deadline = Date.now() + 60_000; again.response.status === 429 && Date.now() < deadline; await sleep(20)) {
    again = await gateway.watch()
  }
  t.equal(again.response.status, 200, 'the place of the closed live view is free again')
})

t.test('userRateLimit counts opening a live view as one request, however many events it shows', async (t) => {
  const gateway = await liveGateway(t, { api: { userRateLimit: { max: 2, timeWindow: 60_000 } } })
  const made = await gateway.source()
  const stream = await gateway.watch()
  t.equal((await gateway.watch()).response.status, 200)
  const third = await gateway.watch()
  t.equal(third.response.status, 429)
  await third.over
  t.match(JSON.parse(third.text()), { error: { code: 'RATE_LIMITED' } })
  for (let n = 0; n < 10; n++) await gateway.send(made, '/v1/t', { event: 'x', userId: 'u', messageId: `m${n}` })
  await stream.until('accepted', ({ messageId }) => messageId === 'm9')
})

t.test('the stream contains a heartbeat comment at every interval', async (t) => {
  const { watch } = await liveGateway(t, { api: { live: { heartbeat: 1_000, statsEvery: 60_000 } } })
  await (await watch()).untilText(/^: heartbeat\n\n: heartbeat\n\n/m)
})
