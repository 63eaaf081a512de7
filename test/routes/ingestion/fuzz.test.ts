import fc from 'fast-check'
import t from 'tap'

import { gateway } from '../../helpers/gateway.js'
import { SHOP } from '../../helpers/source.js'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('track', 'page', '', '_dfid', '2024-01-01', 'null')
)
const field = fc.constantFrom(
  'type',
  'event',
  'name',
  'userId',
  'anonymousId',
  'messageId',
  'timestamp',
  'properties',
  'traits',
  'context',
  'batch',
  'writeKey',
  'ip',
  'page',
  'url',
  'x'
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(field, tie('any'), { maxKeys: 6 })
  )
})).any
const body = fc.oneof(
  value.map((json) => JSON.stringify(json)),
  text,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
)
const headerValue = fc.oneof(
  fc.stringMatching(/^[!-~]{0,40}$/),
  fc.constantFrom(
    'application/json',
    'text/plain',
    'gzip',
    'identity',
    SHOP,
    'null',
    'Bearer',
    `sha256=${'0'.repeat(64)}`
  )
)
const header = fc.constantFrom(
  'content-type',
  'content-encoding',
  'origin',
  'authorization',
  'cookie',
  'x-signature',
  'x-timestamp',
  'x-datafly-signature',
  'user-agent',
  'access-control-request-method',
  'x-forwarded-for'
)
const OWN = ['/v1/t', '/v1/events', '/v1/batch', '/v1/identify']
const request = fc.record({
  method: fc.constantFrom('POST', 'POST', 'POST', 'OPTIONS', 'GET', 'PUT', 'DELETE', 'HEAD'),
  path: fc.constantFrom(...OWN, '/v1/T', '/v1/t/', '/v1//t', '/v1/%74'),
  query: fc.oneof(fc.constant(''), text.map((wk) => `?wk=${encodeURIComponent(Buffer.from(wk).toString())}`)),
  headers: fc.dictionary(header, headerValue, { maxKeys: 5 }),
  payload: body,
  withKey: fc.boolean()
})

t.test('3 000 generated requests cause no 5xx, and every refusal is in the error envelope', async (t) => {
  const { app, key, post } = await gateway(t, { server: { trustProxy: true } })
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, headers, payload, withKey }) => {
      const response = await app.inject({
        method: method as 'POST',
        url: path + query,
        payload,
        headers: {
          'content-type': 'application/json',
          ...(withKey ? { authorization: `Bearer ${key}` } : {}),
          ...headers
        }
      })
      if (response.statusCode >= 500) throw new Error(`${response.statusCode} ${response.body}`)
      // The host responds to requests that match no ingestion route.
      const own = OWN.includes(path) && (method === 'POST' || method === 'OPTIONS')
      if (own && response.statusCode >= 400 && !/^\{"error":\{"code":"[A-Z_]+","message":"/.test(response.body)) {
        throw new Error(response.body)
      }
    }),
    { numRuns: 3_000 }
  )
  t.equal((await post('/v1/t', { event: 'e' })).statusCode, 200)
})
