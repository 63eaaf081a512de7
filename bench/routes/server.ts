// One server under test, in a separate process: `server.ts <variant>`. Reports its port and serves until it is killed.
import { createServer } from 'node:http'

import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'

import { addHop } from '../hop.js'
import { PEERS } from '../peers/servers.js'
import { listen, listening, serve } from '../serve.js'
import { lean } from './lean.js'
import { EMBED_REPLY, GUEST_TOKEN, WIDGET_REPLY } from './names.js'

const { UPSTREAM = '', JWT_SECRET = '' } = process.env
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')
/** About as long as the pair of tokens of a refresh. */
const PAIR = { access_token: 'x'.repeat(420), token_type: 'Bearer', expires_in: 900, refresh_token: 'y'.repeat(360) }

/** Routes that only read and answer as much as the measured ones. */
function bare (): Promise<number> {
  const app = Fastify({ bodyLimit: 5_242_880 })
  app.post('/event', async () => ({ success: true }))
  app.post('/batch', async () => ({ success: true, accepted: 100, rejected: 0 }))
  app.get('/pixel', async (_request, reply) => reply.type('image/gif').send(GIF))
  app.get('/guest-token', async () => ({ token: GUEST_TOKEN }))
  app.get('/widget-token', async () => WIDGET_REPLY)
  app.get('/ok', async () => ({ status: 'ok' }))
  app.post('/refresh', async () => PAIR)
  addHop(app, '/hop', UPSTREAM)
  return listen(app)
}

/** A route behind @fastify/jwt alone, which answers as much as the guarded one. */
async function jwt (): Promise<number> {
  const app = Fastify()
  await app.register(fastifyJwt, { secret: JWT_SECRET })
  app.get('/bench/session', async () => ({ access_token: app.jwt.sign({ sub: 'user', role: 'admin' }) }))
  app.get('/internal', { onRequest: async (request) => { await request.jwtVerify() } }, async () => ({ ok: true }))
  return await listen(app)
}

/** The APIs of the products, which answer at once. */
function upstream (): Promise<number> {
  const [token, embed] = [JSON.stringify({ token: GUEST_TOKEN, error: null }), JSON.stringify(EMBED_REPLY)]
  // A connection that idles between two rounds stays open; some proxies would fail if they send on it as it closes.
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    request.resume().on('end', () => {
      const body = request.url?.startsWith('/api/v2/') === true ? token : embed
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    })
  })
  return listening(server.listen(0, '127.0.0.1'))
}

await serve({
  bare,
  jwt,
  upstream,
  memory: () => lean({ backend: 'memory' }),
  'memory metrics': () => lean({ backend: 'memory', measured: true }),
  postgres: () => lean({ backend: 'postgres' }),
  'postgres metrics': () => lean({ backend: 'postgres', measured: true }),
  ...PEERS
})
