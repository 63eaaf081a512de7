import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'

import t from 'tap'

import { signBody } from '../../../signing/datafly/body-signature.js'
import { codeOf, gateway } from '../../helpers/gateway.js'

const KB = 1024
const CODINGS = [['gzip', gzipSync], ['x-gzip', gzipSync], ['GZip', gzipSync], ['deflate', deflateSync], ['Deflate',
  deflateSync], ['deflate', deflateRawSync]] as const
const EVENT = '{"event":"e","userId":"u"}'
const BATCH = '{"batch":[{"type":"page","userId":"u"}]}'

function padded (json: string, bytes: number): string {
  return json + ' '.repeat(bytes - json.length)
}

/** A JSON event of exactly the given number of bytes. */
function eventOf (bytes: number): string {
  return EVENT.replace('}', `,"pad":"${'y'.repeat(bytes - EVENT.length - 9)}"}`)
}

t.test('gzip and deflate bodies, zlib or bare, are read on every route, signed or not', async (t) => {
  const { post, signed, stored } = await gateway(t)
  for (const [n, [coding, compress]] of CODINGS.entries()) {
    const headers = { 'content-encoding': coding }
    // Equal signed bytes would be a replay.
    for (const send of [post, signed]) {
      t.equal(
        (await send('/v1/t', compress(`{"event":"Grüße","userId":"u","n":${n}.0}`), headers)).body,
        '{"success":true}',
        coding
      )
      t.match(
        (await send('/v1/batch', compress(`{"batch":[{"type":"page","userId":"u${n}"},{"type":"track"}]}`), headers))
          .json(),
        { accepted: 1, rejected: 1 },
        coding
      )
    }
    t.equal((await signed('/v1/events', compress(`{"type":"page","userId":"u${n}"}`), headers)).statusCode, 200, coding)
  }
  const events = await stored()
  t.equal(events.length, CODINGS.length * 5)
  t.equal(events.filter(({ event }) => event === 'Grüße').length, CODINGS.length * 2)
})

t.test('the signature covers the compressed bytes', async (t) => {
  const { post, secret, stored } = await gateway(t)
  const response = await post('/v1/t', gzipSync(EVENT), {
    'content-encoding': 'gzip',
    'x-datafly-signature': signBody(secret, EVENT)
  })
  t.equal(response.statusCode, 401)
  t.equal(codeOf(response), 'INVALID_SIGNATURE')
  t.equal((await stored()).length, 0)
})

t.test('the limits of events and batches apply to the inflated body', async (t) => {
  const { post, signed, stored } = await gateway(t)
  for (const [coding, compress] of CODINGS) {
    for (
      const [url, text, status, code] of [
        ['/v1/t', eventOf(64 * KB), 200, undefined],
        ['/v1/t', eventOf(64 * KB + 1), 413, 'PAYLOAD_TOO_LARGE'],
        ['/v1/t', padded(EVENT, 512 * KB), 413, 'PAYLOAD_TOO_LARGE'],
        ['/v1/t', padded(EVENT, 512 * KB + 1), 413, 'PAYLOAD_TOO_LARGE'],
        ['/v1/batch', padded(BATCH, 5 * KB * KB), 200, undefined],
        ['/v1/batch', padded(BATCH, 5 * KB * KB + 1), 400, 'INVALID_REQUEST']
      ] as const
    ) {
      for (const send of [post, signed]) {
        const response = await send(url, compress(text), { 'content-encoding': coding })
        t.equal(response.statusCode, status, `${coding} ${url} ${text.length}`)
        t.equal(response.json().error?.code, code)
      }
    }
  }
  t.equal((await stored()).length, CODINGS.length * 4, 'equal signed events are separate events')
  const one = await post(
    '/v1/batch',
    gzipSync(`{"batch":[{"type":"page","pad":"${'x'.repeat(64 * KB)}"},{"type":"page"}]}`),
    { 'content-encoding': 'gzip' }
  )
  t.match(one.json(), { accepted: 1, errors: [{ index: 0, code: 'PAYLOAD_TOO_LARGE' }] })
})

t.test('the body limits apply to the compressed bytes too', async (t) => {
  const { post, signed, stored } = await gateway(t, { ingestion: { eventLimit: 100, bodyLimit: 200, batchLimit: 300 } })
  const noise = randomBytes(400).toString('latin1').replace(/[^!-~]|"|\\/g, 'x')
  const stretched = (json: string, members: number): Buffer =>
    Buffer.concat([gzipSync(json), ...Array.from({ length: members }, () => gzipSync(''))])
  t.ok(stretched(EVENT, 5).length < 200)
  t.equal((await post('/v1/t', stretched(EVENT, 5), { 'content-encoding': 'gzip' })).statusCode, 200)
  for (const send of [post, signed]) {
    t.equal(codeOf(await send('/v1/t', stretched(EVENT, 10), { 'content-encoding': 'gzip' })), 'PAYLOAD_TOO_LARGE')
    t.equal(codeOf(await send('/v1/t', gzipSync(noise), { 'content-encoding': 'gzip' })), 'PAYLOAD_TOO_LARGE')
    t.equal((await send('/v1/batch', stretched(BATCH, 15), { 'content-encoding': 'gzip' })).statusCode, 400)
  }
  t.equal((await stored()).length, 1)
})

t.test('a compressed body that is cut short, damaged or continues after its end is 400 INVALID_REQUEST', async (t) => {
  const { post, signed, stored } = await gateway(t)
  const damaged = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 0x55
    return copy
  }
  for (const [coding, compress] of CODINGS) {
    const good = compress(EVENT)
    const cut = Array.from({ length: good.length }, (_, length) => good.subarray(0, length))
    const more = ['x', '\0', '\0\0\0\0', EVENT].map((text) => Buffer.concat([good, Buffer.from(text)]))
    const bad: Buffer[] = [...cut, ...more, Buffer.concat([good, compress(EVENT).subarray(0, -1)])]
    // Bare deflate has no checksum.
    if (compress !== deflateRawSync) bad.push(damaged(good, good.length - 1), damaged(good, 1), Buffer.from(EVENT))
    for (const body of bad) {
      const response = await post('/v1/t', body, { 'content-encoding': coding })
      t.equal(response.statusCode, 400, `${coding} ${body.toString('hex')}`)
      t.equal(codeOf(response), 'INVALID_REQUEST')
    }
    t.equal((await signed('/v1/batch', good.subarray(0, -1), { 'content-encoding': coding })).statusCode, 400)
  }
  const secretive = deflateSync(EVENT, { dictionary: Buffer.from(EVENT) })
  t.equal(codeOf(await post('/v1/t', secretive, { 'content-encoding': 'deflate' })), 'INVALID_REQUEST')
  t.equal((await stored()).length, 0)
})

t.test('a gzip body with several members is read whole', async (t) => {
  const { post, stored } = await gateway(t)
  const body = Buffer.concat([gzipSync(EVENT.slice(0, 9)), gzipSync(EVENT.slice(9)), gzipSync('')])
  t.equal((await post('/v1/t', body, { 'content-encoding': 'gzip' })).statusCode, 200)
  t.match(await stored(), [{ event: 'e' }])
})

t.test('an inflated body is checked like a plain body: nested gzip, invalid UTF-8, depth and keys are ' +
  '400', async (t) => {
  const { post, stored } = await gateway(t)
  for (
    const [body, code] of [
      [gzipSync(gzipSync(EVENT)), 'INVALID_JSON'],
      [gzipSync(''), 'INVALID_JSON'],
      [gzipSync(Buffer.from('{"event":"\xff"}', 'latin1')), 'INVALID_JSON'],
      [gzipSync('{"event":"e","__proto__":{}}'), 'INVALID_REQUEST'],
      [gzipSync(`{"event":"e","x":${'['.repeat(200_000)}`), 'INVALID_REQUEST'],
      [gzipSync('{"event":1}'), 'INVALID_REQUEST'],
      [gzipSync(EVENT, { level: constants.Z_NO_COMPRESSION }).subarray(0, 20), 'INVALID_REQUEST']
    ] as const
  ) {
    const response = await post('/v1/t', body, { 'content-encoding': 'gzip' })
    t.equal(response.statusCode, 400)
    t.equal(codeOf(response), code)
  }
  t.equal((await stored()).length, 0)
})

t.test('a form media type is accepted only with gzip', async (t) => {
  const { post, app, key, stored } = await gateway(t)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const basic = { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }
  t.equal((await post('/v1/batch', gzipSync(BATCH), { ...form, ...basic, 'content-encoding': 'gzip' })).statusCode, 200)
  t.equal(
    (await post('/v1/t', gzipSync(EVENT), {
      'content-type': `${form['content-type']}; charset=utf-8`,
      'content-encoding': 'x-gzip'
    })).statusCode,
    200
  )
  for (
    const [body, headers] of [
      [EVENT, form],
      [EVENT, { ...form, 'content-encoding': 'identity' }],
      [deflateSync(EVENT), { ...form, 'content-encoding': 'deflate' }],
      [gzipSync(EVENT), { ...form, 'content-encoding': 'gzip, gzip' }],
      [gzipSync(EVENT), { 'content-type': `${form['content-type']}; charset=utf-16`, 'content-encoding': 'gzip' }],
      [gzipSync(EVENT), { 'content-type': 'multipart/form-data; boundary=x', 'content-encoding': 'gzip' }],
      [gzipSync(EVENT), { 'content-type': 'application/gzip' }]
    ] as const
  ) {
    for (const url of ['/v1/t', '/v1/batch']) {
      const response = await post(url, body, headers)
      t.equal(response.statusCode, 415, JSON.stringify(headers))
      t.equal(codeOf(response), 'UNSUPPORTED_MEDIA_TYPE')
    }
  }
  t.equal(
    (await app.inject({
      method: 'POST',
      url: '/v1/t',
      payload: gzipSync(EVENT),
      headers: { ...form, 'content-encoding': 'gzip' }
    })).statusCode,
    401
  )
  t.equal((await stored()).length, 2)
})

t.test('a key in a compressed body is accepted', async (t) => {
  const { post, accepted, key } = await gateway(t)
  const send = async (writeKey: string) =>
    post('/v1/t', gzipSync(JSON.stringify({ event: 'e', writeKey })), { authorization: [], 'content-encoding': 'gzip' })
  t.equal((await send(key)).statusCode, 200)
  t.equal(codeOf(await send(key.toLowerCase())), 'INVALID_PIPELINE_KEY')
  t.equal(
    codeOf(await post('/v1/t', 'no gzip', { authorization: [], 'content-encoding': 'gzip' })),
    'INVALID_REQUEST',
    'the key is not readable'
  )
  t.notMatch(JSON.stringify(await accepted()), key)
})
