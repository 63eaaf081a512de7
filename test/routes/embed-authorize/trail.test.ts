import { randomUUID } from 'node:crypto'

import fc from 'fast-check'
import Fastify from 'fastify'
import t from 'tap'

import { FORBIDDEN } from '../../../lib/errors.js'
import tokenStore, { memoryStore } from '../../../plugins/token-store/index.js'
import userReference from '../../../plugins/user-reference/index.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import type { EmbedIdentity } from '../../../routes/embed-authorize/index.js'
import { backend } from '../../helpers/backend.js'
import { DASHBOARD, GRANTED, SECRET, embedApp, embedQuery, injectJson, readCall } from '../../helpers/embed.js'
import { logReader } from '../../helpers/log-reader.js'
import { cut, hang, reply, stubUpstream } from '../../helpers/stub-upstream.js'

function textOf (value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

t.test('no response or log line contains the secret or a signature, also when a request fails', async (t) => {
  const log = logReader()
  let identity: EmbedIdentity | null = { email: 'viewer@example.com' }
  const { bi, post, app } = await embedApp(t, { retries: 0, timeout: 200, authorize: () => identity }, {
    logger: { level: 'trace', stream: log.stream }
  })
  const replies: string[] = []
  const send = async (...args: Parameters<typeof post>) => {
    const { headers, payload } = await post(...args)
    replies.push(textOf(headers), payload)
  }
  const used = embedQuery()
  for (const query of [used, used, 'x', embedQuery({ embed_mode: 'design' }), `${used}&embed_signature=${SECRET}`]) {
    await send(query)
  }
  await send(embedQuery(), { dashboardServerApiUrl: `https://${SECRET}@bi.test` })
  await send(embedQuery(), { embedQuerString: 5 })
  for (
    const answer of [reply(SECRET), reply({ Message: SECRET }, 500),
      reply('', 302, { location: `https://${SECRET}.test` }), cut, hang]
  ) {
    bi.answer = answer
    await send(embedQuery())
  }
  bi.answer = (call, response) => {
    response.writeHead(500).end(`you sent ${call.url} with ${textOf(call.rawHeaders)}`)
  }
  await send(embedQuery())
  identity = { email: `a&${SECRET}@b.c` }
  await send(embedQuery())
  identity = null
  await send(embedQuery())
  await app.inject({
    method: 'POST',
    url: '/authorize',
    payload: `{"${SECRET}`,
    headers: { 'content-type': 'application/json' }
  })

  const signatures = bi.calls.map((call) => readCall(call).signature)
  t.ok(signatures.length >= 6)
  t.ok(log.text().includes('the Bold BI server responded with status 500'), 'the log contains the cause')
  for (const secret of [SECRET, ...signatures, ...signatures.map(encodeURIComponent)]) {
    t.notOk(replies.join('\n').includes(secret))
    t.notOk(log.text().includes(secret))
  }
})

t.test('each granted or refused embed is audited with outcome and, if known, user, dashboard and server', async (t) => {
  const { store } = await backend(t)
  const bi = await stubUpstream(t, reply(GRANTED))
  const app = Fastify({ trustProxy: true })
  await app.register(tokenStore, { store })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: bi.origin, embedSecret: SECRET }],
    retries: 0,
    cors: { origins: ['https://app.example.com'] },
    authorize (_request, { dashboardId }) {
      if (dashboardId === 'secret-plans') throw new FORBIDDEN()
      return dashboardId === 'nobody' ? null : { email: 'viewer@example.com' }
    }
  })
  // Each request has its own address, because repeated refusals of one address are one entry.
  let address = 0
  const headers = () => ({ 'user-agent': 'page', 'x-forwarded-for': `192.0.2.${++address}` })
  const send = (members: Record<string, string>, dashboardServerApiUrl = bi.origin) =>
    injectJson(app, { embedQuerString: embedQuery(members), dashboardServerApiUrl }, headers())
  await send({})
  bi.answer = reply({ ApiStatus: false, Status: false, Message: 'unknown user' })
  await send({ embed_dashboard_id: 'gone' })
  bi.answer = reply('', 500)
  await send({ embed_dashboard_id: 'down' })
  await send({ embed_dashboard_id: 'secret-plans' })
  await send({ embed_dashboard_id: 'nobody' })
  await send({ embed_dashboard_id: 'd', embed_mode: 'design' })
  await send({ embed_nonce: '1' })
  await send({}, 'https://evil.test/')
  await app.inject({
    method: 'POST',
    url: '/authorize',
    payload: 'x',
    headers: { 'content-type': 'text/plain', ...headers() }
  })
  await app.inject({
    method: 'OPTIONS',
    url: '/authorize',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' }
  })
  await app.close()

  const { data } = await store.audit.list('default', {}, { limit: 100 })
  const rows = data.map(({ action, userEmail, resourceType, resourceId, changes, ipAddress, userAgent }) => {
    t.same([resourceType, userAgent], ['dashboard', 'page'])
    t.equal(changes?.server, ipAddress === '192.0.2.8' || ipAddress === '192.0.2.9' ? undefined : bi.origin)
    return [action, userEmail, resourceId, changes?.outcome, changes?.grantedByServer ?? '-'].map(String).join(' | ')
  })
  t.same(rows.reverse(), [
    `embed.authorized | viewer@example.com | ${DASHBOARD} | granted | true`,
    'embed.refused | viewer@example.com | gone | FORBIDDEN | false',
    'embed.refused | viewer@example.com | down | UPSTREAM_ERROR | -',
    'embed.refused | null | null | FORBIDDEN | -',
    'embed.refused | null | null | UNAUTHORIZED | -',
    'embed.refused | null | null | FORBIDDEN | -',
    'embed.refused | null | null | INVALID_REQUEST | -',
    'embed.refused | null | null | FORBIDDEN | -',
    'embed.refused | null | null | UNSUPPORTED_MEDIA_TYPE | -'
  ])
  t.notMatch(JSON.stringify(data), /embed_|signature|8apLL|secret-plans|nobody|design|evil/)
})

t.test('the audit log finds a user by the name from authorize, else by the user reference, else by the ' +
  'email', async (t) => {
  const keys = ['0123456789abcdefghijklmnopqrstuvwxyz']
  const bi = await stubUpstream(t, reply(GRANTED))
  const store = memoryStore()
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store })
  await app.register(userReference, { keys })
  let grant: EmbedIdentity = { email: 'ann@example.com' }
  await app.register(embedAuthorize, { servers: [{ apiUrl: bi.origin, embedSecret: SECRET }], authorize: () => grant })
  const send = (headers = {}) =>
    injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: bi.origin }, headers)
  const reference = { 'x-user-reference': app.userReference.sign({ sub: 'ref-ann' }) }
  await send()
  await send(reference)
  grant = { username: 'ann' }
  await send(reference)
  await app.close()
  for (
    const [userId, userEmail] of [['ann@example.com', 'ann@example.com'], ['ref-ann', 'ann@example.com'], ['ann',
      null]] as const
  ) {
    const { data } = await store.audit.list('default', { userId }, { limit: 10 })
    t.match(data, [{ action: 'embed.authorized', userId, userEmail }], userId)
    t.equal(data.length, 1)
  }
})

t.test('no generated body, query or address causes a 5xx', async (t) => {
  const { app, apiUrl, bi } = await embedApp(t)
  const pair = fc.tuple(
    fc.oneof(
      fc.constantFrom(
        'embed_nonce',
        'embed_mode',
        'embed_timestamp',
        'embed_expirationtime',
        'embed_dashboard_id',
        'embed_user_email',
        'layout',
        '__proto__'
      ),
      fc.string()
    ),
    fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text)),
      fc.integer().map(String),
      fc.uuid(),
      fc.constantFrom('view', 'design')
    )
  )
  const query = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(pair, { maxLength: 8 }).map((pairs) => pairs.map(([key, value]) => `${key}=${value}`).join('&')),
    fc.array(pair, { maxLength: 3 }).map((pairs) =>
      embedQuery({ embed_nonce: randomUUID(), ...Object.fromEntries(pairs) })
    )
  )
  const address = fc.oneof({ weight: 4, arbitrary: fc.constant(apiUrl) }, { weight: 1, arbitrary: fc.webUrl() }, {
    weight: 1,
    arbitrary: fc.string()
  })
  const body = fc.oneof(
    fc.json().map((text) => JSON.parse(text) as unknown),
    fc.record({ embedQuerString: query, dashboardServerApiUrl: address }),
    fc.record({ embedQuerString: fc.anything(), embedQueryString: query, dashboardServerApiUrl: fc.constant(apiUrl) }, {
      requiredKeys: []
    })
  )
  const statuses = new Set<number>()
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const text = JSON.stringify(value, (_key, inner: unknown) => typeof inner === 'bigint' ? String(inner) : inner) ??
        ''
      const answer = await app.inject({
        method: 'POST',
        url: '/authorize',
        payload: text,
        headers: { 'content-type': 'application/json' }
      })
      statuses.add(answer.statusCode)
      if (answer.statusCode === 200) return
      const { error } = answer.json<{ error: { code: string, message: string } }>()
      if (answer.statusCode >= 500 || !/^[A-Z_]+$/.test(error.code)) {
        throw new Error(`${answer.statusCode} ${answer.payload}`)
      }
    }),
    { numRuns: 1_500 }
  )
  t.ok(statuses.has(200) && statuses.has(400) && statuses.has(403), [...statuses].join(' '))
  for (const call of bi.calls) {
    const { signature, expected, fields } = readCall(call)
    if (signature !== expected || fields.get('embed_user_email') !== 'viewer@example.com') t.fail(call.url)
  }
  t.equal(
    (await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl })).statusCode,
    200,
    'the next valid request succeeds'
  )
})
