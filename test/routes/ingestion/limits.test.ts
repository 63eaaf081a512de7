import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { memorySink } from '../../../plugins/event-sink/memory/index.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { rawExchange } from '../../helpers/raw-socket.js'
import { stringWork } from '../../helpers/string-work.js'

const KB = 1024

/** A JSON event of exactly the given number of bytes. */
function eventOf (bytes: number): string {
  return `{"event":"${'x'.repeat(9)}","pad":"${'y'.repeat(bytes - 30)}"}`
}

t.test('an event of 64 KB is accepted, and an event with one more byte is 413', async (t) => {
  const { post, signed, stored } = await gateway(t)
  t.equal(eventOf(64 * KB).length, 64 * KB)
  t.equal((await post('/v1/t', eventOf(64 * KB))).statusCode, 200)
  for (const length of [64 * KB + 1, 512 * KB, 512 * KB + 1, 2048 * KB]) {
    const response = await post('/v1/t', eventOf(length))
    t.equal(response.statusCode, 413, String(length))
    t.equal(codeOf(response), 'PAYLOAD_TOO_LARGE')
    t.equal((await signed('/v1/t', eventOf(length))).statusCode, 413, `${length}, signed`)
  }
  t.equal((await stored()).length, 1)
})

t.test('the context of a batch counts towards the size of each event', async (t) => {
  const { post, stored } = await gateway(t)
  const send = async (pad: number, batch: unknown[]) =>
    (await post('/v1/batch', { context: { pad: 'x'.repeat(pad) }, batch })).json()
  const fits = 64 * KB - '"pad":""'.length - '{"type":"page"}'.length
  t.same(await send(fits, [{ type: 'page' }]), { success: true, accepted: 1 })
  t.match(await send(fits + 1, [{ type: 'page' }]), { accepted: 0, errors: [{ index: 0, code: 'PAYLOAD_TOO_LARGE' }] })
  t.match(await send(fits, [{ type: 'page' }, { type: 'page', x: 1 }]), {
    accepted: 1,
    errors: [{ index: 1, code: 'PAYLOAD_TOO_LARGE' }]
  })
  const { heapUsed } = process.memoryUsage()
  t.match(await send(4_000_000, Array.from({ length: 500 }, () => ({ type: 'page' }))), { accepted: 0, rejected: 500 })
  t.ok(process.memoryUsage().heapUsed - heapUsed < 200_000_000)
  t.equal((await stored()).length, 2)
})

t.test('the context and the URL of a batch are read once, for any number of events', async (t) => {
  // The memory sink, so that the count does not include the work of a database in this process.
  const { post } = await gateway(t, { sink: memorySink() })
  const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, 1]))
  const url = `https://x.test/?${Array.from({ length: 4_000 }, (_, n) => `utm_a${n}=1`).join('&')}`
  for (const context of [wide, { page: { url } }]) {
    const body = JSON.stringify({
      context,
      batch: Array.from({ length: 500 }, () => ({ type: 'page', context: { own: 1 } }))
    })
    const { parsed, read } = await stringWork(async () => {
      t.equal((await post('/v1/batch', body)).json().accepted, 500)
    })
    t.ok(parsed < 2 * body.length, `${parsed} characters of ${body.length} are parsed`)
    t.ok(read < 15 * body.length, `${read} characters of ${body.length} are read`)
  }
})

t.test('a batch of 5 MB is accepted, and a batch with one more byte is 400', async (t) => {
  const { post, signed, stored } = await gateway(t)
  const item = `{"type":"page","pad":"${'y'.repeat(60_000)}"}`
  const batch = (bytes: number): string => {
    const text = `{"batch":[${Array.from({ length: 80 }, () => item).join(',')}]}`
    return text + ' '.repeat(bytes - text.length)
  }
  t.equal((await post('/v1/batch', batch(5 * KB * KB))).body, '{"success":true,"accepted":80}')
  for (const send of [post, signed]) {
    const response = await send('/v1/batch', batch(5 * KB * KB + 1))
    t.equal(response.statusCode, 400)
    t.equal(codeOf(response), 'INVALID_REQUEST')
  }
  t.equal((await stored()).length, 80)
})

t.test('eventLimit, bodyLimit and batchLimit set the limits', async (t) => {
  const { post } = await gateway(t, { ingestion: { eventLimit: 100, bodyLimit: 200, batchLimit: 300 } })
  t.equal((await post('/v1/t', eventOf(100))).statusCode, 200)
  t.equal((await post('/v1/t', eventOf(101))).statusCode, 413)
  t.equal((await post('/v1/t', `${eventOf(100)}${' '.repeat(101)}`)).statusCode, 413)
  t.match((await post('/v1/batch', `{"batch":[{"type":"page","pad":"${'x'.repeat(100)}"}]}`)).json(), {
    errors: [{ code: 'PAYLOAD_TOO_LARGE' }]
  })
  t.equal((await post('/v1/batch', `{"batch":[{"type":"page"}]}${' '.repeat(300)}`)).statusCode, 400)
})

t.test('a body without a length that exceeds the limit is refused, and the server stops reading', async (t) => {
  const { app, key } = await gateway(t)
  const url = new URL(await app.listen())
  for (const [path, status, limit] of [['/v1/t', 413, 512 * KB], ['/v1/batch', 400, 5 * KB * KB]] as const) {
    const taken = new Promise<number>((resolve) =>
      app.server.once('connection', (socket) => socket.on('close', () => resolve(socket.bytesRead)))
    )
    const socket = connect({ host: url.hostname, port: Number(url.port) })
    const parts: string[] = []
    socket.on('data', (chunk) => parts.push(chunk.toString('latin1'))).on('error', () => {})
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.write(
      [`POST ${path} HTTP/1.1`, 'Host: x', 'Transfer-Encoding: chunked', 'Content-Type: application/json',
        `Authorization: Bearer ${key}`, '', ''].join('\r\n')
    )
    // One write: with many, one could fail after the server has closed, before the response is read.
    socket.write(`10000\r\n${' '.repeat(65_536)}\r\n`.repeat(800))
    await Promise.race([closed, once(socket, 'data')])
    socket.destroy()
    await closed
    const answer = parts.join('')
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
    t.match(answer.toLowerCase(), 'connection: close')
    const bytes = await taken
    t.ok(bytes > limit && bytes < limit + 4 * KB * KB, `${path}: ${bytes} bytes of 52 million`)
  }
})

t.test('a declared length above the limit is 413 before the body is sent', async (t) => {
  const { app, key } = await gateway(t)
  const url = await app.listen()
  const answer = await rawExchange(
    url,
    [
      'POST /v1/t HTTP/1.1',
      'Host: x',
      'Content-Length: 99999999',
      'Content-Type: application/json',
      `Authorization: Bearer ${key}`,
      '',
      ''
    ].join('\r\n')
  )
  t.match(answer, /^HTTP\/1\.1 413 [^]*PAYLOAD_TOO_LARGE/)
})

t.test('a client that disconnects during its body stores nothing, and the next request succeeds', async (t) => {
  const { app, key, stored, post } = await gateway(t)
  const url = new URL(await app.listen())
  for (let i = 0; i < 20; i++) {
    const gone = new Promise<void>((resolve) =>
      app.server.once('connection', (socket) => socket.on('close', () => resolve()))
    )
    const socket = connect({ host: url.hostname, port: Number(url.port) })
    socket.on('error', () => {})
    socket.write(
      ['POST /v1/t HTTP/1.1', 'Host: x', 'Content-Length: 1000', 'Content-Type: application/json',
        `Authorization: Bearer ${key}`, '', '{"event":"e"'].join('\r\n')
    )
    await sleep(2)
    socket.destroy()
    await gone
  }
  t.equal((await stored()).length, 0)
  t.equal((await post('/v1/t', { event: 'e' })).statusCode, 200)
})

t.test('invalid limits stop the start', async (t) => {
  for (
    const ingestion of [{ eventLimit: 0 }, { bodyLimit: -1 }, { batchLimit: 1.5 }, { eventLimit: '64kb' as never }]
  ) {
    await t.rejects(gateway(t, { ingestion }), { code: 'INVALID_OPTIONS' })
  }
})
