import { brotliCompressSync } from 'node:zlib'

import t from 'tap'

import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { liveGateway } from '../../helpers/live-gateway.js'
import { SHOP, makeSource } from '../../helpers/source.js'

const noHeader = { authorization: [] }
const large = { properties: { blob: 'x'.repeat(70_000) } }

t.test('an invalid body with a valid key is refused with the error of the body', async (t) => {
  const { post, key, stored } = await gateway(t)
  const cases: Array<
    [name: string, status: number, code: string, url: string, body: unknown, headers?: Record<string, string>]
  > = [
    ['an event of 70 KB', 413, 'PAYLOAD_TOO_LARGE', '/v1/t', { event: 'E', writeKey: key, ...large }],
    ['a body of 600 KB', 413, 'PAYLOAD_TOO_LARGE', '/v1/t', { event: 'E', writeKey: key, blob: 'x'.repeat(600_000) }],
    ['a batch of 6 MB', 400, 'INVALID_REQUEST', '/v1/batch', {
      writeKey: key,
      batch: [{ type: 'page' }],
      blob: 'x'.repeat(6_000_000)
    }],
    ['an extra comma', 400, 'INVALID_JSON', '/v1/t', `{"event":"E","writeKey":"${key}",}`],
    ['a truncated body', 400, 'INVALID_JSON', '/v1/batch', `{"writeKey" : "${key}","batch":[{"type":"page"}`],
    ['too deep', 400, 'INVALID_REQUEST', '/v1/t',
      `{"event":"E","writeKey":"${key}","x":${'['.repeat(70)}${']'.repeat(70)}}`],
    ['__proto__', 400, 'INVALID_REQUEST', '/v1/t', `{"event":"E","writeKey":"${key}","__proto__":{}}`],
    ['brotli', 415, 'UNSUPPORTED_MEDIA_TYPE', '/v1/t',
      brotliCompressSync(JSON.stringify({ event: 'E', writeKey: key })), { 'content-encoding': 'br' }],
    ['another media type', 415, 'UNSUPPORTED_MEDIA_TYPE', '/v1/t', { event: 'E', writeKey: key }, {
      'content-type': 'text/html'
    }],
    ['another charset', 415, 'UNSUPPORTED_MEDIA_TYPE', '/v1/t', { event: 'E', writeKey: key }, {
      'content-type': 'application/json; charset=utf-16'
    }]
  ]
  for (const [name, status, code, url, body, headers] of cases) {
    const response = await post(url, body, { ...noHeader, ...headers })
    t.equal(response.statusCode, status, name)
    t.equal(codeOf(response), code, name)
  }
  t.equal((await stored()).length, 0)
})

t.test('the key, the origin and the signature rule of an invalid body are checked too', async (t) => {
  const { post, key, store } = await gateway(t)
  const disabled = await makeSource(store, { enabled: false })
  const strict = await makeSource(store, { requireSignature: 'always' })
  for (const writeKey of [generatePipelineKey('live'), disabled.key]) {
    const notUtf8 = Buffer.from(`{"writeKey":"${writeKey}","x":"\xff"}`, 'latin1')
    for (const body of [{ event: 'E', writeKey, ...large }, `{"writeKey":"${writeKey}",}`, notUtf8]) {
      t.equal(codeOf(await post('/v1/t', body, noHeader)), 'INVALID_PIPELINE_KEY')
    }
  }
  t.equal(
    codeOf(await post('/v1/t', `{"writeKey":"${key}",}`, { ...noHeader, origin: 'https://evil.test' })),
    'ORIGIN_NOT_ALLOWED'
  )
  t.equal(codeOf(await post('/v1/t', `{"writeKey":"${strict.key}",}`, noHeader)), 'SIGNATURE_REQUIRED')
  const page = await post('/v1/t', `{"writeKey":"${key}",}`, { ...noHeader, origin: SHOP })
  t.equal(codeOf(page), 'INVALID_JSON')
  t.equal(page.headers['access-control-allow-origin'], SHOP)
})

t.test('the live view of the source shows refusals of invalid bodies', async (t) => {
  const { watch, send, source, origin } = await liveGateway(t)
  const { key, source: { id } } = await source()
  const stream = await watch('?outcome=refused')
  const post = (path: string, body: unknown) =>
    fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body)
    })
  await post('/v1/t', { event: 'E', writeKey: key, ...large })
  t.match((await stream.until('refused')).data, { status: 413, code: 'PAYLOAD_TOO_LARGE', sourceId: id, type: 'track' })
  await post('/v1/p', `{"writeKey":"${key}",}`)
  t.match((await stream.until('refused', (data) => data['status'] === 400)).data, {
    code: 'INVALID_JSON',
    sourceId: id,
    type: 'page'
  })
  const latin1 = Buffer.from(`{"writeKey":"${key}","name":"M\xfcller"}`, 'latin1')
  await fetch(`${origin}/v1/i`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: latin1 })
  const notUtf8 = await stream.until('refused', (data) => data['type'] === 'identify')
  t.match(notUtf8.data, { status: 400, code: 'INVALID_JSON', sourceId: id })
  await send({ key } as never, '/v1/batch', { batch: [{ type: 'page', writeKey: 'another' }] })
  t.match((await stream.until('refused', (data) => data['status'] === 401)).data, {
    code: 'INVALID_PIPELINE_KEY',
    sourceId: id,
    index: 0
  })
  t.notMatch(stream.text(), key)
})
