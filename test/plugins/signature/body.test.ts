import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import t from 'tap'

import signature from '../../../plugins/signature.js'
import { signBody } from '../../../signing/datafly/body-signature.js'
import { rawExchange } from '../../helpers/raw-socket.js'
import { signedApp } from '../../helpers/signed-app.js'

const json = { 'content-type': 'application/json' }

t.test('a 200-byte body with any bit flipped is refused', async (t) => {
  const secret = 'server-secret'
  const body = Buffer.from(JSON.stringify({ event: 'e', pad: 'x'.repeat(178) }))
  t.equal(body.length, 200)
  const headers = { 'content-type': 'application/octet-stream', 'x-datafly-signature': signBody(secret, body) }
  const host = Fastify()
  t.teardown(() => host.close())
  await host.register(signature, { secrets: () => [secret] })
  host.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    (_request, body, done) => done(null, body)
  )
  host.post('/x', { config: { gatehouse: { signature: 'optional' } } }, async ({ signed }) => ({ signed }))
  t.same((await host.inject({ method: 'POST', url: '/x', payload: body, headers })).json(), { signed: true })
  let accepted = 0
  for (let bit = 0; bit < 1600; bit++) {
    const flipped = Buffer.from(body)
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    const response = await host.inject({ method: 'POST', url: '/x', payload: flipped, headers })
    if (response.statusCode !== 401 || response.json().error.code !== 'INVALID_SIGNATURE') accepted++
  }
  t.equal(accepted, 0)
})

t.test('a signature covers the bytes of the body, not the parsed JSON', async (t) => {
  const { app, secret, bearer } = await signedApp(t)
  const canonical = JSON.stringify({ event: 'é', a: 1 })
  for (
    const body of [
      '{ "event" : "é", "a": 1 }',
      '{"a":1,"event":"é"}',
      '{"event":"\\u00e9","a":1}',
      `${canonical}\n`,
      ` ${canonical}`,
      '{"event":"x","event":"é","a":1}',
      '{"event":"é","a":1.0}'
    ]
  ) {
    const send = async (signed: string) =>
      app.inject({
        method: 'POST',
        url: '/optional',
        payload: body,
        headers: { ...json, ...bearer, 'x-datafly-signature': signBody(secret, signed) }
      })
    const own = await send(body)
    t.equal(own.statusCode, 200, body)
    t.same(own.json().body, { event: 'é', a: 1 })
    t.equal((await send(canonical)).statusCode, 401, body)
  }
})

t.test('a body is the same with Content-Length, in chunks and in chunks that split a character', async (t) => {
  const { app, secret, bearer } = await signedApp(t)
  const url = await app.listen()
  for (let n = 0; n < 10; n++) {
    const body = Buffer.from(JSON.stringify({ event: `Größe €😀 ${'ü'.repeat(n)}`, n }))
    const results = await Promise.all([[body], split(body, 7), split(body, 1)].map(async (chunks, framing) => {
      return send(url, chunks, {
        ...json,
        ...bearer,
        ...(framing === 0 ? { 'content-length': String(body.length) } : {}),
        'x-datafly-signature': signBody(secret, body)
      })
    }))
    for (const { status, text } of results) {
      t.equal(status, 200)
      t.same(JSON.parse(text), { signed: true, body: JSON.parse(body.toString()), raw: body.toString('latin1') })
    }
  }
})

t.test('an empty body is checked by its signature, also for a GET without a body', async (t) => {
  const { app, secret, bearer } = await signedApp(t)
  const headers = { ...bearer, 'x-datafly-signature': signBody(secret, '') }
  t.same((await app.inject({ method: 'POST', url: '/required', headers })).json(), {
    signed: true,
    body: null,
    raw: ''
  })
  t.same((await app.inject({ method: 'GET', url: '/required', headers })).json(), { signed: true, body: null, raw: '' })
  t.equal(
    (await app.inject({ method: 'POST', url: '/required', headers: { ...headers, ...json, 'content-length': '0' } }))
      .statusCode,
    400
  )
  t.equal(
    (await app.inject({
      method: 'POST',
      url: '/required',
      headers: { ...headers, 'x-datafly-signature': signBody(secret, ' ') }
    })).statusCode,
    401
  )
})

t.test('text/plain and a type without a parser are checked before any parser', async (t) => {
  const { app, secret, bearer } = await signedApp(t)
  for (const [type, status] of [['text/plain', 200], ['application/x-unknown', 415]] as const) {
    const send = async (signed: string) =>
      app.inject({
        method: 'POST',
        url: '/optional',
        payload: 'hello',
        headers: { 'content-type': type, ...bearer, 'x-datafly-signature': signBody(secret, signed) }
      })
    t.equal((await send('hello')).statusCode, status)
    t.equal((await send('other')).statusCode, 401)
  }
})

t.test('a signed body at the limit passes, and one byte more is 413, with Content-Length or chunked', async (t) => {
  const { app, secret, bearer } = await signedApp(t)
  const url = await app.listen()
  for (const [length, status] of [[1_000, 200], [1_001, 413]] as const) {
    const body = Buffer.from(JSON.stringify('x'.repeat(length - 2)))
    const headers = { ...json, ...bearer, 'x-datafly-signature': signBody(secret, body) }
    t.equal((await send(url, [body], { ...headers, 'content-length': String(length) })).status, status)
    const chunked = await send(url, split(body, 100), headers)
    t.equal(chunked.status, status)
    if (status === 413) t.match(JSON.parse(chunked.text), { error: { code: 'PAYLOAD_TOO_LARGE' } })
  }
})

t.test('the server stops reading beyond the limit', async (t) => {
  const { app, secret, bearer } = await signedApp(t)
  const url = new URL(await app.listen())
  const taken = new Promise<number>((resolve) =>
    app.server.on('connection', (socket) => socket.on('close', () => resolve(socket.bytesRead)))
  )
  const socket = connect({ host: url.hostname, port: Number(url.port) })
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()).on('error', () => {}))
  socket.write(
    ['POST /optional HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked', 'Content-Type: application/json',
      `Authorization: ${bearer.authorization}`, `X-Datafly-Signature: ${signBody(secret, 'x')}`, '', ''].join('\r\n')
  )
  socket.resume()
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  for (let i = 0; i < 800 && !socket.destroyed; i++) if (!socket.write(chunk)) await Promise.race([closed, sleep(5)])
  socket.destroy()
  await closed
  const bytes = await taken
  t.ok(bytes > 1_000 && bytes < 5_000_000, `${bytes} bytes of 52 million`)
})

t.test('a key or signature in trailers is ignored', async (t) => {
  const { app, secret, bearer } = await signedApp(t)
  const url = await app.listen()
  const body = '{"event":"e"}'
  const chunked = (head: string[], trailers: string[]): string =>
    [
      'POST /required HTTP/1.1',
      'Host: x',
      'Connection: close',
      'Transfer-Encoding: chunked',
      'Content-Type: application/json',
      'Trailer: Authorization, X-Datafly-Signature',
      ...head,
      '',
      body.length.toString(16),
      body,
      '0',
      ...trailers,
      '',
      ''
    ].join('\r\n')
  const authorization = `Authorization: ${bearer.authorization}`
  const signed = `X-Datafly-Signature: ${signBody(secret, body)}`
  t.match(await rawExchange(url, chunked([], [authorization, signed])), /^HTTP\/1\.1 401 [^]*INVALID_PIPELINE_KEY/)
  t.match(await rawExchange(url, chunked([authorization], [signed])), /^HTTP\/1\.1 401 [^]*SIGNATURE_REQUIRED/)
  t.match(await rawExchange(url, chunked([authorization, signed], [])), /^HTTP\/1\.1 200 /)
})

function split (body: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, at) => body.subarray(at * size, (at + 1) * size))
}

async function send (
  url: string,
  chunks: Buffer[],
  headers: Record<string, string>
): Promise<{ status: number, text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/optional`, { method: 'POST', headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part) => parts.push(part)).on(
        'end',
        () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() })
      )
    })
    outgoing.on('error', reject)
    for (const chunk of chunks) outgoing.write(chunk)
    outgoing.end()
  })
}
