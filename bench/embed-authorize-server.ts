// The servers of the embed-authorize bench, each in a process of its own: `upstream <ms>` answers as Bold BI does,
// after that time; `route <its origin>` stands before it, and so does `hop <its origin>`, which does nothing but pass
// on.
import { createServer } from 'node:http'

import Fastify from 'fastify'

import auditLog from '../plugins/audit-log/index.js'
import tokenStore from '../plugins/token-store/index.js'
import { memoryStore } from '../plugins/token-store/memory/index.js'
import embedAuthorize from '../routes/embed-authorize/index.js'
import { addHop } from './hop.js'
import { listen, listening, serve } from './serve.js'

/** About 1.5 KB, the size of an access token with the details of a user and a dashboard. */
const GRANTED = JSON.stringify({
  ApiStatus: true,
  Data: { access_token: 'x'.repeat(700), token_type: 'bearer', ItemDetail: 'y'.repeat(700) },
  Status: true
})

async function upstream (delay: number): Promise<number> {
  const server = createServer((request, response) => {
    const respond = (): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(GRANTED)
    }
    request.resume().on('end', () => {
      if (delay === 0) respond()
      else setTimeout(respond, delay)
    })
  })
  return await listening(server.listen(0, '127.0.0.1'))
}

async function route (origin: string): Promise<number> {
  const app = Fastify()
  await app.register(tokenStore, { store: memoryStore({ maxClaims: 10_000_000 }) })
  await app.register(auditLog)
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: `${origin}/bi/api/site/site1`, embedSecret: '8apLLNabQisvriG2W1nOI7XWkl2CsYY' }],
    authorize: () => ({
      email: 'viewer@example.com',
      tenant: 'acme',
      datasourceFilter: { fields: { Region: ['EU', 'US'] } }
    }),
    rateLimit: false
  })
  return await listen(app)
}

async function hop (origin: string): Promise<number> {
  const app = Fastify()
  addHop(app, '/authorize', origin)
  return await listen(app)
}

const argument = process.argv[3] ?? ''
await serve({ upstream: () => upstream(Number(argument)), route: () => route(argument), hop: () => hop(argument) })
