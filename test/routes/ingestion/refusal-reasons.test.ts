import { gzipSync } from 'node:zlib'

import type { InjectOptions } from 'fastify'
import t from 'tap'

import { signTimestampedBody } from '../../../signing/datafly/body-signature.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import type { Gateway } from '../../helpers/gateway.js'
import { logReader } from '../../helpers/log-reader.js'
import { makeSource, SHOP } from '../../helpers/source.js'

const EVENT = { event: 'x', userId: 'SECRET' }
const JSON_TYPE = { 'content-type': 'application/json' }

interface Refusal {
  request: InjectOptions
  code: string
  /** Properties of the line in addition to the code, status and route. */
  line: Record<string, unknown>
}

interface Keys { closed: string, locked: string, timed: string, timedSecret: string }

function refusals ({ key, source, secret }: Gateway, { closed, locked, timed, timedSecret }: Keys): Refusal[] {
  const bearer = { authorization: `Bearer ${key}`, ...JSON_TYPE }
  const known = { sourceId: source.id, reason: undefined, details: undefined }
  const guard = 'pipelineKey'
  const url = '/v1/t'
  const post = { method: 'POST', url, headers: bearer, payload: EVENT } as const
  const body = JSON.stringify(EVENT)
  const stale = String(Date.now() - 3_600_000)
  const timestamped = signTimestampedBody(timedSecret, stale, body)

  return [
    // The key.
    { request: { ...post, headers: JSON_TYPE }, code: 'INVALID_PIPELINE_KEY', line: { guard, reason: /^no key in/ } },
    {
      request: { ...post, headers: { ...JSON_TYPE, authorization: 'Bearer SECRET' } },
      code: 'INVALID_PIPELINE_KEY',
      line: { guard, reason: 'malformed or differing keys' }
    },
    {
      request: { ...post, headers: { ...JSON_TYPE, authorization: 'Bearer dk_live_SECRET' } },
      code: 'INVALID_PIPELINE_KEY',
      line: { guard, reason: 'unknown, ended or disabled key' }
    },
    {
      request: { ...post, headers: { ...JSON_TYPE, authorization: `Bearer ${closed}` } },
      code: 'INVALID_PIPELINE_KEY',
      line: { guard, reason: 'disabled source or ended key' }
    },
    {
      request: { ...post, payload: { ...EVENT, writeKey: 'dk_live_SECRET' } },
      code: 'INVALID_PIPELINE_KEY',
      line: { ...known, guard, reason: 'the key in the body differs' }
    },
    // The page.
    {
      request: { ...post, headers: { ...bearer, origin: 'https://evil.test' } },
      code: 'ORIGIN_NOT_ALLOWED',
      line: { ...known, level: 40, guard, reason: 'the origin "https://evil.test" is not allowed' }
    },
    {
      request: { method: 'OPTIONS', url, headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' } },
      code: 'ORIGIN_NOT_ALLOWED',
      line: { level: 40, reason: 'the origin "https://evil.test" is not allowed' }
    },
    // The signature.
    {
      request: { ...post, headers: { ...JSON_TYPE, authorization: `Bearer ${locked}` } },
      code: 'SIGNATURE_REQUIRED',
      line: { guard, reason: 'the source requires a signature: always' }
    },
    {
      request: { ...post, headers: { ...bearer, 'x-datafly-signature': `sha256=${'ab'.repeat(32)}` } },
      code: 'INVALID_SIGNATURE',
      line: { ...known, guard: 'signature', reason: /^X-Datafly-Signature does not match/ }
    },
    {
      request: {
        ...post,
        payload: body,
        headers: { ...JSON_TYPE, authorization: `Bearer ${timed}`, 'x-signature': timestamped, 'x-timestamp': stale }
      },
      code: 'TIMESTAMP_OUT_OF_RANGE',
      line: { guard: 'signature', reason: 'X-Timestamp is not milliseconds within 300000 of this clock' }
    },
    // The body.
    {
      request: { ...post, payload: '{"userId":"SECRET",}' },
      code: 'INVALID_JSON',
      line: { ...known, reason: /character/ }
    },
    {
      request: { ...post, payload: '{"userId":"SECRET' },
      code: 'INVALID_JSON',
      line: { ...known, reason: /character|too early/ }
    },
    {
      request: { ...post, payload: Buffer.from([0x7b, 0xff, 0x7d]) },
      code: 'INVALID_JSON',
      line: { ...known, reason: 'the body is not UTF-8' }
    },
    {
      request: { ...post, headers: { ...bearer, 'content-type': 'text/xml; SECRET' }, payload: '<a/>' },
      code: 'UNSUPPORTED_MEDIA_TYPE',
      line: { ...known, reason: 'the Content-Type is not accepted' }
    },
    {
      request: { ...post, headers: { ...bearer, 'content-type': 'application/json; charset=utf-16' } },
      code: 'UNSUPPORTED_MEDIA_TYPE',
      line: { ...known, reason: 'the charset of the Content-Type is not UTF-8' }
    },
    {
      request: { ...post, headers: { ...bearer, 'content-encoding': 'br' } },
      code: 'UNSUPPORTED_MEDIA_TYPE',
      line: { ...known, reason: 'the Content-Encoding is not accepted' }
    },
    {
      request: { ...post, headers: { ...bearer, 'content-encoding': 'gzip' }, payload: gzipSync(body).subarray(0, 20) },
      code: 'INVALID_REQUEST',
      line: { ...known, sent: 'The body could not be decompressed', reason: 'Z_BUF_ERROR' }
    },
    {
      request: { ...post, payload: { ...EVENT, properties: { text: 'SECRET'.repeat(20_000) } } },
      code: 'PAYLOAD_TOO_LARGE',
      line: { ...known, sent: 'The event is too large', reason: /more than 65536 bytes/ }
    },
    // The schema.
    {
      request: { ...post, payload: { userId: 'SECRET' } },
      code: 'INVALID_REQUEST',
      line: { ...known, in: 'body', details: [{ path: '/event', message: "must have required property 'event'" }] }
    },
    {
      request: { ...post, payload: { ...EVENT, event: ['SECRET'] } },
      code: 'INVALID_REQUEST',
      line: { ...known, in: 'body', details: [{ path: '/event', message: 'must be string' }] }
    },
    {
      request: { ...post, payload: { ...EVENT, timestamp: 'SECRET' } },
      code: 'INVALID_REQUEST',
      line: { ...known, details: [{ path: '/timestamp' }] }
    },
    {
      request: { ...post, payload: '{"event":"SECRET","event":"b","userId":"u"}' },
      code: 'INVALID_REQUEST',
      line: { ...known, details: [{ path: '/event', message: 'must not occur twice' }] }
    },
    // Other routes.
    {
      request: { url: `/v1/pixel/group?wk=${key}&userId=SECRET&groupId=SECRET` },
      code: 'FORBIDDEN',
      line: { ...known, route: '/v1/pixel/group', reason: 'the source does not accept group events by pixel' }
    },
    {
      request: { ...post, url: '/v1/events', payload: { ...EVENT, type: 'track' } },
      code: 'SIGNATURE_REQUIRED',
      line: { ...known, route: '/v1/events', guard: 'signature', reason: 'the route requires a signature' }
    },
    {
      request: { ...post, url: '/v1/batch', payload: { batch: 'SECRET' } },
      code: 'INVALID_REQUEST',
      line: { ...known, route: '/v1/batch', details: [{ path: '/batch' }] }
    },
    {
      request: { method: 'POST', url: '/v1/webhook?source=SECRET', payload: {} },
      code: 'INVALID_SIGNATURE',
      line: { route: '/v1/webhook', guard: 'webhook', reason: 'no webhook id' }
    }
  ].map(({ line, ...refusal }) => ({ ...refusal, line: { route: url, level: 30, ...line } }))
}

t.test('each refusal of the ingestion routes is one line with the failed check, and without keys, signatures and ' +
  'values', async (t) => {
  const log = logReader()
  const made = await gateway(t, {
    server: { logger: { level: 'info', stream: log.stream } },
    source: { pixelTypes: ['track'], domains: [SHOP] }
  })
  const { key: closed } = await makeSource(made.store, { enabled: false })
  const { key: locked } = await makeSource(made.store, { requireSignature: 'always' })
  const { key: timed, secret: timedSecret } = await makeSource(made.store)
  for (const { request, code, line } of refusals(made, { closed, locked, timed, timedSecret })) {
    const before = log.lines().length
    const response = await made.app.inject(request)
    const isImage = response.headers['content-type'] === 'image/gif'
    if (!isImage) t.equal(codeOf(response), code)
    const lines = log.lines().slice(before).filter(({ msg }) => msg === 'request refused')
    t.match(lines, [{ code, status: response.statusCode, reqId: String, ...line }], `${code} ${String(line['reason'])}`)
    t.equal(lines.length, 1)
  }
  const text = log.text()
  for (const secret of ['SECRET', made.key, made.secret, closed, locked, timed, timedSecret]) t.notMatch(text, secret)
})
