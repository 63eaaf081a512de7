// One server of the widget-token benchmark, in a separate process: `widget-token-server.ts <variant>`. Reports its port
// and serves until it is killed.
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

import type { RateLimitOptions } from '../lib/limits/rate-limit.js'
import tokenStore from '../plugins/token-store/index.js'
import { memoryStore } from '../plugins/token-store/memory/index.js'
import widgetToken from '../routes/widget-token/index.js'
import { listen, serve } from './serve.js'

const PATH = '/api/generate-token'

const variants: Record<string, () => Promise<number>> = {
  /** A route that only sends a response of the same size. */
  async bare () {
    const route = await gatehouse(false)
    const response = (await route.inject(PATH)).json<Record<string, string>>()
    await route.close()
    const app = Fastify()
    app.get(PATH, async () => response)
    return await listen(app)
  },
  'no limits': async () => await listen(await gatehouse(false)),
  limits: async () => await listen(await gatehouse({ max: 1_000_000_000, timeWindow: 1_000 })),
  /** Without the audit of each token, to measure its cost. Do not use this in an app. */
  'no audit': async () => await listen(await gatehouse(false, (app) => app.decorate('audit', () => {})))
}

async function gatehouse (
  rateLimit: RateLimitOptions,
  prepare: (app: FastifyInstance) => void = () => {}
): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(tokenStore, { store: memoryStore() })
  prepare(app)
  await app.register(widgetToken, {
    secret: 'the secret of a product that is measured',
    issuer: 'acme',
    session: 'web',
    filters: ['NYSE', 'NASDAQ'],
    authorize: () => ({ user: 'customer-42', tenant: 'north' }),
    rateLimit,
    userRateLimit: rateLimit
  })
  return app
}

await serve(variants)
