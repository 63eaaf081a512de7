import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import { Ledger } from '../helpers/ledger.js'
import { folderWithDatabase } from '../helpers/database-folder.js'
import { runProgram, startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { printedBy } from '../helpers/server-session.js'
import { LOADED, STORES, storeOfServer, untilAcknowledged } from '../helpers/stores.js'

const ROUNDS = Number(process.env.ROUNDS ?? 3)

// On a busy machine a start takes half a minute, and each stop is followed by a start on each store.
t.setTimeout(ROUNDS * 200_000)

for (const kind of STORES) {
  t.test(`after ${ROUNDS} times SIGTERM to a server on ${kind} under load acknowledged events are stored, ` +
    'only new connections fail, and the exit code is 0', async (t) => {
    const store = await storeOfServer(t, kind)
    if (store === null) return
    const ledger = new Ledger()
    let server = await startServerProcess(t, store.dataDir, store.variables)
    const { password, pipelineKey } = printedBy(server)

    for (let round = 0; round < ROUNDS; round++) {
      const load = sendEvents(server.origin, pipelineKey, { connections: 12, batching: 4, again: ledger.open })
      await untilAcknowledged(load, 500)
      server.signal('SIGTERM')
      if (round % 3 > 0) {
        await sleep(20)
        server.signal(round % 3 === 1 ? 'SIGTERM' : 'SIGINT')
      }
      const { code, signal } = await server.ended
      // A stop that takes too long ends with exit code 1.
      t.same({ code, signal }, { code: 0, signal: null }, `round ${round}: ${server.stdout()}${server.stderr()}`)
      await load.stop()
      t.same([...load.statuses], [], 'no status except 200')
      ledger.note(load)
      server = await startServerProcess(t, store.dataDir, store.variables)
      await ledger.audit(t, server, password)
    }
    t.comment(`${kind}, ${ROUNDS} clean stops: ${await ledger.settle(t, server, password)}`)
    t.equal((await server.stop()).code, 0)
  })
}

t.test('while the server drains /readyz is 503, a slow request finishes, new connections are refused, and ' +
  'idle connections do not delay the exit', async (t) => {
  const server = await startServerProcess(t, await folderWithDatabase(t), LOADED)
  const { pipelineKey } = printedBy(server)
  const { hostname, port } = new URL(server.origin)
  const open = () =>
    new Promise<ReturnType<typeof talk>>((resolve) => {
      const socket = connect({ host: hostname, port: Number(port) }, () => resolve(talk(socket)))
    })

  const [slow, idle, unused] = [await open(), await open(), await open()]
  const body = '{"event":"Slow","userId":"u"}'
  slow.write(
    `POST /v1/t HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${pipelineKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  )
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
  await unused.closed
  t.notMatch(server.stdout(), /still busy/)
})

t.test('SIGTERM shuts the server down cleanly while an upstream hangs', async (t) => {
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
  const server = await startServerProcess(t, await folderWithDatabase(t), {
    ...LOADED,
    BOLDBI_API_URL: apiUrl,
    BOLDBI_EMBED_SECRET: 's',
    EMBED_USER: 'ann'
  })
  const seconds = Math.floor(Date.now() / 1000)
  const embedQuerString =
    `embed_nonce=${crypto.randomUUID()}&embed_dashboard_id=${crypto.randomUUID()}&embed_mode=view&embed_timestamp=${seconds}&embed_expirationtime=600`
  const answer = fetch(`${server.origin}/authorize`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ embedQuerString, dashboardServerApiUrl: apiUrl })
  }).then((reply) => reply.status, () => 'cut off')
  t.equal(await Promise.race([asked.then(() => 'asked'), answer]), 'asked')
  t.equal((await server.stop()).code, 0)
  t.comment(`the request: ${await answer}`)
})

t.test('a SIGTERM while the database is created shuts down cleanly, and the next start succeeds', async (t) => {
  const dataDir = await temporaryFolder(t)
  const program = await runProgram(t, ['start'], { DATA_DIR: dataDir, PORT: '0', ...LOADED })
  while (!program.stdout().includes('Creating the embedded database')) await sleep(5)
  const { code } = await program.stop()
  t.equal(code, 0, program.stderr())
  const next = await startServerProcess(t, dataDir, LOADED)
  t.equal((await fetch(`${next.origin}/readyz`)).status, 200)
})

function talk (socket: ReturnType<typeof connect>) {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  return {
    closed: once(socket, 'close'),
    write: (more: string) => {
      socket.write(more)
    },
    async until (pattern: RegExp) {
      for (const deadline = Date.now() + 60_000; !pattern.test(text); await sleep(5)) {
        if (Date.now() > deadline) throw new Error(`no ${pattern} in ${text}`)
      }
      text = ''
    }
  }
}

async function refused (host: string, port: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(5)) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port }, () => {
        socket.destroy()
        resolve(true)
      }).on('error', () => resolve(false))
    })
    if (!open) return
  }
  throw new Error('the server still accepts connections')
}
