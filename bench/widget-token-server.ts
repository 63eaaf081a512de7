// One server of the widget-token bench, in a process of its own: `widget-token-server.ts <variant>`; tells its parent the port, then serves until it is killed.
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

import type { RateLimitOptions } from '../lib/limits/rate-limit.js'
import tokenStore from '../plugins/token-store/index.js'
import { memoryStore } from '../plugins/token-store/memory/index.js'
import widgetToken from '../routes/widget-token/index.js'
import { listen, serve } from './serve.js'

const PATH = '/api/generate-token'

const variants: Record<string, () => Promise<number>> = {
  /** A route that does nothing but answer with as much. */
  async bare () {
    const route = await gatehouse(false)
    const answer = (await route.inject(PATH)).json<Record<string, string>>()
    await route.close()
    const app = Fastify()
    app.get(PATH, async () => answer)
    return await listen(app)
  },
  'no limits': async () => await listen(await gatehouse(false)),
  limits: async () => await listen(await gatehouse({ max: 1_000_000_000, timeWindow: 1_000 })),
  /** What the audit of each token costs is what this does without; no app should. */
  'no audit': async () => await listen(await gatehouse(false, (app) => app.decorate('audit', () => {})))
}

async function gatehouse (rateLimit: RateLimitOptions, prepare: (app: FastifyInstance) => void = () => {}): Promise<FastifyInstance> {
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
