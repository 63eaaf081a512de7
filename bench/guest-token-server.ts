// One server under test, in a separate process: `guest-token-server.ts <variant>`. Reports its port and serves until it
// is killed.
import { createServer } from 'node:http'

import express from 'express'
import Fastify from 'fastify'

import type { RateLimitOptions } from '../lib/limits/rate-limit.js'
import tokenStore from '../plugins/token-store/index.js'
import { memoryStore } from '../plugins/token-store/memory/index.js'
import guestToken from '../routes/databrain/guest-token/index.js'
import { listen, listening, serve } from './serve.js'

const PATH = '/api/databrain/guest-token'
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
  /** A route that only sends a response of the same size. */
  bare () {
    const app = Fastify()
    app.get(PATH, async () => ({ token: TOKEN }))
    return listen(app)
  },
  cached: () => gatehouse(false),
  'cached limited': () => gatehouse({ max: 1_000_000_000, timeWindow: 1_000 }),
  uncached: () => gatehouse(false, { cache: false }),
  /** The product's documented sample: checks the key, calls the API for each request and forwards its response. */
  express () {
    const app = express()
    app.get(PATH, async (request, response) => {
      if (request.headers.authorization !== `Bearer ${PROXY_KEY}`) {
        response.status(401).json({ error: 'Unauthorized' })
        return
      }
      const upstream = await fetch(`${UPSTREAM}/api/v2/guest-token/create`, {
        method: 'POST',
        headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ clientId: 'customer-42', dataAppName: 'sales' })
      })
      const { token, error } = await upstream.json() as { token?: string, error?: unknown }
      if (error) response.status(400).json({ error })
      else response.json({ token })
    })
    return listening(app.listen(0, '127.0.0.1'))
  }
}

async function gatehouse (rateLimit: RateLimitOptions, options: { cache?: boolean } = {}): Promise<number> {
  const app = Fastify()
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(guestToken, {
    proxyKeys: [PROXY_KEY],
    userReferenceKeys: [REFERENCE_KEY],
    apiKey: API_KEY,
    apiUrl: UPSTREAM,
    dataAppName: 'sales',
    rateLimit,
    userRateLimit: rateLimit,
    ...options
  })
  return await listen(app)
}

await serve(variants)
