import { createServer, request as send } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import fastify from 'fastify'
import t from 'tap'

import { CallRecorder } from '../../server/start-page/calls.js'

t.test('a caller of another address is not taken for the server, although its port is the same', async (t) => {
  const calls = new CallRecorder()
  const app = fastify()
  t.teardown(() => app.close())
  calls.follow(app)
  calls.watch(app, {
    party: 'server',
    sessionOf: ({ headers: { 'x-session': session } }) => typeof session === 'string' ? session : null,
    topicOf: () => 'events'
  })
  app.get('/*', async () => 'ok')
  await app.listen({ host: '0.0.0.0', port: 0 })
  const { port } = app.server.address() as AddressInfo

  // A product that does not record its calls: it sees from which port the server calls.
  let used = 0
  const product = createServer(({ socket }, response) => {
    used = (socket as Socket).remotePort ?? 0
    response.end('ok')
  })
  await new Promise<void>((resolve) => product.listen(0, '127.0.0.1', resolve))
  t.teardown(() => { product.closeAllConnections(); product.close() })
  calls.open('ann')
  calls.open('bob')
  const url = `http://127.0.0.1:${(product.address() as AddressInfo).port}`
  await calls.run('ann', 'server', async () => (await fetch(url)).text())

  await new Promise<void>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/private', localAddress: '127.0.0.2', localPort: used, agent: false }
    send({ ...options, headers: { 'x-session': 'bob' } }, (response) => response.resume().on('end', resolve))
      .on('error', reject).end()
  })
  await calls.run('ann', 'attacker', async () => (await fetch(`http://127.0.0.1:${port}/own`)).text())
  for (let tries = 0; tries < 50 && calls.list('ann', 0).length === 0; tries++) await new Promise(setImmediate)
  t.match(calls.list('bob', 0), [{ from: 'browser', path: '/private' }])
  t.match(calls.list('ann', 0), [{ from: 'attacker', path: '/own' }])
  t.equal(calls.list('ann', 0).length, 1)
})
