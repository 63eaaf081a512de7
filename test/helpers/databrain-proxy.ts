import Fastify from 'fastify'
import type { FastifyInstance, FastifyRequest, FastifyServerOptions, InjectOptions } from 'fastify'
import type { Test } from 'tap'

import databrainProxy from '../../routes/databrain/proxy/index.js'
import type { DatabrainProxyOptions } from '../../routes/databrain/proxy/index.js'
import { storeByDefault } from './backend.js'
import { API_KEY, mint, PROXY_KEY } from './guest-token.js'
import { reply, stubUpstream } from './stub-upstream.js'
import type { StubUpstream } from './stub-upstream.js'

export const PREFIX = '/api/databrain/proxy'
export const KEY = { 'x-proxy-auth-key': PROXY_KEY }
/** Below which the upstream has what it serves. */
export const BASE = '/backend'

export interface ProxyApp {
  app: FastifyInstance
  /** Mints tokens. */
  api: StubUpstream
  /** What calls are forwarded to. */
  upstream: StubUpstream
  /** Makes a call of a user's page, without a socket. */
  call(request?: InjectOptions & { user?: string | undefined }): ReturnType<typeof inject>
  /** The headers of such a call, for a socket. */
  headers(user?: string): Record<string, string>
  listen(): Promise<string>
}

/** The user whom the cookie names, as a host's session would. */
export function userOf ({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  return /(?:^|; )user=([^;]*)/.exec(headers.cookie ?? '')?.[1] ?? null
}

/** The proxy before stubs of DataBrain, with a cookie as session; limits are off unless options say otherwise. */
export async function proxyApp (
  t: Test,
  options: Partial<DatabrainProxyOptions> = {},
  server: FastifyServerOptions = {},
  before: (app: FastifyInstance) => unknown = () => {}
): Promise<ProxyApp> {
  const api = await stubUpstream(t, mint)
  const upstream = await stubUpstream(t, reply({ data: 'numbers' }))
  const giveStore = await storeByDefault(t, options)
  const app = Fastify(server)
  t.teardown(() => app.close())
  await before(app)
  await giveStore(app)
  await app.register(databrainProxy, {
    proxyKeys: [PROXY_KEY],
    apiUrl: api.origin,
    upstreamUrl: upstream.origin + BASE,
    apiKey: API_KEY,
    dataAppName: 'sales',
    authorize (request) {
      const user = userOf(request)
      return user === null ? null : { clientId: user }
    },
    rateLimit: false,
    userRateLimit: false,
    ...options
  })
  await app.ready()
  const headers = (user = 'ann'): Record<string, string> => ({ ...KEY, cookie: `user=${user}` })
  return {
    app,
    api,
    upstream,
    headers,
    call: ({ user = 'ann', ...request } = {}) =>
      inject(app, { url: `${PREFIX}/api/v2/dashboard`, headers: headers(user), ...request }),
    listen: () => app.listen({ host: '127.0.0.1', port: 0 })
  }
}

function inject (app: FastifyInstance, request: InjectOptions) {
  return app.inject(request)
}
