import { Agent, request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { listeningGateway } from '../../../helpers/listening-gateway.js'
import { codeOf, gateway } from '../../../helpers/gateway.js'
import { keptAtEnd, keptEvents } from '../../../helpers/refused-events.js'
import { rawExchange } from '../../../helpers/raw-socket.js'
import { WEBHOOK_SECRET, webhookGateway } from '../../../helpers/webhook-gateway.js'

const EVIL = 'https://evil.example.net'
const KEEP = { keepRefused: true }
const MB = 1024 * 1024

t.test('the pipeline key is in no kept event, wherever the client sent it', async (t) => {
  const made = await gateway(t, { source: KEEP })
  const { key } = made
  const inBody = { writeKey: key, wk: key }
  await made.post(`/v1/t?wk=${key}`, { event: 'A', ...inBody }, { origin: EVIL })
  const text = { 'content-type': 'text/plain', origin: EVIL }
  await made.app.inject({ method: 'POST', url: '/v1/t', payload: JSON.stringify(inBody), headers: text })
  await made.post('/v1/t', `{"writeKey":"${key}","event":`)
  await made.post('/v1/batch', { batch: [{ type: 'track', ...inBody }, { type: 'track', event: 'B', ...inBody }] }, {
    origin: EVIL
  })
  await made.post('/v1/batch', { batch: [{ type: 'track', ...inBody }] })
  await made.app.inject({ url: `/v1/pixel/track?wk=${key}&e=A`, headers: { origin: EVIL } })
  await made.post('/beacon/v1/batch?writeKey=' + key, { batch: 'x' }, { origin: EVIL })
  const kept = await keptEvents(made, 7)
  t.equal(kept.length, 7)
  t.notOk(JSON.stringify(kept).includes(key))
  const batch = kept.find(({ payload }) => payload.includes('"B"'))
  t.equal(batch?.payload, '{"batch":[{"type":"track"},{"type":"track","event":"B"}]}')
})

t.test('no header with a credential is kept', async (t) => {
  const made = await gateway(t, { source: KEEP })
  await made.signed('/v1/t', { event: 5 }, { cookie: 'session=secret-cookie', 'x-api-key': 'secret-key' })
  t.notMatch(JSON.stringify(await keptEvents(made, 1)), /secret-|sha256=|Bearer/)
})

t.test('a user name, a password and a query in an Origin are not kept, and not shown in the feed', async (t) => {
  const made = await gateway(t, { source: KEEP })
  const shown: unknown[] = []
  made.app.eventFeed.watch('acme', { accepted () {}, refused: ({ origin }) => { shown.push(origin) } })
  await made.post('/v1/t', { event: 'A' }, { origin: 'https://ann:secret@evil.example.net?token=secret' })
  const masked = 'https://***@evil.example.net?token=***'
  t.equal((await keptEvents(made, 1))[0]?.origin, masked)
  t.same(shown, [masked])
})

t.test('an event that asks not to store its address is kept without it', async (t) => {
  const made = await gateway(t, { source: KEEP })
  await made.post('/v1/t', { event: 'A', context: { ip: '0.0.0.0' } }, { origin: EVIL })
  t.equal((await keptEvents(made, 1))[0]?.ip, '')
})

t.test('the body of a refused origin is read up to the limit, in pieces and in chunks', async (t) => {
  const made = await listeningGateway(t, { source: KEEP })
  const head = (more: readonly string[]) => ['POST /v1/t HTTP/1.1', 'host: x', 'content-type: application/json',
    `authorization: Bearer ${made.key}`, `origin: ${EVIL}`, 'connection: close', ...more].join('\r\n')
  const bodyOf = (size: number) => `{"event":"${'x'.repeat(size - 12)}"}`
  const lengthOf = (body: string) => `content-length: ${body.length}`
  for (const size of [60_000, 200_000]) {
    const body = bodyOf(size)
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    const whole = head([lengthOf(body)])
    const chunked = head(['transfer-encoding: chunked'])
    t.match(await rawExchange(made.origin, `${whole}\r\n\r\n${body}`), /^HTTP\/1\.1 403 /)
    t.match(await rawExchange(made.origin, `${chunked}\r\n\r\n${chunk}`), /^HTTP\/1\.1 403 /)
  }
  const kept = await keptEvents(made, 4)
  t.equal(kept.length, 4)
  for (const { truncated, bytes, replay } of kept) {
    t.ok(bytes <= 66_560)
    t.equal(replay === null, truncated, 'a cut body cannot be replayed')
  }
  t.equal(kept.filter(({ truncated, bytes }) => !truncated && bytes === 60_000).length, 2)
})

t.test('a connection whose request was refused accepts the next request', async (t) => {
  const made = await listeningGateway(t, { source: KEEP })
  const { hostname, port } = new URL(made.origin)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const send = async (size: number, headers: Record<string, string>) =>
    await new Promise<number>((resolve, reject) => {
      const request = httpRequest({
        agent,
        hostname,
        port,
        method: 'POST',
        path: '/v1/t',
        headers: { authorization: `Bearer ${made.key}`, 'content-type': 'application/json', ...headers }
      }, (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)))
      request.on('error', reject)
      request.end(`{"event":"${'x'.repeat(size)}"}`)
    })
  t.same([
    await send(10, { origin: EVIL }), await send(50_000, { origin: EVIL }), await send(200_000, { origin: EVIL }),
    await send(200_000, { origin: EVIL, 'transfer-encoding': 'chunked' }), await send(10, {})
  ], [403, 403, 403, 403, 200])
  t.equal((await keptEvents(made, 4)).length, 4)
})

t.test('a client that never sends the rest of its body leaves nothing behind that blocks the close', async (t) => {
  const made = await listeningGateway(t, { source: KEEP })
  const lines = ['POST /v1/t HTTP/1.1', 'host: x', `authorization: Bearer ${made.key}`, `origin: ${EVIL}`,
    'content-type: application/json', 'content-length: 100', 'connection: close']
  t.match(await rawExchange(made.origin, `${lines.join('\r\n')}\r\n\r\n{"event"`), /^HTTP\/1\.1 403 /)
  t.match(await keptEvents(made, 1), [{ truncated: true, replay: null, payload: '' }])
})

t.test('a flood of refusals keeps a bounded number of events and bytes, and says how many were not kept', async (t) => {
  const lines: string[] = []
  const made = await gateway(t, {
    source: KEEP,
    ingestion: { refusedEvents: { maxRows: 50, maxBytes: 2 * MB } },
    server: { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } }
  })
  const before = process.memoryUsage().arrayBuffers
  const body = `{"event":"${'x'.repeat(60_000)}"}`
  let highest = 0
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 50 }, async () => await made.post('/v1/t', body, { origin: EVIL })))
    highest = Math.max(highest, process.memoryUsage().arrayBuffers - before)
  }
  const kept = await keptAtEnd(made)
  t.ok(kept.length > 10 && kept.length <= 50, `${kept.length} events`)
  t.ok(kept.reduce((sum, { bytes }) => sum + bytes, 0) <= 2 * MB)
  const dropped = lines.map((line) => JSON.parse(line)).filter(({ msg }) => /were not kept/.test(msg))
    .reduce((sum, { events }) => sum + events, 0)
  t.ok(dropped > 0 && dropped < 1_000, `${dropped} dropped`)
  t.ok(highest < 100 * MB, `${highest} bytes`)
})

t.test('the refused events of a batch do not multiply the memory of its long context', async (t) => {
  const made = await gateway(t, { source: KEEP })
  const body = JSON.stringify({
    context: { note: 'x'.repeat(4 * MB) }, batch: Array.from({ length: 500 }, () => ({ type: 'track', event: 'A' }))
  })
  const before = process.memoryUsage().rss
  t.match((await made.post('/v1/batch', body)).json(), { rejected: 500, errors: [{ code: 'PAYLOAD_TOO_LARGE' }] })
  const growth = Math.round((process.memoryUsage().rss - before) / MB)
  t.ok(growth < 500, `${growth} MB`)
})

t.test('while the store fails, refusals are answered as usual, and are kept once it works', async (t) => {
  const made = await gateway(t, { source: KEEP })
  const { refusedEvents } = made.store
  const append = refusedEvents.append.bind(refusedEvents)
  const failures: unknown[] = []
  refusedEvents.append = async (events) => {
    failures.push(events)
    throw new Error('the store is unavailable')
  }
  t.equal((await made.post('/v1/t', { event: 'A' }, { origin: EVIL })).statusCode, 403)
  while (failures.length === 0) await sleep(20)
  refusedEvents.append = append
  t.equal((await keptAtEnd(made)).length, 1)
})

t.test('a delivery whose events are not valid is kept with the headers of its mapping', async (t) => {
  const made = await webhookGateway(t, 'shopify', { source: KEEP })
  const headers = { 'x-shopify-topic': '', 'x-shopify-access-token': 'secret' }
  t.equal((await made.deliver({ id: 1 }, headers)).statusCode, 400)
  const [event] = await keptEvents(made, 1)
  t.match(event, {
    signed: true, payload: '{"id":1}', replay: { form: 'delivery', webhookId: made.webhook.id, headers: {} }
  })
  t.notMatch(JSON.stringify(event), /secret/)
})

t.test('a delivery with an invalid signature cannot be replayed, one of a disabled webhook is not kept', async (t) => {
  const made = await webhookGateway(t, 'shopify', { source: KEEP })
  const { webhook, store } = made
  const forged = { secret: `${WEBHOOK_SECRET}?` }
  t.equal(codeOf(await made.deliver({ id: 1 }, {}, forged)), 'INVALID_SIGNATURE')
  t.equal((await keptEvents(made, 1))[0]?.replay, null)
  await store.webhooks.update('acme', made.source.id, webhook.id, { enabled: false })
  t.equal(codeOf(await made.deliver({ id: 2 }, {})), 'INVALID_SIGNATURE')
  t.equal((await keptAtEnd(made)).length, 1)
})
