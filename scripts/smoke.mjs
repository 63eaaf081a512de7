// Starts the built server like a user: it must be ready in time, serve its routes, keep events over a restart and stop.
import assert from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = await mkdtemp(join(tmpdir(), 'smoke-'))
const cli = new URL('../dist/server/cli.js', import.meta.url).pathname
/** The origin of the running server; each start uses another port. */
let origin

try {
  const first = await start(60_000)
  const pipelineKey = /Pipeline key +(\S+)/.exec(first.output())?.[1]
  const password = /Password +(\S+)/.exec(first.output())?.[1]

  for (const path of ['/', '/console', '/docs', '/docs/json', '/healthz', '/readyz']) {
    assert.equal((await fetch(origin + path)).status, 200, path)
  }
  assert.equal((await fetch(`${origin}/api/databrain/guest-token`)).status, 401)
  assert.match((await call('GET', '/api/generate-token')).token, /^[\w+/]+\.[\w-]+$/)
  assert.deepEqual(await call('POST', '/v1/t', { event: 'Smoke', userId: 'u' }, pipelineKey), { success: true })
  await stop(first)

  const second = await start(20_000)
  assert.doesNotMatch(second.output(), /Password/)
  const { access_token: token } = await call('POST', '/v1/admin/auth/login', { email: 'admin@example.com', password })
  const { data } = await call('GET', '/v1/admin/events', undefined, token)
  assert.deepEqual(data.map(({ event }) => event), ['Smoke'])
  await stop(second)
  console.log(`first start ${first.took} ms, second ${second.took} ms`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function start (limit) {
  const began = Date.now()
  const server = spawn(process.execPath, [cli, 'start'], {
    env: { ...process.env, DATA_DIR: join(folder, 'data'), PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let text = ''
  server.stdout.on('data', (chunk) => {
    text += chunk
  })
  // The banner is printed at the end of a start.
  while (!text.includes('Health') || !(await fetch(`${origin}/readyz`).catch(() => null))?.ok) {
    origin = /listens on (\S+)\n/.exec(text)?.[1]
    assert.equal(server.exitCode, null, 'the server ended')
    assert.ok(Date.now() - began < limit, `not ready within ${limit} ms`)
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
  return { server, took: Date.now() - began, output: () => text }
}

async function stop ({ server }) {
  server.kill('SIGTERM')
  const [code] = await once(server, 'exit')
  assert.equal(code, 0, 'a clean stop')
}

async function call (method, path, body, bearer) {
  const headers = {
    ...(body ? { 'content-type': 'application/json' } : {}),
    ...(bearer ? { authorization: `Bearer ${bearer}` } : {})
  }
  const reply = await fetch(origin + path, { method, headers, body: body ? JSON.stringify(body) : undefined })
  assert.equal(reply.status, 200, `${method} ${path}: ${reply.status}`)
  return await reply.json()
}
