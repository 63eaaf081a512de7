import t from 'tap'

import { rawRequest } from '../helpers/raw-socket.js'
import { demoApp } from '../helpers/server-app.js'

const ID = 'x-request-id'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

t.test('every response of the built-in server has an id of its own, and its log line has the same', async (t) => {
  const { app, log, first } = await demoApp(t)
  const responses = [
    await app.inject('/healthz'),
    await app.inject('/nowhere'),
    await app.inject('/%zz'),
    await app.inject('/'),
    await app.inject({ method: 'POST', url: '/v1/t', payload: { event: 5 } }),
    await app.inject({
      method: 'POST',
      url: '/v1/t',
      headers: { authorization: `Bearer ${first.pipelineKey}` },
      payload: { event: 'e', userId: 'u' }
    }),
    await app.inject('/v1/admin/sources'),
    await app.inject('/scim/v2/Users'),
    await app.inject('/v1/admin/auth/sso/oidc/none/callback?state=x&code=y')
  ]
  t.ok(responses.some(({ statusCode }) => statusCode === 200))
  const ids = responses.map(({ headers }) => String(headers[ID]))
  for (const id of ids) t.match(id, UUID)
  t.equal(new Set(ids).size, ids.length)
  const logged = new Set(log.lines().map(({ reqId }) => reqId))
  t.same(ids.filter((id) => !logged.has(id)), [])
})

t.test('an id of a client is not used', async (t) => {
  const { app } = await demoApp(t, { TRUST_PROXY: '10.0.0.1' })
  const response = await app.inject({ url: '/nowhere', remoteAddress: '10.0.0.2', headers: { [ID]: TRACE } })
  t.match(response.headers[ID], UUID)
  t.notMatch(response.headers[ID], TRACE)
  const { app: alone } = await demoApp(t)
  t.match((await alone.inject({ url: '/healthz', headers: { [ID]: TRACE } })).headers[ID], UUID)
})

t.test('an id of a trusted proxy is used if its characters and its length are allowed', async (t) => {
  const { app, log } = await demoApp(t, { TRUST_PROXY: '10.0.0.1' })
  const ask = (id: string) => app.inject({ url: '/nowhere', remoteAddress: '10.0.0.1', headers: { [ID]: id } })
  for (const id of [TRACE, 'Root=1-67891233-abcdef012345678912345678', 'a'.repeat(64)]) {
    t.equal((await ask(id)).headers[ID], id)
  }
  t.ok(log.lines().some(({ reqId, msg }) => reqId === TRACE && msg === 'request completed'))
  for (const id of ['a'.repeat(65), 'a b', '<script>', '', '{"level":60}']) {
    t.match((await ask(id)).headers[ID], UUID, id)
  }
})

t.test('a request that is no HTTP has an id, and the log line has its error without its bytes', async (t) => {
  const { app, log } = await demoApp(t, {}, { listen: true })
  const cases: Array<[string[], number]> = [
    [['HELLO SECRET-1'], 400],
    [['GET /healthz HTTP/1.1', 'Host: a', `X-Big: SECRET-2${'a'.repeat(17_000)}`], 431]
  ]
  for (const [lines, status] of cases) {
    const { statusCode, head, body } = await rawRequest(app.listeningOrigin, lines)
    t.equal(statusCode, status)
    t.equal(JSON.parse(body).error.code, 'INVALID_REQUEST')
    const id = /^x-request-id: (.*)$/im.exec(head)?.[1]
    t.match(id, UUID)
    t.match(log.lines().find(({ reqId }) => reqId === id), {
      msg: 'request could not be read',
      code: /^HPE_/,
      status
    })
  }
  t.notMatch(log.text(), 'SECRET')
})
