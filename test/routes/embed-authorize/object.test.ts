import Fastify from 'fastify'
import t from 'tap'

import embedAuthorize from '../../../routes/embed-authorize/index.js'
import type { EmbedAuthorizeOptions, EmbedIdentity } from '../../../routes/embed-authorize/index.js'
import { embedFilter } from '../../../signing/boldbi/filter.js'
import { DASHBOARD, GRANTED, SECRET, embedApp, embedQuery, injectJson, readCall } from '../../helpers/embed.js'
import { logReader } from '../../helpers/log-reader.js'
import { reply } from '../../helpers/stub-upstream.js'
import type { RecordedCall } from '../../helpers/stub-upstream.js'

function objectOf (call: RecordedCall | undefined): Record<string, unknown> {
  return JSON.parse(call?.body.toString() ?? 'null') as Record<string, unknown>
}

t.test("with transport: 'object' a view of a dashboard is requested by the object of Bold BI 14.1", async (t) => {
  const { bi, post } = await embedApp(t, {
    transport: 'object',
    authorize: () => ({
      email: 'viewer@example.com',
      datasourceFilter: { fields: { Land: ['Österreich', 'Oman'] } },
      anonymous: { group: 'guests' }
    })
  })
  const answer = await post(embedQuery())
  t.equal(answer.statusCode, 200)
  t.equal(answer.payload, JSON.stringify(GRANTED))
  const [call] = bi.calls
  t.equal(
    `${call?.method} ${call?.url} ${call?.headers['content-type']}`,
    'POST /bi/api/site/site1/embed/authorize application/json'
  )
  t.same(objectOf(call), {
    serverurl: `${bi.origin}/bi`,
    siteidentifier: 'site/site1',
    email: 'viewer@example.com',
    embedsecret: SECRET,
    dashboard: { id: DASHBOARD },
    datasourcefilters: [{ name: 'Land', value: ['Österreich', 'Oman'], operator: 'IN' }],
    anonymous: { isenabled: true, groupname: 'guests' }
  })
})

t.test('a query that the object cannot express is signed and sent by POST', async (t) => {
  const { bi, post } = await embedApp(t, { transport: 'object', modes: ['view', 'design'], pinboard: true })
  const more: Array<Record<string, string>> = [
    { embed_dashboard_id: '', embed_dashboard_path: '/Sales' },
    { embed_dashboard_ids: 'a,b' },
    { embed_dashboard_paths: '/a,/b' },
    { embed_dashboardview_id: 'v' },
    { embed_dashboardview_name: 'v' },
    { embed_widget_isenabled: 'true', embed_widget_name: 'w' },
    { embed_widget_list: 'w' },
    { embed_datasource_id: 'd' },
    { pinboard_name: 'p' },
    { isMultiTab: 'true' },
    { layout: '2' },
    { embed_mode: 'design' },
    { embed_expirationtime: '600' },
    { embed_dashboard_id: '' }
  ]
  for (const members of more) {
    t.equal((await post(embedQuery(members))).statusCode, 200)
    const call = bi.calls.at(-1)
    const { signature, expected } = readCall(call)
    t.equal(call?.method, 'POST')
    t.equal(signature, expected, JSON.stringify(members))
  }
  t.notMatch(bi.rawBytes(), SECRET)
  const strict = await embedApp(t, { transport: 'object', maxExpiration: 3_600_000 })
  await strict.post(embedQuery())
  t.equal(readCall(strict.bi.calls[0]).fields.get('embed_expirationtime'), '3600', 'the limit of the validity is kept')
})

t.test('nonce, modes and checks of the identity apply to an object as to a query', async (t) => {
  let identity: EmbedIdentity | null = null
  const { bi, post } = await embedApp(t, { transport: 'object', authorize: () => identity })
  const query = embedQuery()
  t.equal((await post(query)).statusCode, 401)
  identity = { email: 'a&b' }
  t.equal((await post(query)).statusCode, 403)
  t.equal((await post(embedQuery({ embed_mode: 'design' }))).statusCode, 403)
  t.equal(bi.connections(), 0)
  identity = { email: 'viewer@example.com', datasourceFilter: { fields: { Amount: embedFilter.greaterThan(3) } } }
  t.equal((await post(embedQuery())).statusCode, 403, 'an unsupported condition is refused')
  t.equal(bi.connections(), 0)
  identity = { email: 'viewer@example.com' }
  t.equal((await post(query)).statusCode, 200)
  t.equal((await post(query)).statusCode, 409)
  t.equal(bi.calls.length, 1)
})

t.test('a response that contains the secret of an object is 502 in every spelling of the secret', async (t) => {
  const secret = 'a "quoted" secret/with\\escapes'
  const log = logReader()
  const { bi, apiUrl, post, app } = await embedApp(t, { transport: 'object' }, {
    logger: { level: 'trace', stream: log.stream }
  })
  await app.register(embedAuthorize, {
    prefix: '/two',
    servers: [{ apiUrl, embedSecret: secret }],
    authorize: () => ({ email: 'a@b.c' }),
    transport: 'object',
    errors: 'http'
  })
  const escaped = `{"Data":"${
    [...secret].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  }"}`
  for (
    const text of [JSON.stringify({ Message: `not ${secret}` }), JSON.stringify({ Data: [{ [secret]: 1 }] }), escaped]
  ) {
    bi.answer = reply(text)
    const answer = await app.inject({
      method: 'POST',
      url: '/two/authorize',
      payload: { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl }
    })
    t.equal(answer.statusCode, 502)
    t.notMatch(answer.payload, /quoted|escapes/)
  }
  bi.answer = (call, response) => {
    response.writeHead(500).end(call.body)
  }
  t.equal((await post(embedQuery())).statusCode, 502)
  t.notMatch(log.text(), /quoted|8apLL/)
  t.match(log.text(), /repeated the embed secret/)
})

t.test('an address is split at the first /api of its path, so that a site can be named api', async (t) => {
  for (
    const [path, mount, siteidentifier] of [['/bi/api/site/api', '/bi', 'site/api'], ['/api', '', ''], [
      '/apis/api/site/s',
      '/apis',
      'site/s'
    ], ['/api/api', '', 'api']] as const
  ) {
    const { bi } = await embedApp(t)
    const app = Fastify()
    t.teardown(() => app.close())
    const apiUrl = bi.origin + path
    await app.register(embedAuthorize, {
      servers: [{ apiUrl, embedSecret: SECRET }],
      authorize: () => ({ email: 'a@b.c' }),
      transport: 'object'
    })
    t.equal((await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl })).statusCode, 200)
    t.match(objectOf(bi.calls[0]), { serverurl: bi.origin + mount, siteidentifier }, path)
    t.equal(bi.calls[0]?.url, `${path}/embed/authorize`)
  }
  const app = Fastify()
  t.teardown(() => app.close())
  const options: EmbedAuthorizeOptions = {
    servers: [{ apiUrl: 'https://api', embedSecret: SECRET }],
    authorize: () => null,
    transport: 'object'
  }
  await t.rejects(async () => await app.register(embedAuthorize, options), {
    code: 'INVALID_OPTIONS',
    message: /\/api/
  }, 'a host named api has no /api path')
})

t.test('a response that is too deeply nested to be searched for the secret is 502', async (t) => {
  const deep = `{"Data":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`
  const { bi, post } = await embedApp(t, { transport: 'object' })
  bi.answer = reply(deep)
  const answer = await post(embedQuery())
  t.equal(answer.statusCode, 502)
  t.equal(answer.json().error.code, 'UPSTREAM_ERROR')
  const signed = await embedApp(t)
  signed.bi.answer = reply(deep)
  t.equal((await signed.post(embedQuery())).payload, deep, 'a response to a signed query is not searched')
})

t.test("transport: 'object' over plain http to another machine is a warning at the start", async (t) => {
  for (
    const [apiUrl, warned] of [['http://bi.test/bi/api/site/site1', true], ['https://bi.test/bi/api', false], [
      'http://127.0.0.1:1/api/site1',
      false
    ]] as const
  ) {
    const log = logReader()
    const app = Fastify({ logger: { level: 'warn', stream: log.stream } })
    t.teardown(() => app.close())
    const options: EmbedAuthorizeOptions = {
      servers: [{ apiUrl, embedSecret: SECRET }],
      authorize: () => null,
      transport: 'object'
    }
    await app.register(embedAuthorize, options)
    t.equal(log.text().includes('over plain http'), warned, apiUrl)
  }
})
