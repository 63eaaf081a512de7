import Fastify from 'fastify'
import type { InjectOptions } from 'fastify'
import t from 'tap'

import errorEnvelope from '../../plugins/error-envelope.js'
import * as errors from '../../lib/errors.js'

const { GatehouseError, INVALID_OPTIONS, ...wire } = errors

t.test('every error class has its name as its code and a default message that an option replaces', async (t) => {
  for (const [name, make] of Object.entries(wire)) {
    const error = new make()
    t.ok(error instanceof GatehouseError)
    t.equal(error.code, name)
    t.ok(error.statusCode >= 400 && error.statusCode < 600)
    t.ok(error.message.length > 0)
    t.equal(new make({ message: 'Other %s words' }).message, 'Other %s words')
  }
  t.match(new INVALID_OPTIONS('what to do'), { code: 'INVALID_OPTIONS', message: 'what to do' })
})

t.test("the envelope responds to every error of a host with a known code and without the host's message", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(errorEnvelope)
  const body = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } }
  app.post('/body', { schema: { body }, bodyLimit: 50 }, async () => 'ok')
  app.get('/thrown', async () => {
    throw new Error('SELECT secret FROM table')
  })
  app.get('/status/:code', async ({ params }) => {
    throw Object.assign(new Error('text of a library'), { statusCode: Number((params as { code: string }).code) })
  })
  app.get('/string', async () => {
    const thrown: unknown = 'not even an error'
    throw thrown
  })
  app.get('/later', async () => {
    throw new errors.UNAVAILABLE({ retryAfterSeconds: 2.1, reason: 'for the log' })
  })

  const cases: Array<[string, InjectOptions, number, string]> = [
    ['a missing field', { method: 'POST', url: '/body', payload: {} }, 400, 'INVALID_REQUEST'],
    ['broken JSON', { method: 'POST', url: '/body', payload: '{', headers: { 'content-type': 'application/json' } },
      400, 'INVALID_JSON'],
    ['no JSON at all', { method: 'POST', url: '/body', payload: '', headers: { 'content-type': 'application/json' } },
      400, 'INVALID_JSON'],
    ['a poisoned prototype', {
      method: 'POST',
      url: '/body',
      payload: '{"__proto__":{}}',
      headers: { 'content-type': 'application/json' }
    }, 400, 'INVALID_JSON'],
    ['a large body', { method: 'POST', url: '/body', payload: { n: 1, x: 'x'.repeat(99) } }, 413, 'PAYLOAD_TOO_LARGE'],
    ['another media type', { method: 'POST', url: '/body', payload: 'n=1', headers: { 'content-type': 'text/csv' } },
      415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['an unknown path', { url: '/nowhere' }, 404, 'NOT_FOUND'],
    ['a thrown error', { url: '/thrown' }, 500, 'INTERNAL_ERROR'],
    ['a thrown string', { url: '/string' }, 500, 'INTERNAL_ERROR'],
    ["a library's 403", { url: '/status/403' }, 403, 'FORBIDDEN'],
    ["a library's 418", { url: '/status/418' }, 400, 'INVALID_REQUEST'],
    ["a library's 599", { url: '/status/599' }, 500, 'INTERNAL_ERROR']
  ]
  for (const [what, request, status, code] of cases) {
    const reply = await app.inject(request)
    t.equal(reply.statusCode, status, what)
    t.equal(reply.json().error.code, code, what)
    t.notMatch(reply.body, /SELECT|library|not even/, what)
  }
  const missing = await app.inject({ method: 'POST', url: '/body', payload: {} })
  t.match(missing.json().error.details, [{ path: '/n', message: /required/ }])
  const later = await app.inject('/later')
  t.equal(later.headers['retry-after'], '3')
  t.notMatch(later.body, /for the log/)
})
