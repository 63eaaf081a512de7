import { randomUUID } from 'node:crypto'

import Fastify from 'fastify'
import t from 'tap'

import { startBoldBi } from '../../../server/mock-products/boldbi.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import type { EmbedAuthorizeOptions } from '../../../routes/embed-authorize/index.js'
import { DASHBOARD, GRANTED, SECRET, embedApp, embedQuery, injectJson, readCall } from '../../helpers/embed.js'
import { reply, stubUpstream } from '../../helpers/stub-upstream.js'

t.test('a query of the SDK reaches Bold BI with user, server time and a valid signature, and the response is ' +
  'unchanged', async (t) => {
  const { bi, post } = await embedApp(t)
  const query = embedQuery()
  const before = Date.now()
  const reply = await post(query)
  const after = Date.now()
  t.equal(reply.statusCode, 200)
  t.equal(reply.payload, JSON.stringify(GRANTED))
  t.equal(reply.headers['cache-control'], 'no-store')
  t.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  const { path, signed, signature, expected, fields } = readCall(bi.calls[0])
  t.equal(path, '/bi/api/site/site1/embed/authorize')
  t.equal(signature, expected)
  t.ok(
    signed.startsWith(`${query}&embed_user_email=viewer@example.com&embed_server_timestamp=`),
    'the query of the browser is unchanged'
  )
  const time = Number(fields.get('embed_server_timestamp')) * 1_000
  t.ok(time > before - 1_000 && time <= after + 1_000, 'the time of the server')
})

t.test('the mock product accepts the requests of the route by GET and by POST', async (t) => {
  const boldBi = await startBoldBi({ embedders: [] })
  t.teardown(() => boldBi.close())
  for (const transport of ['get', 'post'] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    const authorize: EmbedAuthorizeOptions['authorize'] = () => ({
      email: 'o’neil+1@example.com',
      datasourceFilter: { fields: { Land: ['Österreich', 'Côte d’Ivoire'] } }
    })
    await app.register(embedAuthorize, {
      servers: [{ apiUrl: boldBi.apiUrl, embedSecret: boldBi.embedSecret }],
      authorize,
      transport
    })
    const reply = await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: boldBi.apiUrl })
    t.match(reply.json(), { ApiStatus: true, Data: { DashboardId: DASHBOARD } }, transport)
  }
})

t.test('the query is accepted in either spelling of its member or in both, and two different queries are ' +
  '400', async (t) => {
  const { bi, apiUrl, app } = await embedApp(t)
  const send = (body: object) => injectJson(app, { dashboardServerApiUrl: apiUrl, ...body })
  const query = embedQuery()
  t.equal((await send({ embedQuerString: embedQuery() })).statusCode, 200)
  t.equal(
    (await send({ embedQueryString: embedQuery(), more: { of: 'the SDK' } })).statusCode,
    200,
    'unknown members are ignored'
  )
  t.equal((await send({ embedQuerString: query, embedQueryString: query })).statusCode, 200)
  const differ = await send({ embedQuerString: embedQuery(), embedQueryString: embedQuery() })
  t.equal(differ.statusCode, 400)
  t.equal(differ.json().error.code, 'INVALID_REQUEST')
  t.equal(bi.calls.length, 3)
})

t.test('a body of the wrong shape is 400, and Bold BI is not called', async (t) => {
  const { app, bi, apiUrl } = await embedApp(t)
  const query = embedQuery()
  const bodies: unknown[] = [
    null,
    [],
    'text',
    7,
    {},
    { embedQuerString: query },
    { dashboardServerApiUrl: apiUrl },
    { embedQuerString: 5, dashboardServerApiUrl: apiUrl },
    { embedQuerString: [query], dashboardServerApiUrl: apiUrl },
    { embedQuerString: null, dashboardServerApiUrl: apiUrl },
    { embedQuerString: '', dashboardServerApiUrl: apiUrl },
    { embedQuerString: query, dashboardServerApiUrl: [apiUrl] },
    { embedQuerString: query, dashboardServerApiUrl: { href: apiUrl } },
    { embedQuerString: query, dashboardServerApiUrl: 'x'.repeat(3_000) }
  ]
  for (const body of bodies) {
    const reply = await injectJson(app, body)
    t.equal(reply.statusCode, 400, JSON.stringify(body))
    t.equal(reply.json().error.code, 'INVALID_REQUEST')
  }
  const broken = await app.inject({
    method: 'POST',
    url: '/authorize',
    payload: '{"embedQuerString":',
    headers: { 'content-type': 'application/json' }
  })
  t.equal(broken.statusCode, 400)
  t.equal(broken.json().error.code, 'INVALID_JSON')
  t.equal((await app.inject({ method: 'POST', url: '/authorize' })).statusCode, 400, 'no body at all')
  t.equal(bi.connections(), 0)
})

t.test('authorize receives everything that the query asks for, decoded', async (t) => {
  let seen: unknown
  const { apiUrl, post } = await embedApp(t, {
    pinboard: true,
    modes: ['view', 'design'],
    authorize: (_request, details) => {
      seen = details
      return { username: 'ann' }
    }
  })
  await post(embedQuery({
    embed_mode: 'design',
    embed_dashboard_id: 'one',
    embed_dashboard_ids: 'two,three',
    embed_dashboard_path: '/Sales/%C3%9Cbersicht',
    embed_dashboard_paths: '/a/b,/c/d',
    embed_dashboardview_id: 'v1',
    embed_dashboardview_name: 'Q1',
    embed_widget_name: 'w1',
    embed_widget_list: 'w2,w3',
    embed_datasource_id: 'd1',
    embed_datasource_name: 'D%201',
    pinboard_name: 'mine',
    layout: '2x2',
    isUnpin: 'true'
  }))
  t.same(seen, {
    server: apiUrl,
    dashboards: ['one', 'two', 'three', '/Sales/Übersicht', '/a/b', '/c/d'],
    dashboardId: 'one',
    dashboardIds: ['two', 'three'],
    dashboardPath: '/Sales/Übersicht',
    dashboardPaths: ['/a/b', '/c/d'],
    mode: 'design',
    view: { id: 'v1', name: 'Q1' },
    widgets: ['w1', 'w2', 'w3'],
    datasource: { id: 'd1', name: 'D 1' },
    pinboard: 'mine',
    pinboardAction: { layout: '2x2', isUnpin: 'true' }
  })
})

t.test('a nonce works once in any letter case, and a request without a user does not use up the nonce', async (t) => {
  let user: { email: string } | null = null
  const { bi, post } = await embedApp(t, { authorize: () => user })
  const embed_nonce = randomUUID()
  t.equal((await post(embedQuery({ embed_nonce }))).statusCode, 401)
  user = { email: 'viewer@example.com' }
  t.equal((await post(embedQuery({ embed_nonce }))).statusCode, 200, 'the refused request did not use up the nonce')
  for (const again of [embed_nonce, embed_nonce.toUpperCase()]) {
    const reply = await post(embedQuery({ embed_nonce: again }))
    t.equal(reply.statusCode, 409)
    t.match(reply.json(), { error: { code: 'CONFLICT', message: 'The embed_nonce was used before' } })
  }
  t.equal(bi.calls.length, 1)
})

t.test('only one of many parallel uses of one nonce reaches Bold BI', async (t) => {
  const { bi, post } = await embedApp(t)
  const query = embedQuery()
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await post(query)).statusCode))
  t.equal(statuses.filter((status) => status === 200).length, 1)
  t.equal(statuses.filter((status) => status === 409).length, 19)
  t.equal(bi.calls.length, 1)
})

t.test('a store that is full of nonces is 503, and Bold BI is not called', async (t) => {
  let now = Date.now()
  const bi = await stubUpstream(t, reply(GRANTED))
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: memoryStore({ maxClaims: 1, now: () => now }) })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: bi.origin, embedSecret: SECRET }],
    authorize: () => ({ email: 'a@b.c' })
  })
  const [first, second] = [embedQuery(), embedQuery()]
  const send = (query: string) => injectJson(app, { embedQuerString: query, dashboardServerApiUrl: `${bi.origin}/` })
  t.equal((await send(first)).statusCode, 200)
  const full = await send(second)
  t.equal(full.statusCode, 503)
  t.equal(full.json().error.code, 'UNAVAILABLE')
  t.ok(Number(full.headers['retry-after']) > 0)
  t.equal(bi.calls.length, 1)
  now += 899_000
  t.equal((await send(first)).statusCode, 409, 'still within the 15 minutes')
  now += 2_000
  t.equal((await send(second)).statusCode, 200, 'the store has room again')
})
