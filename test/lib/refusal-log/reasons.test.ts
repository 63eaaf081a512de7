import Fastify from 'fastify'
import t from 'tap'

import errorEnvelope from '../../../plugins/error-envelope.js'
import { refuse, refusedOrigin } from '../../../lib/refuse.js'

function logged () {
  const lines: Array<{ msg: string, reason?: string }> = []
  const app = Fastify({
    ajv: { customOptions: { removeAdditional: false } },
    logger: { stream: { write: (line: string) => lines.push(JSON.parse(line) as { msg: string }) } }
  })
  return { app, reasons: () => lines.filter(({ msg }) => msg === 'request refused').map(({ reason }) => reason) }
}

t.test('the log contains the refused origin in one line of at most 200 characters, and the response ' +
  'does not', async (t) => {
  const { app, reasons } = logged()
  t.teardown(() => app.close())
  app.get('/', (request, reply) => refuse(reply, refusedOrigin(request.headers.origin ?? '')))
  for (
    const origin of ['https://evil.test', `https://${'e'.repeat(5_000)}.test`,
      'https://evil.test/\u202e\u0085{"level":60}']
  ) {
    const response = await app.inject({ url: '/', headers: { origin } })
    t.equal(response.statusCode, 403)
    t.equal(response.json<{ error: { code: string } }>().error.code, 'ORIGIN_NOT_ALLOWED')
    t.notMatch(response.body, 'evil')
  }
  const [plain, long = '', marked] = reasons()
  t.equal(plain, 'the origin "https://evil.test" is not allowed')
  t.equal(long.length, 'the origin "" is not allowed'.length + 200)
  t.equal(marked, 'the origin "https://evil.test/ {"level":60}" is not allowed')
})

t.test('the log names an unknown member of a body, and the response does not', async (t) => {
  const { app, reasons } = logged()
  t.teardown(() => app.close())
  await app.register(errorEnvelope)
  app.post('/', {
    schema: { body: { type: 'object', properties: { name: { type: 'string' } }, additionalProperties: false } }
  }, async () => 'ok')
  const response = await app.inject({ method: 'POST', url: '/', payload: { nmae: 'x' } })
  t.equal(response.statusCode, 400)
  t.notMatch(response.body, 'nmae')
  t.same(reasons(), ['"nmae" is unknown'])
})

t.test('the response lists the allowed values of a property', async (t) => {
  const { app } = logged()
  t.teardown(() => app.close())
  await app.register(errorEnvelope)
  app.post('/', {
    schema: { body: { type: 'object', properties: { mode: { enum: ['never', 'always', null] } } } }
  }, async () => 'ok')
  const response = await app.inject({ method: 'POST', url: '/', payload: { mode: 'often' } })
  t.match(response.json(), {
    error: { details: [{ path: '/mode', message: 'must be equal to one of the allowed values: never, always, null' }] }
  })
})
