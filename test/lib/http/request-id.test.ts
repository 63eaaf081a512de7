import Fastify from 'fastify'
import t from 'tap'

import errorEnvelope from '../../../plugins/error-envelope.js'
import proxyKey from '../../../plugins/proxy-key.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { logReader } from '../../helpers/log-reader.js'
import { SHOP } from '../../helpers/source.js'

const ID = 'x-request-id'

t.test('the refusal of a guard on a route of the host has the id of its log line', async (t) => {
  const log = logReader()
  const app = Fastify({ logger: { stream: log.stream } })
  t.teardown(() => app.close())
  await app.register(proxyKey, { keys: [generateSecret()] })
  app.get('/', { config: { gatehouse: { proxyKey: true } } }, async () => 'ok')
  app.get('/open', async () => 'ok')
  const response = await app.inject('/')
  t.equal(response.statusCode, 401)
  t.equal(response.headers[ID], 'req-1')
  t.match(log.lines().find(({ msg }) => msg === 'request refused'), { reqId: 'req-1' })
  t.equal((await app.inject('/open')).headers[ID], undefined, 'responses of the host are unchanged')
})

t.test('every error of the ingestion routes has an id that pages may read', async (t) => {
  const { app, post } = await gateway(t)
  const failures = [
    await post('/v1/t', { event: 5 }),
    await post('/v1/t', '{'),
    await post('/v1/t', { event: 'e' }, { authorization: 'Bearer dk_unknown' }),
    await post('/v1/t', 'x', { 'content-type': 'image/png' }),
    await post('/v1/t', `{"event":"${'e'.repeat(600_000)}"}`),
    await app.inject({ method: 'OPTIONS', url: '/v1/t', headers: { origin: 'https://unknown.example' } })
  ]
  t.same(failures.map(({ statusCode }) => statusCode), [400, 400, 401, 415, 413, 400])
  const ids = failures.map(({ headers }) => headers[ID])
  t.equal(new Set(ids).size, failures.length)
  for (const id of ids) t.match(id, /^req-\w+$/)
  const page = await post('/v1/t', { event: 5 }, { origin: SHOP })
  t.equal(codeOf(page), 'INVALID_REQUEST')
  t.match(page.headers['access-control-expose-headers'], /x-request-id/)
})

t.test('an id that is no header value, or too long, is not sent', async (t) => {
  const ids = ['a\nb', 'caf\u00e9', 'a b', '', 'a'.repeat(129), 'a'.repeat(128)]
  let next = 0
  const app = Fastify({ genReqId: () => ids[next++] ?? '' })
  t.teardown(() => app.close())
  await app.register(errorEnvelope)
  const sent = []
  for (let at = 0; at < ids.length; at++) {
    const response = await app.inject('/nowhere')
    t.equal(response.statusCode, 404)
    sent.push(response.headers[ID])
  }
  t.same(sent, [undefined, undefined, undefined, undefined, undefined, 'a'.repeat(128)])
})

t.test('an id that the host has set stays', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', async (_request, reply) => { reply.header('X-Request-Id', 'of-the-host') })
  await app.register(errorEnvelope)
  t.equal((await app.inject('/nowhere')).headers[ID], 'of-the-host')
})
