import { fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'

import t from 'tap'
import type { Test } from 'tap'

import { signBody } from '../../../signing/body-signature.js'

interface Server { origin: string, key: string, secret: string }
interface Answer { status: number, code: string | undefined }

const MB = 1024 * 1024

async function startServer (t: Test): Promise<Server> {
  const child = fork(new URL('./fixtures/gateway-server.ts', import.meta.url))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const [server] = await once(child, 'message') as [Server]
  return server
}

/** A gigabyte of spaces in a megabyte of gzip: the same block again and again, as one member without its end, which nobody comes to. */
function gigabyte (): Buffer {
  const spaces = Buffer.alloc(MB, ' ')
  const open = { finishFlush: constants.Z_FULL_FLUSH }
  return Buffer.concat([gzipSync(spaces, open), ...Array<Buffer>(1_023).fill(deflateRawSync(spaces, open))])
}

async function post ({ origin, key }: Server, path: string, body: Buffer, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(origin + path, { method: 'POST', body: new Uint8Array(body), headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers } })
  const { error } = await response.json() as { error?: { code: string } }
  return { status: response.status, code: error?.code }
}

/**
 * By how many megabytes the server grew at most meanwhile, the milliseconds that it computed,
 * and the 99th percentile of those for which its event loop was held up.
 */
async function strain ({ origin }: Server, act: () => Promise<void>): Promise<{ grown: number, computed: number, delay: number }> {
  const figures = async () => await (await fetch(`${origin}/figures`)).json() as { now: number, peak: number, computed: number, delay: number }
  const { now } = await figures()
  await act()
  const { peak, ...spent } = await figures()
  return { grown: (peak - now) / MB, ...spent }
}

async function warmUp (server: Server): Promise<void> {
  for (let i = 0; i < 40; i++) await post(server, '/v1/batch', gzipSync(`{"batch":[{"type":"page"}]}${' '.repeat(i < 5 ? 2 * MB : 0)}`), { 'content-encoding': 'gzip' })
}

t.test('H14: a bomb of a gigabyte is refused after less than 500 ms of work and takes less than 64 MB', async (t) => {
  const server = await startServer(t)
  await warmUp(server)
  const stored = await (await fetch(`${server.origin}/stored`)).text()
  const bomb = gigabyte()
  t.ok(bomb.length > 0.9 * MB && bomb.length < 1.1 * MB)
  const small = Buffer.alloc(100 * MB, ' ')
  for (const [name, path, body, encoding, status, code] of [
    ['1 GB for a batch', '/v1/batch', bomb, 'gzip', 400, 'INVALID_REQUEST'],
    ['1 GB for an event, too long on the wire', '/v1/t', bomb, 'gzip', 413, 'PAYLOAD_TOO_LARGE'],
    ['100 MB for an event', '/v1/t', gzipSync(small), 'gzip', 413, 'PAYLOAD_TOO_LARGE'],
    ['100 MB of zlib', '/v1/t', deflateSync(small), 'deflate', 413, 'PAYLOAD_TOO_LARGE'],
    ['100 MB of bare deflate', '/v1/batch', deflateRawSync(small), 'deflate', 400, 'INVALID_REQUEST'],
    ['gzip in gzip', '/v1/batch', gzipSync(bomb), 'gzip', 400, 'INVALID_JSON'],
    ['1 GB cut short', '/v1/batch', bomb.subarray(0, -100_000), 'gzip', 400, 'INVALID_REQUEST'],
    ['200 000 members of nothing', '/v1/batch', Buffer.concat(Array<Buffer>(200_000).fill(gzipSync(''))), 'gzip', 400, 'INVALID_JSON']
  ] as const) {
    for (const signature of [{}, { 'x-datafly-signature': signBody(server.secret, body) }]) {
      let answer: Answer | undefined
      const { grown, computed } = await strain(server, async () => { answer = await post(server, path, body, { 'content-encoding': encoding, ...signature }) })
      t.match(answer, { status, code }, name)
      t.ok(computed < 500, `${name}: ${Math.round(computed)} ms`)
      t.ok(grown <= 64, `${name}: ${Math.round(grown)} MB`)
    }
  }
  t.equal(await (await fetch(`${server.origin}/stored`)).text(), stored)
})

t.test('H14, W15: two hundred bombs at once take no more memory than one, and hold nobody else up', async (t) => {
  const server = await startServer(t)
  await warmUp(server)
  const bomb = gzipSync(Buffer.alloc(20 * MB, ' '))
  const attack = { over: false }
  let seen = 0
  const watch = async (): Promise<void> => {
    for (; !attack.over; seen++) await (await fetch(`${server.origin}/healthz`)).text()
  }
  const { grown, delay } = await strain(server, async () => {
    const watching = watch()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => post(server, n % 2 === 0 ? '/v1/batch' : '/v1/t', bomb, { 'content-encoding': 'gzip' })))
    attack.over = true
    await watching
    t.same([...new Set(answers.map(({ status, code }) => `${status} ${code}`))].sort(), ['400 INVALID_REQUEST', '413 PAYLOAD_TOO_LARGE'])
  })
  t.ok(grown <= 64, `${Math.round(grown)} MB`)
  t.comment(`the event loop was held up for ${Math.round(delay)} ms (p99)`)
  t.ok(seen > 20, `/healthz answered ${seen} times meanwhile`)
  t.equal((await post(server, '/v1/t', gzipSync('{"event":"e"}'), { 'content-encoding': 'gzip' })).status, 200)
})
