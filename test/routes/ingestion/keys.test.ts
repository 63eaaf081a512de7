import t from 'tap'

import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { logReader } from '../../helpers/log-reader.js'
import { makeSource, SHOP } from '../../helpers/source.js'

const noHeader = { authorization: [] as string[] }

t.test('writeKey in an unsigned body is accepted as the key and is not stored', async (t) => {
  const { post, accepted, key, app } = await gateway(t)
  const before = `{"event":"e","n":1.0, "writeKey" : "${key}","m":{"writeKey":"kept"}}`
  t.equal((await post('/v1/t', before, noHeader)).statusCode, 200)
  t.equal((await post('/v1/t', { event: 'e', writeKey: key })).statusCode, 200, 'with the same key in the header')
  t.equal(
    (await app.inject({
      method: 'POST',
      url: `/v1/t?wk=${key}`,
      headers: { 'content-type': 'text/plain' },
      payload: `{"event":"e","writeKey":"${key}"}`
    })).statusCode,
    200
  )
  t.equal(
    (await post(
      '/v1/batch',
      { writeKey: key, batch: [{ type: 'page' }, { type: 'page', writeKey: key, name: 'n' }] },
      noHeader
    )).body,
    '{"success":true,"accepted":2}'
  )
  const payloads = (await accepted()).map(({ payload }) => payload)
  t.same(payloads, ['{"event":"e","n":1.0,"m":{"writeKey":"kept"}}', '{"event":"e"}', '{"event":"e"}',
    '{"type":"page"}', '{"type":"page","name":"n"}'])
  t.notMatch(JSON.stringify(await accepted()), key)
})

t.test('a key in the body that differs, is malformed or unknown is 401, like a missing key', async (t) => {
  const { post, signed, key, store, stored } = await gateway(t)
  const other = await makeSource(store)
  const disabled = await makeSource(store, { enabled: false })
  for (const writeKey of [other.key, '', 1, {}, [key], key.toUpperCase(), generatePipelineKey('live'), disabled.key]) {
    for (
      const response of [
        await post('/v1/t', { event: 'e', writeKey }),
        await post('/v1/batch', { batch: [{ type: 'page' }], writeKey }),
        await signed('/v1/t', { event: 'e', userId: 'u', writeKey })
      ]
    ) {
      t.equal(response.statusCode, 401, JSON.stringify(writeKey))
      t.equal(codeOf(response), 'INVALID_PIPELINE_KEY')
    }
    if (writeKey !== other.key) {
      t.equal(codeOf(await post('/v1/t', { event: 'e', writeKey }, noHeader)), 'INVALID_PIPELINE_KEY')
    }
  }
  for (
    const body of [{ event: 'e' }, '[]', '1', { event: 'e', writeKey: null }, {
      event: 'e',
      properties: { pad: 'x'.repeat(70_000) }
    }]
  ) {
    const response = await post('/v1/t', body, noHeader)
    t.equal(response.statusCode, 401)
    t.equal(codeOf(response), 'INVALID_PIPELINE_KEY')
  }
  t.equal((await stored()).length, 0)
})

t.test('a key in the body of a signed request is not accepted as the key', async (t) => {
  const { signed, key } = await gateway(t)
  const response = await signed('/v1/t', { event: 'e', userId: 'u', writeKey: key }, noHeader)
  t.equal(response.statusCode, 401)
  t.equal(codeOf(response), 'INVALID_PIPELINE_KEY')
})

t.test('origins and signature rule of the source apply to a key in the body', async (t) => {
  const { post, key, store, stored } = await gateway(t)
  const strict = await makeSource(store, { requireSignature: 'always' })
  const server = await makeSource(store, { requireSignature: 'without_origin' })
  t.equal(
    codeOf(await post('/v1/t', { event: 'e', writeKey: key }, { ...noHeader, origin: 'https://evil.test' })),
    'ORIGIN_NOT_ALLOWED'
  )
  t.equal(codeOf(await post('/v1/t', { event: 'e', writeKey: strict.key }, noHeader)), 'SIGNATURE_REQUIRED')
  t.equal(codeOf(await post('/v1/t', { event: 'e', writeKey: server.key }, noHeader)), 'SIGNATURE_REQUIRED')
  t.equal((await stored()).length, 0)
  const page = await post('/v1/t', { event: 'e', writeKey: server.key }, { ...noHeader, origin: SHOP })
  t.equal(page.statusCode, 200)
  t.equal(page.headers['access-control-allow-origin'], SHOP)
})

t.test('events of a test source have the environment test', async (t) => {
  const { post, stored, key, store } = await gateway(t)
  const test = await makeSource(store, { environment: 'test' })
  t.match(test.key, /^dk_test_/)
  await post('/v1/t', { event: 'live', environment: 'test' })
  await post('/v1/t', { event: 'test', environment: 'live' }, { authorization: `Bearer ${test.key}` })
  t.match(await stored(), [{ event: 'live', environment: 'live' }, {
    event: 'test',
    environment: 'test',
    sourceId: test.source.id
  }])
  t.ok(key)
})

t.test('no key, secret, signature or body is in the log, at trace level', async (t) => {
  const log = logReader()
  const { app, post, signed, key, secret, store } = await gateway(t, {
    server: { logger: { level: 'trace', stream: log.stream } }
  })
  const marker = 'c0nfidential-text'
  const body = { event: marker, userId: 'u', writeKey: key }
  await app.inject({ method: 'POST', url: `/v1/t?wk=${key}&x=${marker}`, payload: body })
  await app.inject({ method: 'POST', url: `/v1/t?${key}`, payload: body })
  await app.inject({ method: 'OPTIONS', url: `/v1/t?wk=${key}`, headers: { origin: SHOP } })
  await app.inject({ method: 'POST', url: `/v1/t?wk=${key}&wk=${key}`, payload: body })
  await signed('/v1/t', body)
  await post('/v1/t', `{"event":"${marker}`)
  await post('/v1/t', body, { origin: 'https://evil.test' })
  await post('/v1/t', body, { 'x-datafly-signature': `sha256=${'ab'.repeat(32)}` })
  await post('/v1/t', { event: 1, userId: marker })
  Object.defineProperty(store.sources, 'resolve', {
    value: async () => {
      throw new Error('database away')
    }
  })
  await post('/v1/t', body)
  t.ok(log.lines().length > 20)
  t.match(log.text(), '/v1/t?wk=***')
  for (const text of [key, secret, marker, 'ab'.repeat(32)]) t.notMatch(log.text(), text)
})
