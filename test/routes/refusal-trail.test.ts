import { randomUUID } from 'node:crypto'

import Fastify from 'fastify'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { FORBIDDEN } from '../../lib/errors.js'
import tokenStore from '../../plugins/token-store/index.js'
import type { AuditEntry } from '../../contracts/token-store/index.js'
import userReference from '../../plugins/user-reference/index.js'
import databrainProxy from '../../routes/databrain/proxy/index.js'
import embedAuthorize from '../../routes/embed-authorize/index.js'
import guestToken from '../../routes/databrain/guest-token/index.js'
import widgetToken from '../../routes/widget-token/index.js'
import { backend } from '../helpers/backend.js'
import { embedQuery } from '../helpers/embed.js'

const KEY = 'pr0xy-key-0123456789-abcdefghijklmnop'
const TOO_LONG = 'x'.repeat(300)
/** Part of every invented value, so that a test finds each place that stores such a value. */
const MADE_UP = 'made-up'

/** All embedding routes, in a host that knows users only by reference and allows only the dashboard `mine`. */
async function embeddingApp (t: Test) {
  const { store } = await backend(t)
  const app = Fastify({ trustProxy: true })
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: { ...store, close: async () => {} }, sweepEvery: 0 })
  await app.register(userReference, { keys: ['r3ference-key-0123456789-abcdefghijkl'] })
  const unlimited = { rateLimit: false, userRateLimit: false } as const
  const databrain = {
    proxyKeys: [KEY],
    apiKey: 'k',
    apiUrl: 'http://127.0.0.1:1',
    dataAppName: 'sales',
    retries: 0,
    ...unlimited
  }
  const denied = (): never => {
    throw new FORBIDDEN()
  }
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: 'http://127.0.0.1:1', embedSecret: 's' }],
    retries: 0,
    rateLimit: false,
    errors: 'http',
    authorize: ({ userReference }, { dashboards }) =>
      userReference &&
      (dashboards.every((name) => name === 'mine' || name === TOO_LONG) ? { email: 'ann@example.com' } : denied())
  })
  await app.register(guestToken, { ...databrain, authorize: ({ userReference }) => userReference && denied() })
  await app.register(databrainProxy, { ...databrain, authorize: ({ userReference }) => userReference && denied() })
  await app.register(widgetToken, {
    secret: 's',
    issuer: 'acme',
    session: 'web',
    authorize: ({ userReference }) => userReference && denied(),
    ...unlimited
  })
  const entries = async (): Promise<AuditEntry[]> => {
    await app.close()
    return (await store.audit.list('default', {}, { limit: 100 })).data
  }
  return { app, entries }
}

/** One request per route, with other invented values each time. */
function requests (at: number, more: Record<string, string> = {}): InjectOptions[] {
  const text = `${MADE_UP}-${at}`
  const headers = {
    'user-agent': `agent ${at}`,
    'x-proxy-auth-key': KEY,
    authorization: `Bearer ${KEY}`,
    'content-type': 'application/json',
    ...more
  }
  const queries = [
    embedQuery({ embed_dashboard_id: text }),
    embedQuery({ embed_dashboard_id: '', embed_dashboard_paths: `/${text},/b` }),
    embedQuery({ embed_mode: text }),
    embedQuery({ embed_nonce: text }),
    embedQuery({ embed_nonce: randomUUID(), embed_datasource_id: text, embed_dashboard_id: '' }),
    `${text}=1`
  ]
  const servers = ['http://127.0.0.1:1', `https://${text}.test`]
  return [
    {
      method: 'POST',
      url: '/authorize',
      headers,
      payload: JSON.stringify({
        embedQuerString: queries[at % queries.length],
        dashboardServerApiUrl: servers[at % 7 === 0 ? 1 : 0]
      })
    },
    { url: `/api/databrain/guest-token?x=${text}`, headers },
    { method: 'POST', url: `/api/databrain/proxy/${text}?x=${text}`, headers, payload: '{}' },
    { url: `/api/generate-token?x=${text}`, headers }
  ]
}

const ACTIONS = ['databrain_proxy.refused', 'embed.refused', 'guest_token.refused', 'widget_token.refused']

t.test('refusals with invented dashboards, modes, references, nonces and user agents are one audit entry per ' +
  'route', async (t) => {
  const { app, entries } = await embeddingApp(t)
  for (let at = 0; at < 250; at++) {
    // Requests without a reference and requests with an invalid reference.
    for (const request of requests(at, at % 2 === 0 ? {} : { 'x-user-reference': `v1.${MADE_UP}${at}.x` })) {
      t.not((await app.inject(request)).statusCode, 200)
    }
  }
  const all = await entries()
  t.same(all.map(({ action }) => action).sort(), ACTIONS)
  for (const { action, userId, userEmail, resourceId, changes } of all) {
    t.same([userId, userEmail, resourceId], [null, null, null], action)
    t.equal(changes?.['repeats'], 249, action)
  }
  t.notMatch(JSON.stringify(all), MADE_UP)
})

t.test('refusals of a signed-in user with invented values are one audit entry per route as well', async (t) => {
  const { app, entries } = await embeddingApp(t)
  const headers = { 'x-user-reference': app.userReference.sign({ sub: 'ann' }) }
  for (let at = 0; at < 50; at++) {
    for (const request of requests(at * 6, headers)) t.not((await app.inject(request)).statusCode, 200)
  }
  const all = await entries()
  t.same(all.map(({ action }) => action).sort(), ACTIONS)
  for (const { userId, changes } of all) t.same([userId, changes?.['repeats']], ['ann', 49])
})

t.test('an audit entry of a known user contains the whole names of at most 256 characters, and only configured ' +
  'modes', async (t) => {
  const cases: Array<[members: Record<string, string>, resourceId: string, mode: string | undefined]> = [
    [{ embed_dashboard_id: 'mine' }, 'mine', 'view'],
    [{ embed_dashboard_id: '', embed_dashboard_ids: `mine,${TOO_LONG}` }, 'mine', 'view'],
    [{ embed_dashboard_id: TOO_LONG }, '', 'view'],
    [{ embed_dashboard_id: 'other', embed_mode: MADE_UP }, 'other', undefined],
    [{ embed_dashboard_id: 'other' }, 'other', 'view']
  ]
  for (const [members, resourceId, mode] of cases) {
    const { app, entries } = await embeddingApp(t)
    const headers = { 'x-user-reference': app.userReference.sign({ sub: 'ann' }), 'content-type': 'application/json' }
    await app.inject({
      method: 'POST',
      url: '/authorize',
      headers,
      payload: JSON.stringify({ embedQuerString: embedQuery(members), dashboardServerApiUrl: 'http://127.0.0.1:1' })
    })
    const [entry] = await entries()
    t.same([entry?.action, entry?.userId, entry?.resourceId, entry?.changes?.['mode']], ['embed.refused', 'ann',
      resourceId, mode], JSON.stringify(members))
  }
})

t.test('the addresses of one IPv6 network share one audit entry, and other addresses have their own', async (t) => {
  const { app, entries } = await embeddingApp(t)
  for (let at = 0; at < 20; at++) {
    await app.inject({ url: '/api/generate-token', headers: { 'x-forwarded-for': `2001:db8::${at.toString(16)}` } })
  }
  for (const address of ['2001:db8:0:1::1', '192.0.2.1', '192.0.2.2']) {
    await app.inject({ url: '/api/generate-token', headers: { 'x-forwarded-for': address } })
  }
  t.same((await entries()).map(({ ipAddress, changes }) => [ipAddress, changes?.['repeats']]), [
    ['192.0.2.2', undefined],
    ['192.0.2.1', undefined],
    ['2001:db8:0:1::1', undefined],
    ['2001:db8::', 19]
  ])
})
