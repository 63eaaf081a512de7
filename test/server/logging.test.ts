import t from 'tap'
import fastify from 'fastify'

import { loggerOptions, RequestLog } from '../../server/logging.js'
import { demoApp } from '../helpers/server-app.js'
import { logReader } from '../helpers/log-reader.js'
import { rawRequest } from '../helpers/raw-socket.js'

t.test('query values, and properties with the name of a secret, are not logged', async (t) => {
  const log = logReader()
  const app = fastify({ logger: loggerOptions('trace', log.stream), logController: new RequestLog(log.stream) })
  t.teardown(() => app.close())
  app.get('/a', async (request) => {
    const headers = { authorization: 'SECRET-2', 'x-datafly-signature': 'SECRET-3', 'set-cookie': ['SECRET-13'] }
    request.log.info({
      password: 'SECRET-1',
      headers,
      body: { refresh_token: 'SECRET-4' },
      req: { headers: { cookie: 'SECRET-14' } }
    }, 'oops')
    throw Object.assign(new Error('visible'), {
      parameters: ['SECRET-5'],
      detail: 'SECRET-6',
      cause: Object.assign(new Error('cause'), { input: 'SECRET-7' })
    })
  })
  app.setErrorHandler((error, request, reply) => {
    request.log.error({ err: error }, 'failed')
    return reply.code(500).send()
  })
  await app.inject({
    url: '/a?ref=SECRET-8&wk=SECRET-9&SECRET-10',
    headers: { authorization: 'SECRET-11', cookie: 'a=SECRET-12' }
  })
  t.notMatch(log.text(), /SECRET/)
  t.match(log.lines().find(({ msg }) => msg === 'request completed'), {
    req: { method: 'GET', url: '/a?ref=***&wk=***&***', route: '/a' },
    res: { statusCode: 500 }
  })
  t.match(log.lines().find(({ msg }) => msg === 'failed'), { err: { message: 'visible', cause: { message: 'cause' } } })
})

t.test('the password of a request target in absolute form is not logged at any level', async (t) => {
  const { app, log } = await demoApp(t, { LOG_LEVEL: 'trace' })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const targets = ['http://user:SECRET-1@host/healthz', 'http://user:SECRET/2@host/a', '//user:SECRET-3@host/a',
    'http://host/a#SECRET-4', 'http://SECRET-5@host/nowhere?x=SECRET-6@y']
  for (const target of targets) await rawRequest(origin, [`GET ${target} HTTP/1.1`, 'Host: host', 'Connection: close'])
  t.notMatch(log.text(), /SECRET/)
  t.match(log.text(), '"url":"http://***@host/healthz"')
  t.match(log.text(), '"url":"http://***@host/nowhere?x=***"')
})

t.test('each request is one line of JSON, with any input of a client', async (t) => {
  const { app, log } = await demoApp(t)
  const before = log.lines().length
  const nasty = ['/x%0d%0a{"level":60}', '/x?a=%0d%0ainjected', `/${'a'.repeat(10_000)}`, '/\u001b[31mred']
  for (const url of nasty) {
    await app.inject({ url, headers: { 'user-agent': '\u001b[2J{"level":60}', authorization: 'Bearer x\u0009y' } })
  }
  const lines = log.lines().slice(before)
  t.equal(lines.filter(({ msg }) => msg === 'request completed').length, nasty.length)
  t.ok(lines.every(({ level }) => level !== 60))
  t.notMatch(log.text(), '\u001b')
})

t.test('health checks are logged at debug only', async (t) => {
  const { app, log } = await demoApp(t, { LOG_LEVEL: 'info' })
  const before = log.lines().length
  await app.inject('/healthz')
  await app.inject('/readyz')
  t.equal(log.lines().length, before)
})

t.test('the line of a refused request has its id, route, status, milliseconds and code, and another line has the ' +
  'reason', async (t) => {
  const { app, log } = await demoApp(t, { LOG_LEVEL: 'info' })
  const response = await app.inject({
    method: 'POST',
    url: '/v1/t?wk=SECRET',
    headers: { authorization: 'Bearer SECRET', 'content-type': 'application/json' },
    payload: '{}'
  })
  t.equal(response.statusCode, 401)
  await app.inject('/nowhere')
  await app.inject('/v1/admin/sources')
  await app.inject('/')
  const lines = log.lines().filter(({ msg }) => msg === 'request completed')
  t.match(lines, [
    { req: { route: '/v1/t' }, res: { statusCode: 401 }, responseTime: Number, code: 'INVALID_PIPELINE_KEY' },
    { req: { route: undefined }, res: { statusCode: 404 }, code: 'NOT_FOUND' },
    { req: { route: '/v1/admin/sources' }, res: { statusCode: 401 }, code: 'UNAUTHORIZED' },
    { res: { statusCode: 200 }, code: undefined }
  ])
  const refused = log.lines().filter(({ msg }) => msg === 'request refused')
  t.equal(lines[0]?.['reqId'], response.headers['x-request-id'])
  t.equal(refused[0]?.['reqId'], response.headers['x-request-id'])
  t.match(refused, [
    { code: 'INVALID_PIPELINE_KEY', guard: 'pipelineKey', route: '/v1/t', reason: 'malformed or differing keys' },
    { code: 'NOT_FOUND', status: 404 },
    { code: 'UNAUTHORIZED', guard: 'admin', route: '/v1/admin/sources', reason: 'no Authorization header' }
  ])
  t.notMatch(log.text(), 'SECRET')
})

t.test('a flood of requests that the parser refuses is five lines, and one with the count of the others', async (t) => {
  const { app, log } = await demoApp(t, { LOG_LEVEL: 'info' })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  for (let at = 0; at < 50; at++) {
    t.equal((await rawRequest(origin, ['GET / SECRET', 'Host: x'])).statusCode, 400)
  }
  const lines = () => log.lines().filter(({ msg }) => /^request could not be read/.test(String(msg)))
  t.equal(lines().length, 5)
  t.match(lines()[0], { level: 30, code: /^HPE_/, status: 400, reqId: String })
  await app.close()
  t.match(lines()[5], { msg: 'request could not be read; lines left out', omitted: 45 })
  t.notMatch(log.text(), 'SECRET')
})
