// One limit per client address, which no request exceeds.
import limit from '@fastify/rate-limit'
import Fastify from 'fastify'

import rateLimit from '../../plugins/rate-limit/index.js'
import { listen } from '../serve.js'

const LIMIT = { max: 1_000_000_000, timeWindow: 60_000 }

export async function gatehouse (): Promise<number> {
  const app = Fastify()
  await app.register(rateLimit, { address: LIMIT, global: true })
  app.get('/ok', async () => ({ ok: true }))
  return await listen(app)
}

export async function fastifyRateLimit (): Promise<number> {
  const app = Fastify()
  await app.register(limit, LIMIT)
  app.get('/ok', async () => ({ ok: true }))
  return await listen(app)
}
