import { createHmac, randomUUID } from 'node:crypto'

import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'

import embedAuthorize from '../../routes/embed-authorize/index.js'
import type { EmbedAuthorizeOptions } from '../../routes/embed-authorize/index.js'
import { storeByDefault } from './backend.js'
import { reply, stubUpstream } from './stub-upstream.js'
import type { RecordedCall, StubUpstream } from './stub-upstream.js'

export const SECRET = '8apLLNabQisvriG2W1nOI7XWkl2CsYY'
export const DASHBOARD = 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff'
export const GRANTED = { ApiStatus: true, Status: true, Message: '', Data: { access_token: 'granted' } }
const SITE = '/bi/api/site/site1'

export interface EmbedApp {
  app: FastifyInstance
  bi: StubUpstream
  apiUrl: string
  /** Posts a query for the stub's server, with members added or replaced. */
  post(
    query: string,
    members?: Record<string, unknown>,
    headers?: Record<string, string>
  ): ReturnType<typeof injectJson>
}

/**
 * The route before a stub Bold BI server, which lets `viewer@example.com` embed everything and tells its errors by
 * status.
 */
export async function embedApp (
  t: Test,
  options: Partial<EmbedAuthorizeOptions> = {},
  server: FastifyServerOptions = {},
  before: (app: FastifyInstance) => unknown = () => {}
): Promise<EmbedApp> {
  const bi = await stubUpstream(t, reply(GRANTED))
  const giveStore = await storeByDefault(t)
  const app = Fastify(server)
  t.teardown(() => app.close())
  await before(app)
  await giveStore(app)
  const apiUrl = bi.origin + SITE
  await app.register(embedAuthorize, {
    servers: [{ apiUrl, embedSecret: SECRET }],
    authorize: () => ({ email: 'viewer@example.com' }),
    errors: 'http',
    rateLimit: false,
    ...options
  })
  const post: EmbedApp['post'] = (query, members = {}, headers = {}) =>
    injectJson(app, { embedQuerString: query, dashboardServerApiUrl: apiUrl, ...members }, headers)
  return { app, bi, apiUrl, post }
}

export async function injectJson (app: FastifyInstance, body: unknown, headers: Record<string, string> = {}) {
  return app.inject({
    method: 'POST',
    url: '/authorize',
    payload: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers }
  })
}

/**
 * A query as the SDK builds it, with members replaced, added, or left out by `undefined`; values are taken as they
 * are.
 */
export function embedQuery (members: Record<string, string | undefined> = {}): string {
  const query = {
    embed_nonce: randomUUID(),
    embed_dashboard_id: DASHBOARD,
    embed_dashboard_ids: '',
    embed_dashboard_path: '',
    embed_dashboard_paths: '',
    pinboard_name: '',
    embed_mode: 'view',
    embed_timestamp: String(Math.floor(Date.now() / 1000)),
    embed_expirationtime: '86400',
    ...members
  }
  return Object.entries(query).filter(([, value]) => value !== undefined).map(([key, value]) => `${key}=${value}`).join(
    '&'
  )
}

/** What the Bold BI server reads of a call: the signed text in its raw bytes, and whether its signature is right. */
export function readCall (call: RecordedCall | undefined, secret: string | Buffer = SECRET) {
  if (call === undefined) throw new Error('the Bold BI server was not called')
  const text = call.method === 'GET'
    ? call.url.slice(call.url.indexOf('?') + 1)
    : String(JSON.parse(call.body.toString()))
  const [signed = '', signature = ''] = text.split('&embed_signature=')
  const expected = createHmac('sha256', secret).update(signed, 'utf8').digest('base64')
  const fields = new Map(
    signed.split('&').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
  )
  return { path: call.url.split('?')[0], text, signed, signature, expected, fields }
}
