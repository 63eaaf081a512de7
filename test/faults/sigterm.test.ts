import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import { runProgram, startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import type { Variables } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const quiet: Variables = { LOG_LEVEL: 'warn', INGEST_KEY_RATE_MAX: '0', INGEST_IP_RATE_MAX: '0', ADMIN_RATE_MAX: '1000000' }

t.test('D17: SIGTERM under load: what was acknowledged is stored, nothing fails but new connections, exit 0 within 10 s', async (t) => {
  const dataDir = await temporaryFolder(t)
  let printed = { password: '', pipelineKey: '' }
  const acknowledged: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServerProcess(t, dataDir, quiet)
    if (round === 0) printed = printedBy(server)
    const load = sendEvents(server.origin, printed.pipelineKey)
    while (load.acknowledged.length < 200) await sleep(5)
    const start = performance.now()
    server.signal('SIGTERM')
    if (round > 0) {
      await sleep(20)
      server.signal(round === 1 ? 'SIGTERM' : 'SIGINT')
    }
    const { code, signal } = await server.ended
    t.same({ code, signal }, { code: 0, signal: null }, `round ${round}: ${server.stdout()}${server.stderr()}`)
    t.ok(performance.now() - start < 10_000, `after ${Math.round(performance.now() - start)} ms`)
    await load.stop()
    t.same([...load.statuses], [], 'nothing but 200 and refused connections')
    acknowledged.push(...load.acknowledged)
  }
  const server = await startServerProcess(t, dataDir, quiet)
  const stored = await storedIds(server, await logIn(server, printed.password))
  t.same(acknowledged.filter((id) => !stored.has(id)), [])
})

t.test('D17: while it drains, /readyz is 503 at once, a slow request finishes, and nobody new gets in', async (t) => {
  const server = await startServerProcess(t, await temporaryFolder(t), quiet)
  const { pipelineKey } = printedBy(server)
  const { hostname, port } = new URL(server.origin)
  const open = () => new Promise<ReturnType<typeof talk>>((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => resolve(talk(socket)))
  })

  const [slow, idle] = [await open(), await open()]
  const body = '{"event":"Slow","userId":"u"}'
  slow.write(`POST /v1/t HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${pipelineKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`)
  slow.write(body.slice(0, 5))
  idle.write('GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n')
  await idle.until(/"status":"ready"/)

  server.signal('SIGTERM')
  await refused(hostname, Number(port))
  idle.write('GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n')
  await idle.until(/HTTP\/1\.1 503 .*connection: close.*"UNAVAILABLE"/is)
  await sleep(300)
  slow.write(body.slice(5))
  await slow.until(/HTTP\/1\.1 200 .*connection: close.*"success":true/is)
  t.equal((await server.ended).code, 0)
})

t.test('D18: SIGTERM with an upstream that hangs is over within 10 s', async (t) => {
  const upstream = createServer()
  const origin = await new Promise<string>((resolve) => {
    upstream.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`))
  })
  const asked = new Promise((resolve) => upstream.once('connection', resolve))
  const sockets = new Set<Socket>()
  upstream.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    upstream.close()
  })
  const apiUrl = `${origin}/bi/api/site/site1`
  const server = await startServerProcess(t, await temporaryFolder(t), { ...quiet, BOLDBI_API_URL: apiUrl, BOLDBI_EMBED_SECRET: 's', EMBED_USER: 'ann' })
  const seconds = Math.floor(Date.now() / 1000)
  const embedQuerString = `embed_nonce=${crypto.randomUUID()}&embed_dashboard_id=${crypto.randomUUID()}&embed_mode=view&embed_timestamp=${seconds}&embed_expirationtime=600`
  const answer = fetch(`${server.origin}/authorize`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ embedQuerString, dashboardServerApiUrl: apiUrl })
  }).then((reply) => reply.status, () => 'cut off')
  await asked
  const start = performance.now()
  t.equal((await server.stop()).code, 0)
  t.ok(performance.now() - start < 10_000, `after ${Math.round(performance.now() - start)} ms`)
  t.comment(`the request: ${await answer}`)
})

t.test('a SIGTERM while the database is being made ends in order, and the next start works', async (t) => {
  const dataDir = await temporaryFolder(t)
  const program = await runProgram(t, ['start'], { DATA_DIR: dataDir, PORT: '0', ...quiet })
  while (!program.stdout().includes('Making the embedded database')) await sleep(5)
  const { code } = await program.stop()
  t.equal(code, 0, program.stderr())
  const next = await startServerProcess(t, dataDir, quiet)
  t.equal((await fetch(`${next.origin}/readyz`)).status, 200)
})

function talk (socket: ReturnType<typeof connect>) {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => { text += chunk.toString() })
  return {
    write: (more: string) => { socket.write(more) },
    async until (pattern: RegExp) {
      for (const deadline = Date.now() + 10_000; !pattern.test(text); await sleep(5)) {
        if (Date.now() > deadline) throw new Error(`no ${pattern} in ${text}`)
      }
      text = ''
    }
  }
}

async function refused (host: string, port: number): Promise<void> {
  for (const deadline = Date.now() + 3_000; Date.now() < deadline; await sleep(5)) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port }, () => {
        socket.destroy()
        resolve(true)
      }).on('error', () => resolve(false))
    })
    if (!open) return
  }
  throw new Error('the server still takes connections')
}
