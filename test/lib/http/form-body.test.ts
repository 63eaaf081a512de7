import Fastify from 'fastify'
import t from 'tap'

import { useFormBody } from '../../../lib/http/form-body.js'

async function formApp (bodyLimit = 1_000) {
  const app = Fastify({ bodyLimit })
  useFormBody(app)
  app.post('/', async ({ body }) => body)
  return app
}
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

t.test('a form is an object of its fields', async (t) => {
  const app = await formApp()
  const { body } = await app.inject({ method: 'POST', url: '/', headers: FORM, payload: 'a=1+2%20%C3%BC&b=&__proto__=x' })
  t.equal(body, '{"a":"1 2 ü","b":"","__proto__":"x"}')
})

t.test('a repeated field, another media type, a content encoding and a large body are refused', async (t) => {
  const app = await formApp()
  for (const [status, headers, payload] of [
    [400, FORM, 'a=1&a=1'],
    [415, { 'content-type': 'application/json' }, '{}'],
    [415, { 'content-type': 'text/plain' }, 'a=1'],
    [415, { ...FORM, 'content-encoding': 'gzip' }, 'a=1'],
    [413, FORM, `a=${'x'.repeat(1_000)}`]
  ] as const) {
    const response = await app.inject({ method: 'POST', url: '/', headers, payload })
    t.equal(response.statusCode, status, payload.slice(0, 20))
  }
})
