// One server under test, in a separate process: `guest-token-server.ts <variant>`. Reports its port and serves until it
// is killed.
import { createServer } from 'node:http'

import Fastify from 'fastify'

import tokenStore from '../plugins/token-store/index.js'
import { memoryStore } from '../plugins/token-store/memory/index.js'
import guestToken from '../routes/databrain/guest-token/index.js'
import { listen, listening, serve } from './serve.js'

const API_KEY = 'the key of the analytics API'.replaceAll(' ', '-')
const TOKEN = '01234567-89ab-4cde-8f01-23456789abcd'
/** Time in which the product's API creates a token, in milliseconds. */
const UPSTREAM_TIME = 20

const { PROXY_KEY = '', REFERENCE_KEY = '', UPSTREAM = '' } = process.env

const variants: Record<string, () => Promise<number>> = {
  upstream () {
    return listening(
      createServer((request, response) => {
        request.resume()
        setTimeout(() => {
          response.writeHead(200, { 'content-type': 'application/json' }).end(
            JSON.stringify({ token: TOKEN, error: null })
          )
        }, UPSTREAM_TIME)
      }).listen(0, '127.0.0.1')
    )
  },
  cached
}

async function cached (): Promise<number> {
  const app = Fastify()
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(guestToken, {
    proxyKeys: [PROXY_KEY],
    userReferenceKeys: [REFERENCE_KEY],
    apiKey: API_KEY,
    apiUrl: UPSTREAM,
    dataAppName: 'sales',
    rateLimit: false,
    userRateLimit: false
  })
  return await listen(app)
}

await serve(variants)
