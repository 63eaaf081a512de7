import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { folderWithDatabase } from '../helpers/database-folder.js'
import { startServerProcess } from '../helpers/server-process.js'
import { printedBy } from '../helpers/server-session.js'

/** The delay of a planned stop, during which /readyz is 503. */
const DELAY = '60000'
const FAULTS = {
  uncaughtException: 'throw new Error("the cause in the log")',
  unhandledRejection: 'Promise.reject(new Error("the cause in the log"))'
}

for (const [origin, fault] of Object.entries(FAULTS)) {
  t.test(`an ${origin} is logged with its cause, requests in flight finish, and the server exits with 1 and no drain ` +
    'delay', async (t) => {
    const preload = `process.on('SIGUSR2', () => { ${fault} })`
    const variables = {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
      DRAIN_DELAY_MS: DELAY
    }
    const server = await startServerProcess(t, await folderWithDatabase(t), variables)
    const { hostname, port } = new URL(server.origin)

    const body = '{"event":"Slow","userId":"u"}'
    const socket = connect({ host: hostname, port: Number(port) })
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    await once(socket, 'connect')
    socket.write(
      `POST /v1/t HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${printedBy(server).pipelineKey}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`
    )
    await untilSeen(server.origin)

    server.signal('SIGUSR2')
    while (!server.stdout().includes('the cause in the log')) {
      await new Promise((resolve) => {
        setTimeout(resolve, 10)
      })
    }
    const unready = await untilClosed(server.origin)
    t.ok(unready < 20, `the port was closed after ${unready} requests`)
    socket.write(body.slice(5))
    const { code, signal } = await server.ended
    t.same({ code, signal }, { code: 1, signal: null })
    t.match(answer, /^HTTP\/1\.1 200 /, 'the request in flight got its response')

    const lines = server.stdout().split('\n').filter((line) => line.includes('the cause in the log'))
    t.equal(lines.length, 1)
    t.match(JSON.parse(lines[0] ?? '{}'), {
      level: 60,
      origin,
      err: { message: 'the cause in the log', stack: /Error: the cause in the log/ }
    })
    t.equal(server.stderr(), '')
  })
}

/** Requests /readyz on new connections until the port is closed; returns the number of responses. */
async function untilClosed (origin: string): Promise<number> {
  for (let answered = 0; ; answered++) {
    const isOpen = await fetch(`${origin}/readyz`, { headers: { connection: 'close' } }).then((reply) => reply.text())
      .then(() => true, () => false)
    if (!isOpen) return answered
    await sleep(50)
  }
}

/** Waits for the response to a later request, after which the earlier request has been read. */
async function untilSeen (origin: string): Promise<void> {
  await (await fetch(`${origin}/healthz`)).text()
}
