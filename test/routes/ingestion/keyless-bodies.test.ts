import { connect } from 'node:net'
import type { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateSync, gzipSync } from 'node:zlib'

import t from 'tap'

import type { ResolvedSource, TokenStore } from '../../../contracts/token-store/index.js'
import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { backend } from '../../helpers/backend.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { makeSource } from '../../helpers/source.js'
import { until } from '../../helpers/until.js'

const KB = 1024
const noHeader = { authorization: [] as string[] }
const events = (count: number, pad = 1_000) =>
  Array.from({ length: count }, (_none, at) => ({ type: 'page', messageId: `m${at}`, pad: 'x'.repeat(pad) }))
/** An event of exactly the given number of bytes. */
const eventOf = (key: string, bytes: number) => {
  const text = JSON.stringify({ event: 'E', writeKey: key, pad: '' })
  return text.replace('"pad":"', `"pad":"${'x'.repeat(bytes - text.length)}`)
}

t.test('a body of 64 KB is accepted with its key at any place', async (t) => {
  const { post, key, stored } = await gateway(t)
  const text = eventOf(key, 64 * KB)
  t.equal(text.length, 64 * KB)
  t.equal((await post('/v1/t', text, noHeader)).statusCode, 200)
  t.equal((await post('/v1/batch', { batch: events(50), writeKey: key }, noHeader)).statusCode, 200)
  t.equal((await stored()).length, 51)
})

t.test('a longer batch is accepted with its key in its first 64 KB', async (t) => {
  const { post, key, stored } = await gateway(t)
  for (
    const [at, text] of [
      JSON.stringify({ writeKey: key, batch: events(400) }),
      ` { "sentAt" : "2026-01-01T00:00:00Z", "more":{"writeKey":"x"},\n "write\\u004bey" : "${key}", "batch": ${
        JSON.stringify(events(400)).replaceAll('"m', '"n')
      } }`,
      `\ufeff{"writeKey":"${key}","batch":${JSON.stringify(events(400)).replaceAll('"m', '"o')}}`
    ].entries()
  ) {
    t.equal(
      (await post('/v1/batch', text, { ...noHeader, 'content-type': 'text/plain' })).body,
      '{"success":true,"accepted":400}'
    )
    t.equal((await stored()).length, 400 * (at + 1))
  }
})

t.test('a longer body without a key in its first 64 KB is 401', async (t) => {
  const { post, key, store, stored } = await gateway(t)
  const disabled = await makeSource(store, { enabled: false })
  const long = events(100)
  for (
    const body of [
      { batch: long },
      { batch: long, writeKey: key },
      { batch: long.map((event) => ({ writeKey: key, ...event })) },
      { x: { writeKey: key }, batch: long },
      { text: `"writeKey":"${key}"`, batch: long },
      { writeKey: generatePipelineKey('live'), batch: long },
      { writeKey: disabled.key, batch: long },
      { writeKey: [key], batch: long },
      `{"writeKey":"${'x'.repeat(70_000)}","batch":[]}`,
      `[${'1,'.repeat(40_000)}1]`,
      'x'.repeat(70_000)
    ]
  ) {
    for (const url of ['/v1/batch', '/v1/t']) {
      const response = await post(url, body, noHeader)
      t.equal(response.statusCode, 401)
      t.equal(codeOf(response), 'INVALID_PIPELINE_KEY')
    }
  }
  t.equal((await stored()).length, 0)
})

t.test('a long body is refused if a later writeKey differs from its first key or repeats it', async (t) => {
  const { post, key, store, stored } = await gateway(t)
  const other = await makeSource(store)
  const rest = `"batch":${JSON.stringify(events(100))}`
  t.equal(
    codeOf(await post('/v1/batch', `{"writeKey":"${key}",${rest},"writeKey":"${other.key}"}`, noHeader)),
    'INVALID_PIPELINE_KEY'
  )
  t.equal(
    codeOf(await post('/v1/batch', `{"writeKey":"${key}",${rest},"writeKey":null}`, noHeader)),
    'INVALID_PIPELINE_KEY'
  )
  t.equal(
    codeOf(await post('/v1/batch', `{"writeKey":"${key}",${rest},"writeKey":"${key}"}`, noHeader)),
    'INVALID_REQUEST'
  )
  t.equal((await stored()).length, 0)
})

t.test('a compressed body without a key in the header is limited to 64 KB inflated', async (t) => {
  const { post, key, stored } = await gateway(t)
  for (const [coding, compress] of [['gzip', gzipSync], ['deflate', deflateSync]] as const) {
    const headers = { ...noHeader, 'content-encoding': coding }
    t.equal((await post('/v1/t', compress(eventOf(key, 64 * KB)), headers)).statusCode, 200)
    const event = await post('/v1/t', compress(eventOf(key, 64 * KB + 1)), headers)
    t.same([event.statusCode, codeOf(event)], [413, 'PAYLOAD_TOO_LARGE'])
    const batch = compress(JSON.stringify({ writeKey: key, batch: events(100) }))
    const refused = await post('/v1/batch', batch, headers)
    t.same([refused.statusCode, codeOf(refused)], [400, 'INVALID_REQUEST'])
    t.equal(
      (await post('/v1/batch', batch, { 'content-encoding': coding })).statusCode,
      200,
      'with the key in the header'
    )
  }
  t.equal((await stored()).length, 2 + 100)
})

t.test('keylessLimit sets the limit of bodies without a key in the header', async (t) => {
  const large = await gateway(t, { ingestion: { keylessLimit: 512 * KB } })
  const batch = { batch: events(400), writeKey: large.key }
  t.equal((await large.post('/v1/batch', batch, noHeader)).statusCode, 200)
  t.equal(
    (await large.post('/v1/batch', gzipSync(JSON.stringify(batch)), { ...noHeader, 'content-encoding': 'gzip' }))
      .statusCode,
    200
  )
  const small = await gateway(t, { ingestion: { keylessLimit: 1_000, bodyLimit: 1_000 } })
  t.equal((await small.post('/v1/t', eventOf(small.key, 1_000), noHeader)).statusCode, 200)
  t.equal((await small.post('/v1/t', eventOf(small.key, 1_001), noHeader)).statusCode, 413)
  for (const keylessLimit of [0, 1.5, '64kb' as never]) {
    await t.rejects(gateway(t, { ingestion: { keylessLimit } }), { code: 'INVALID_OPTIONS', message: /keylessLimit/ })
  }
})

interface Upload {
  status: () => string
  taken: () => number
  closed: Promise<void>
  send: (text: string) => void
  leave: () => void
}

/** Sends a batch of 5 MB without its end, as fast as the server reads it. */
async function upload (origin: string, server: Server, headers: string[]): Promise<Upload> {
  const { hostname, port } = new URL(origin)
  const connected = new Promise<{ bytesRead: number }>((resolve) => server.once('connection', resolve))
  const socket = connect({ host: hostname, port: Number(port) })
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  }).on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  const peer = await connected
  socket.write(
    ['POST /v1/batch HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...headers, '', ''].join('\r\n')
  )
  socket.write('{"batch":[{"type":"page","messageId":"m"}],"pad":"'.padEnd(5_000_000, 'x'))
  return {
    status: () => answer.slice(9, 12),
    taken: () => peer.bytesRead,
    closed,
    send: (text) => socket.write(text),
    leave: () => socket.destroy()
  }
}

t.test('without a key the server reads at most 1 MB of a body, responds with 401 and closes the ' +
  'connection', async (t) => {
  const { app } = await gateway(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const headers of [['Content-Length: 5100000'], ['Transfer-Encoding: chunked', '', '4f0000']]) {
    const sent = await upload(origin, app.server, headers)
    await sent.closed
    t.equal(sent.status(), '401')
    t.ok(sent.taken() < 1_000_000, `${sent.taken()} bytes`)
  }
})

/** A store whose look-ups of keys wait until `release`. */
function waiting (store: TokenStore): { store: TokenStore, release: () => void } {
  const { sources } = store
  let release = (): void => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const resolveLater = async (key: string): Promise<ResolvedSource | null> => gate.then(() => sources.resolve(key))
  const wrapped = new Proxy(sources, {
    get (_target, name) {
      const member: unknown = name === 'resolve' ? resolveLater : Reflect.get(sources, name)
      return typeof member === 'function' ? member.bind(sources) : member
    }
  })
  return {
    store: new Proxy(store, { get: (_target, name) => name === 'sources' ? wrapped : Reflect.get(store, name) }),
    release
  }
}

for (const known of [true, false]) {
  t.test(`parallel bodies are not read whole while ${known ? 'their key' : 'an unknown key'} is looked ` +
    'up', async (t) => {
    const made = await backend(t)
    const { key } = await makeSource(made.store)
    const { store, release } = waiting(made.store)
    const { app, stored } = await gateway(t, { store, sink: made.sink })
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    const authorization = `Authorization: Bearer ${known ? key : generatePipelineKey('live')}`
    const uploads: Upload[] = []
    for (let count = 0; count < 40; count++) {
      uploads.push(await upload(origin, app.server, ['Content-Length: 5000002', authorization]))
    }
    await sleep(300)
    const held = uploads.reduce((sum, { taken }) => sum + taken(), 0)
    t.ok(held > 40 * 64 * KB && held < 40 * 300 * KB, `${held} bytes of 200 million`)
    release()
    for (const { send } of uploads) send('"}')
    await until('all uploads have a response', () => uploads.every(({ status }) => status() !== ''))
    t.same([...new Set(uploads.map(({ status }) => status()))], [known ? '200' : '401'])
    t.equal((await stored()).length, known ? 1 : 0)
    for (const { leave } of uploads) leave()
  })
}

t.test('a connection serves the next request after a refusal', async (t) => {
  const made = await backend(t)
  const { key } = await makeSource(made.store)
  const { store, release } = waiting(made.store)
  const { app } = await gateway(t, { store, sink: made.sink })
  release()
  const { hostname, port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect({ host: hostname, port: Number(port) })
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  const body = `{"batch":[],"pad":"${'x'.repeat(1_000_000)}"}`
  for (
    const headers of [`Authorization: Bearer ${generatePipelineKey('live')}`,
      `Authorization: Bearer ${key}\r\nOrigin: https://evil.test`]
  ) {
    socket.write(
      `POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${headers}\r\n\r\n${body}`
    )
  }
  socket.write(
    `POST /v1/t HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 13\r\nAuthorization: Bearer ${key}\r\n\r\n{"event":"E"}`
  )
  await until('three responses have arrived', () => (answer.match(/HTTP\/1\.1/g) ?? []).length === 3)
  t.same(answer.match(/(?<=HTTP\/1\.1 )\d+/g), ['401', '403', '200'])
  socket.destroy()
})
