import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import type { TokenStore } from '../../../contracts/token-store/index.js'
import { signBody } from '../../../signing/datafly/body-signature.js'
import { backend } from '../../helpers/backend.js'
import { gateway } from '../../helpers/gateway.js'
import { until } from '../../helpers/until.js'

const LOOK_UP = 150

/** A store without a process cache and with a slow backend. */
function slow (store: TokenStore): TokenStore {
  const { sources } = store
  const slowly = async (key: string) => sleep(LOOK_UP).then(() => sources.resolve(key))
  const wrapped = new Proxy(sources, {
    get (_target, name) {
      const member: unknown = name === 'resolve' ? slowly : Reflect.get(sources, name)
      return typeof member === 'function' ? member.bind(sources) : member
    }
  })
  return new Proxy(store, { get: (_target, name) => name === 'sources' ? wrapped : Reflect.get(store, name) })
}

/** Sends a whole request and closes the connection without reading a response. */
async function sendAndClose (
  port: number,
  path: string,
  body: string,
  headers: string[],
  way: 'end' | 'destroy'
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const head = [`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', ...headers]
    socket.on('error', reject).on('close', () => resolve()).resume()
    const text = `${head.join('\r\n')}\r\n\r\n${body}`
    if (way === 'end') socket.end(text)
    else socket.write(text, () => socket.destroy())
  })
}

t.test('a whole request is stored although its client closes the connection before the key is looked up', async (t) => {
  const { store, sink } = await backend(t)
  const { app, key, secret, stored } = await gateway(t, { store: slow(store), sink })
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  let sent = 0
  for (const way of ['end', 'destroy'] as const) {
    for (
      const [path, body] of [
        ['/v1/t', { event: 'E', userId: 'u', messageId: `t-${way}` }],
        ['/v1/batch', { batch: [{ type: 'page', userId: 'u', messageId: `b-${way}`, pad: 'x'.repeat(30_000) }] }]
      ] as const
    ) {
      const text = JSON.stringify(body)
      const length = `Content-Length: ${Buffer.byteLength(text)}`
      await sendAndClose(port, path, text, [`Authorization: Bearer ${key}`, length], way)
      await sendAndClose(port, `${path}?wk=${key}`, text.replace('"u"', '"u2"').replace(`-${way}`, `-wk-${way}`), [
        `Content-Length: ${Buffer.byteLength(text) + 4}`
      ], way)
      const chunks = text.replace(`-${way}`, `-ch-${way}`)
      await sendAndClose(port, path, `${Buffer.byteLength(chunks).toString(16)}\r\n${chunks}\r\n0\r\n\r\n`, [
        `Authorization: Bearer ${key}`,
        'Transfer-Encoding: chunked'
      ], way)
      const signed = text.replace(`-${way}`, `-si-${way}`)
      const signature = `X-Datafly-Signature: ${signBody(secret, signed)}`
      await sendAndClose(port, path, signed, [`Authorization: Bearer ${key}`, signature,
        `Content-Length: ${Buffer.byteLength(signed)}`], way)
      sent += 4
    }
  }
  await until('the events are stored', async () => (await stored()).length >= sent)
  t.equal((await stored()).length, sent)
})

t.test('a request that is cut off stores nothing, and the next request succeeds', async (t) => {
  const { store, sink } = await backend(t)
  const { app, key, stored, post } = await gateway(t, { store: slow(store), sink })
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  await sendAndClose(port, '/v1/t', '{"event":"E"}', [`Authorization: Bearer ${key}`, 'Content-Length: 100'], 'destroy')
  await sleep(2 * LOOK_UP)
  t.equal((await post('/v1/t', { event: 'whole' })).statusCode, 200)
  t.match(await stored(), [{ event: 'whole' }])
})

t.test('the limits of the route apply to bytes that arrive during the look-up of the key', async (t) => {
  const { store, sink } = await backend(t)
  const { app, key } = await gateway(t, {
    store: slow(store),
    sink,
    ingestion: { bodyLimit: 1_000, batchLimit: 2_000 }
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  async function * body (): AsyncGenerator<Buffer> {
    for (let n = 0; n < 40; n++) {
      yield Buffer.from(n === 0 ? '{"event":"' : 'x'.repeat(100))
      await sleep(1)
    }
  }
  const send = async (path: string) =>
    fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: body() as never,
      duplex: 'half'
    } as RequestInit)
  t.equal((await send('/v1/t')).status, 413)
  t.equal((await send('/v1/batch')).status, 400)
})
