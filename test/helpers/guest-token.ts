import { createHash } from 'node:crypto'

import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions, InjectOptions } from 'fastify'
import type { Test } from 'tap'

import guestToken from '../../routes/databrain/guest-token/index.js'
import type { GuestTokenOptions } from '../../routes/databrain/guest-token/index.js'
import { storeByDefault } from './backend.js'
import { reply, stubUpstream } from './stub-upstream.js'
import type { Answer, StubUpstream } from './stub-upstream.js'

export const PROXY_KEY = 'pr0xy-key-0123456789-abcdefghijklmnop'
export const REFERENCE_KEY = 'r3ference-key-0123456789-abcdefghijkl'
export const API_KEY = 'dbn_live_4pi-key-0123456789'
export const PATH = '/api/databrain/guest-token'

/** A UUID that belongs to one client id. */
export function tokenOf (clientId: string): string {
  return createHash('sha256').update(clientId).digest('hex').replace(
    /^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/,
    '$1-$2-$3-$4-$5'
  )
}

/** DataBrain's API as it should be: a token of the client that was asked for. */
export const mint: Answer = (call, response) => {
  const { clientId } = JSON.parse(call.body.toString()) as { clientId: string }
  return reply({ token: tokenOf(clientId), error: null })(call, response)
}

export interface GuestTokenApp {
  app: FastifyInstance
  databrain: StubUpstream
  /** Asks for the token of a user by a signed reference, or with a request of one's own. */
  ask(user: string, request?: InjectOptions): ReturnType<typeof injectRequest>
}

/** The route before a stub DataBrain, with its default `authorize`; limits are off unless options say otherwise. */
export async function guestTokenApp (
  t: Test,
  options: Partial<GuestTokenOptions> = {},
  server: FastifyServerOptions = {},
  before: (app: FastifyInstance) => unknown = () => {}
): Promise<GuestTokenApp> {
  const databrain = await stubUpstream(t, mint)
  const giveStore = await storeByDefault(t, options)
  const app = Fastify(server)
  t.teardown(() => app.close())
  await before(app)
  await giveStore(app)
  await app.register(guestToken, {
    proxyKeys: [PROXY_KEY],
    userReferenceKeys: [REFERENCE_KEY],
    apiUrl: databrain.origin,
    apiKey: API_KEY,
    dataAppName: 'sales',
    userRateLimit: false,
    rateLimit: false,
    ...options
  })
  await app.ready()
  const ask: GuestTokenApp['ask'] = (user, request = {}) => injectRequest(app, user, request)
  return { app, databrain, ask }
}

function injectRequest (app: FastifyInstance, user: string, request: InjectOptions) {
  const url = `${PATH}?ref=${app.userReference.sign({ sub: user })}`
  return app.inject({ url, headers: { authorization: `Bearer ${PROXY_KEY}` }, ...request })
}
