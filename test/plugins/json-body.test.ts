import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { useEnvelope } from '../../plugins/error-envelope.js'
import { useJsonBody } from '../../plugins/json-body.js'

const SUITE = fileURLToPath(new URL('../vectors/json/JSONTestSuite/test_parsing/', import.meta.url))

function echo (t: Test) {
  const app = Fastify()
  t.teardown(() => app.close())
  useEnvelope(app)
  useJsonBody(app)
  app.post('/x', async (request) => ({ got: request.body }))
  return (payload: string | Buffer, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    app.inject({ method: 'POST', url: '/x', payload, headers })
}

t.test('J01: bytes that are no JSON or no UTF-8 are 400, and the next good body still parses', async (t) => {
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

t.test('J05: a body that names __proto__ is 400', async (t) => {
  const post = echo(t)
  for (const body of ['{"__proto__":{"a":1}}', '{"x":{"\\u005f_proto__":1}}', '{"constructor":{"prototype":{"a":1}}}']) {
    const reply = await post(body)
    t.equal(reply.statusCode, 400)
    t.equal(reply.json().error.code, 'INVALID_JSON')
  }
})

t.test('J10 J11: another media type, charset or content encoding is 415, however it is spelt', async (t) => {
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
