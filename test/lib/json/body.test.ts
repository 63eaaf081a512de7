import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { useEnvelope } from '../../../lib/http/envelope.js'
import { useJsonBody } from '../../../lib/json/body.js'

const SUITE = fileURLToPath(new URL('../../vectors/json/JSONTestSuite/test_parsing/', import.meta.url))

function echo (t: Test) {
  const app = Fastify()
  t.teardown(() => app.close())
  useEnvelope(app)
  useJsonBody(app)
  app.post('/x', async (request) => ({ got: request.body }))
  return (payload: string | Buffer, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    app.inject({ method: 'POST', url: '/x', payload, headers })
}

t.test('bytes that are not JSON or not UTF-8 are 400, and the next valid body is parsed', async (t) => {
  const post = echo(t)
  for (const name of readdirSync(SUITE)) {
    const file = readFileSync(join(SUITE, name))
    const body = Buffer.concat([Buffer.from('{"x":'), file, Buffer.from('}')])
    const { statusCode, payload } = await post(body)
    if (name.startsWith('y_')) t.equal(statusCode, 200, name)
    else if (name.startsWith('n_')) t.match(payload, /INVALID_JSON/, name)
    else t.ok(statusCode < 500, name)
  }
  t.same((await post('{"ü":"é"}')).json(), { got: { ü: 'é' } })
})

t.test('a body with the key __proto__ is 400', async (t) => {
  const post = echo(t)
  for (
    const body of ['{"__proto__":{"a":1}}', '{"x":{"\\u005f_proto__":1}}', '{"constructor":{"prototype":{"a":1}}}']
  ) {
    const reply = await post(body)
    t.equal(reply.statusCode, 400)
    t.equal(reply.json().error.code, 'INVALID_JSON')
  }
})

t.test('another media type, charset or content encoding is 415, in any spelling', async (t) => {
  const post = echo(t)
  const refused: Array<Record<string, string>> = [
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/xml' },
    { 'content-type': 'application/jsonp' },
    { 'content-type': 'text/plain, application/json' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'application/json; charset="UTF-16LE"' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    {}
  ]
  for (const headers of refused) {
    const reply = await post('{}', headers)
    t.equal(reply.statusCode, 415, JSON.stringify(headers))
    t.equal(reply.json().error.code, 'UNSUPPORTED_MEDIA_TYPE')
  }
  for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset="UTF-8"']) {
    t.equal((await post('{}', { 'content-type': type })).statusCode, 200, type)
  }
})

t.test('a property of the route schema that occurs twice is 400, at each level and in each spelling ' +
  'of its key', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  useEnvelope(app)
  useJsonBody(app)
  const inner = { type: 'object', properties: { b: {} } }
  app.post(
    '/x',
    { schema: { body: { type: 'object', properties: { a: {}, inner } } } },
    async ({ body }) => ({ got: body })
  )
  const post = (payload: string) =>
    app.inject({ method: 'POST', url: '/x', payload, headers: { 'content-type': 'application/json' } })
  for (
    const [path, body] of [
      ['/a', '{"a":1,"a":1}'],
      ['/a', '{"a":{},"x":[1,2],"\\u0061":[]}'],
      ['/inner', '{"inner":{},"inner":{}}'],
      ['/inner/b', '{"a":1,"inner":{"b":1,"\\u0062":2}}']
    ] as const
  ) {
    const reply = await post(body)
    t.equal(reply.statusCode, 400, body)
    t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path, message: 'must not occur twice' }] })
  }
  for (const body of ['{"x":1,"x":2}', '{"inner":{"a":1,"a":2}}', '{"x":{"a":1,"a":2}}', '{"a":"\\"a\\":"}']) {
    t.equal((await post(body)).statusCode, 200, body)
  }
})

t.test('more than 64 levels or 1 000 members and elements are 400', async (t) => {
  const post = echo(t)
  const wide = (count: number) => `{${Array.from({ length: count }, (_none, at) => `"k${at}":1`).join(',')}}`
  for (const body of [wide(1_000), `[${'1,'.repeat(998)}1]`, '['.repeat(64) + ']'.repeat(64)]) {
    t.equal((await post(body)).statusCode, 200)
  }
  for (
    const body of [wide(1_001), `[${'1,'.repeat(1_000)}1]`, `{"a":${wide(1_000)}}`, '['.repeat(65) + ']'.repeat(65),
      '{"a":'.repeat(65) + '1' + '}'.repeat(65)]
  ) {
    const reply = await post(body)
    t.equal(reply.statusCode, 400, body.slice(0, 100))
    t.equal(reply.json().error.code, 'INVALID_JSON')
  }
})
