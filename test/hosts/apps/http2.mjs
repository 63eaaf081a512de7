// A host that serves HTTP/2 in clear text, asked by the client of node:http2 on one connection.
import { connect } from 'node:http2'

import Fastify from 'fastify'
import { connectionLimit, requireHttps } from 'fastify-gatehouse'

import { guardedRoute, registerBeside, statuses } from './suite.mjs'

export default async function host (order) {
  const app = Fastify({ http2: true })
  registerBeside(app, order, () => {
    app.register(connectionLimit, { max: 10, exemptPeers: [] })
    app.register(requireHttps)
  })
  guardedRoute(app)
  const limited = { gatehouse: { https: true, connectionLimit: true } }
  app.get('/limited', { config: limited }, async () => ({ limited: true }))
  const client = connect(await app.listen({ host: '127.0.0.1', port: 0 }))
  const ask = asker(client)
  const answers = { ...await statuses(app, ask), limited: (await ask('/limited')).status }
  await new Promise((resolve) => client.close(resolve))
  await app.close()
  return answers
}

/** Asks by HTTP/2 streams of one connection. */
function asker (client) {
  return (path, { method = 'GET', headers = {}, payload } = {}) => new Promise((resolve, reject) => {
    const stream = client.request({ ':path': path, ':method': method, ...headers })
    let status
    let body = ''
    stream.setEncoding('utf8')
    stream.on('response', (received) => { status = received[':status'] })
    stream.on('data', (text) => { body += text })
    stream.on('end', () => resolve({ status, body }))
    stream.on('error', reject)
    stream.end(payload)
  })
}
