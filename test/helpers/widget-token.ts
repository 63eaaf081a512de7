import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions, InjectOptions } from 'fastify'
import type { Test } from 'tap'

import widgetToken from '../../routes/widget-token/index.js'
import type { WidgetTokenOptions } from '../../routes/widget-token/index.js'
import { storeByDefault } from './backend.js'

export const SECRET = 'dx-s3cr3t of any form, 100% ü'
export const PATH = '/api/generate-token'
export const PAGE = 'https://shop.example.com'

/** The route for the user `ann` and the pages of one site; limits are off unless options say otherwise. */
export async function widgetTokenApp (
  t: Test,
  options: Partial<WidgetTokenOptions> = {},
  server: FastifyServerOptions = {},
  before: (app: FastifyInstance) => unknown = () => {}
) {
  const giveStore = await storeByDefault(t)
  const app = Fastify(server)
  t.teardown(() => app.close())
  await before(app)
  await giveStore(app)
  await app.register(widgetToken, {
    secret: SECRET,
    issuer: 'acme',
    session: 'web',
    authorize: () => 'ann',
    cors: { origins: [PAGE] },
    rateLimit: false,
    userRateLimit: false,
    ...options
  })
  await app.ready()
  return { app, ask: (request: InjectOptions = {}) => app.inject({ url: PATH, ...request }) }
}
