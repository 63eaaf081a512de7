import { fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'

import t from 'tap'
import type { Test } from 'tap'

import { signBody } from '../../../signing/datafly/body-signature.js'

interface Server {
  origin: string
  key: string
  secret: string
}
interface Answer {
  status: number
  code: string | undefined
}

const MB = 1024 * 1024
/** The largest part that is inflated at a time. */
const CHUNK = 64 * 1024
/** The limit of inflated bytes for the body of one event, which can have at most 64 KB of JSON. */
const EVENT = 512 * 1024
const BATCH = 5 * MB

async function startServer (t: Test): Promise<Server> {
  const child = fork(new URL('./fixtures/gateway-server.ts', import.meta.url))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const [server] = await once(child, 'message') as [Server]
  return server
}

/**
 * A gigabyte of spaces in a megabyte of gzip: the same block repeated, as one member without its end, which inflation
 * does not reach.
 */
function gigabyte (): Buffer {
  const spaces = Buffer.alloc(MB, ' ')
  const open = { finishFlush: constants.Z_FULL_FLUSH }
  return Buffer.concat([gzipSync(spaces, open), ...Array<Buffer>(1_023).fill(deflateRawSync(spaces, open))])
}

async function post (
  { origin, key }: Server,
  path: string,
  body: Buffer,
  headers: Record<string, string>
): Promise<Answer> {
  const response = await fetch(origin + path, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers }
  })
  const { error } = await response.json() as { error?: { code: string } }
  return { status: response.status, code: error?.code }
}

/** The highest growth of the server's memory during `act`, in megabytes, and the number of inflated bytes. */
async function strain ({ origin }: Server, act: () => Promise<void>): Promise<{ grown: number, inflated: number }> {
  const figures = async () =>
    await (await fetch(`${origin}/figures`)).json() as { now: number, peak: number, inflated: number }
  const { now } = await figures()
  await act()
  const { peak, inflated } = await figures()
  return { grown: (peak - now) / MB, inflated }
}

async function warmUp (server: Server): Promise<void> {
  for (let i = 0; i < 40; i++) {
    await post(server, '/v1/batch', gzipSync(`{"batch":[{"type":"page"}]}${' '.repeat(i < 5 ? 2 * MB : 0)}`), {
      'content-encoding': 'gzip'
    })
  }
}

t.test('inflation of a gigabyte bomb stops at the limit and needs less than 64 MB of memory', async (t) => {
  const server = await startServer(t)
  await warmUp(server)
  const stored = await (await fetch(`${server.origin}/stored`)).text()
  const bomb = gigabyte()
  t.ok(bomb.length > 0.9 * MB && bomb.length < 1.1 * MB)
  const small = Buffer.alloc(100 * MB, ' ')
  for (
    const [name, path, body, encoding, status, code, least, most] of [
      ['1 GB for a batch', '/v1/batch', bomb, 'gzip', 400, 'INVALID_REQUEST', BATCH, BATCH + CHUNK],
      ['1 GB for an event, too long on the wire', '/v1/t', bomb, 'gzip', 413, 'PAYLOAD_TOO_LARGE', 0, 0],
      ['100 MB for an event', '/v1/t', gzipSync(small), 'gzip', 413, 'PAYLOAD_TOO_LARGE', EVENT, EVENT + CHUNK],
      ['100 MB of zlib', '/v1/t', deflateSync(small), 'deflate', 413, 'PAYLOAD_TOO_LARGE', EVENT, EVENT + CHUNK],
      ['100 MB of bare deflate', '/v1/batch', deflateRawSync(small), 'deflate', 400, 'INVALID_REQUEST', BATCH,
        BATCH + CHUNK],
      ['gzip in gzip', '/v1/batch', gzipSync(bomb), 'gzip', 400, 'INVALID_JSON', bomb.length, bomb.length],
      ['1 GB cut short', '/v1/batch', bomb.subarray(0, -100_000), 'gzip', 400, 'INVALID_REQUEST', BATCH, BATCH + CHUNK],
      ['200 000 empty members', '/v1/batch', Buffer.concat(Array<Buffer>(200_000).fill(gzipSync(''))), 'gzip', 400,
        'INVALID_JSON', 0, 0]
    ] as const
  ) {
    for (const signature of [{}, { 'x-datafly-signature': signBody(server.secret, body) }]) {
      let answer: Answer | undefined
      const { grown, inflated } = await strain(server, async () => {
        answer = await post(server, path, body, { 'content-encoding': encoding, ...signature })
      })
      t.match(answer, { status, code }, name)
      t.ok(inflated >= least && inflated <= most, `${name}: ${inflated} bytes are inflated`)
      t.ok(grown <= 64, `${name}: ${Math.round(grown)} MB`)
    }
  }
  t.equal(await (await fetch(`${server.origin}/stored`)).text(), stored)
})

t.test('two hundred parallel bombs need less than 64 MB of memory, and other requests receive responses ' +
  'meanwhile', async (t) => {
  const server = await startServer(t)
  await warmUp(server)
  const bomb = gzipSync(Buffer.alloc(20 * MB, ' '))
  const attack = { over: false }
  let seen = 0
  const watch = async (): Promise<void> => {
    for (; !attack.over; seen++) await (await fetch(`${server.origin}/healthz`)).text()
  }
  const { grown } = await strain(server, async () => {
    const watching = watch()
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        post(server, n % 2 === 0 ? '/v1/batch' : '/v1/t', bomb, { 'content-encoding': 'gzip' }))
    )
    attack.over = true
    await watching
    t.same([...new Set(answers.map(({ status, code }) => `${status} ${code}`))].sort(), ['400 INVALID_REQUEST',
      '413 PAYLOAD_TOO_LARGE'])
  })
  t.ok(grown <= 64, `${Math.round(grown)} MB`)
  t.ok(seen > 20, `/healthz answered ${seen} times meanwhile`)
  t.equal((await post(server, '/v1/t', gzipSync('{"event":"e"}'), { 'content-encoding': 'gzip' })).status, 200)
})
