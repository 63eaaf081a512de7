import { connect } from 'node:net'

import t from 'tap'

import { privatePostgres } from '../helpers/postgres.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import type { ServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'
import { LOADED } from '../helpers/stores.js'
import { timedCall } from '../helpers/timed-calls.js'

const CLIENTS = Number(process.env.CLIENTS ?? 200)
const AT_ONCE = 50

/** When a client disconnects: within the body, or after the body and before the reply. */
const WAYS = ['in the upload', 'in a chunked upload', 'before the reply', 'soon after the upload'] as const

interface Client {
  way: typeof WAYS[number]
  path: string
  ids: string[]
  body: string
}

t.test(`events of ${CLIENTS} clients that disconnect before the reply are stored completely or not, and once after a ` +
  'repeat', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const server = await startServerProcess(t, await temporaryFolder(t), { ...LOADED, DATABASE_URL: postgres.url })
  const { password, pipelineKey } = printedBy(server)
  const clients = Array.from({ length: CLIENTS }, (_none, at) => clientOf(at))
  for (let at = 0; at < CLIENTS; at += AT_ONCE) {
    await Promise.all(clients.slice(at, at + AT_ONCE).map((client) => vanish(server, pipelineKey, client)))
  }

  // This event arrives after all of them.
  const last = await timedCall('event', `${server.origin}/v1/t`, {
    token: pipelineKey,
    body: '{"event":"Last","userId":"u"}'
  })
  t.equal(last.status, 200, `after ${last.time} ms ${server.stdout()}`)
  const token = await logIn(server, password)
  const first = await storedIds(server, token)
  const shareOf = ({ ids }: Client) => ids.filter((id) => first.has(id)).length / ids.length
  t.same(
    clients.filter(({ way }) => way.endsWith('upload') && way.startsWith('in')).filter((client) => shareOf(client) > 0),
    [],
    'no event of an incomplete body'
  )
  t.same(clients.filter((client) => shareOf(client) > 0 && shareOf(client) < 1), [], 'no batch is stored partially')
  t.same([...first.values()].filter((times) => times > 1), [], 'no event is stored twice')

  for (let at = 0; at < CLIENTS; at += AT_ONCE) {
    const replies = await Promise.all(
      clients.slice(at, at + AT_ONCE).map(({ path, body }) =>
        timedCall(path, `${server.origin}${path}`, { token: pipelineKey, body })
      )
    )
    t.same(replies.filter(({ status }) => status !== 200), [], 'every repeat is accepted')
  }
  const second = await storedIds(server, token)
  t.same(clients.flatMap(({ ids }) => ids).filter((id) => second.get(id) !== 1), [], 'all events are stored once')
  t.comment(
    `${CLIENTS} clients, ${
      clients.filter((client) => shareOf(client) === 1).length
    } of them stored before they came again`
  )
  t.equal((await server.stop()).code, 0)
})

function clientOf (at: number): Client {
  const [way = WAYS[0], batch] = [WAYS[at % WAYS.length], at % 3 === 0]
  const ids = Array.from({ length: batch ? 20 : 1 }, () => crypto.randomUUID())
  const events = ids.map((messageId) => ({ type: 'track', event: 'Gone', userId: 'u', messageId }))
  return {
    way,
    ids,
    ...(batch
      ? { path: '/v1/batch', body: JSON.stringify({ batch: events }) }
      : { path: '/v1/t', body: JSON.stringify(events[0]) })
  }
}

/** Resolves when the socket is closed. */
function vanish ({ origin }: ServerProcess, pipelineKey: string, { way, path, body }: Client): Promise<void> {
  const { hostname, port } = new URL(origin)
  const length = way === 'in a chunked upload' ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
  const head =
    `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${pipelineKey}\r\nContent-Type: application/json\r\n${length}\r\n\r\n`
  const half = body.slice(0, body.length >> 1)
  const sent =
    {
      'in the upload': half,
      'in a chunked upload': `${half.length.toString(16)}\r\n${half}\r\n`,
      'before the reply': body,
      'soon after the upload': body
    }[way]
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.write(head + sent, () => {
      if (way === 'soon after the upload') setTimeout(() => socket.resetAndDestroy(), Math.random() * 5)
      else socket.destroy()
    })
  })
}
