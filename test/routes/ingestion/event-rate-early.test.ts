import { connect } from 'node:net'
import type { Socket } from 'node:net'

import t from 'tap'
import type { Test } from 'tap'

import { gateway } from '../../helpers/gateway.js'

const BODY = JSON.stringify({ event: 'e', userId: 'u' })

/** A connection that waits for the first line of a response. */
function connection (t: Test, origin: string): { socket: Socket, status: Promise<string> } {
  const { hostname, port } = new URL(origin)
  const socket = connect({ host: hostname, port: Number(port) })
  t.teardown(() => socket.destroy())
  const status = new Promise<string>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('data', (bytes) => resolve(/^HTTP\/1\.1 (\d{3})/.exec(bytes.toString('latin1'))?.[1] ?? ''))
  })
  return { socket, status }
}

async function listening (t: Test, max: number) {
  const made = await gateway(t, { ingestion: { eventRate: { max, now: () => 0 } } })
  const origin = await made.app.listen({ host: '127.0.0.1', port: 0 })
  const head = ['POST /v1/t HTTP/1.1', 'Host: x', `Authorization: Bearer ${made.key}`, 'Content-Type: application/json',
    `Content-Length: ${BODY.length}`, '', ''].join('\r\n')
  return { ...made, origin, head }
}

t.test('a source without remaining events is 429 before its body is sent', async (t) => {
  const { post, origin, head } = await listening(t, 1)
  t.equal((await post('/v1/t', BODY)).statusCode, 200)
  const { socket, status } = connection(t, origin)
  socket.write(head)
  t.equal(await status, '429')
})

t.test('only two of five requests that start with two remaining events are accepted', async (t) => {
  const { app, origin, head, accepted } = await listening(t, 2)
  let begun = 0
  const allBegun = new Promise<void>((resolve) =>
    app.server.on('request', () => {
      if (++begun === 5) resolve()
    })
  )
  const senders = Array.from({ length: 5 }, () => connection(t, origin))
  for (const { socket } of senders) socket.write(head)
  await allBegun
  for (const { socket } of senders) socket.write(BODY)
  const statuses = await Promise.all(senders.map(({ status }) => status))
  t.same(statuses.sort(), ['200', '200', '429', '429', '429'])
  t.equal((await accepted()).length, 2)
})
