import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'

import t from 'tap'

import { codeOf, gateway } from '../../helpers/gateway.js'

const BODIES = [['/v1/t', { event: 'e' }], ['/v1/batch', { batch: [{ type: 'page' }] }]] as const

t.test('application/json and text/plain are read as JSON, with the charset UTF-8 or none, in any ' +
  'spelling', async (t) => {
  const { post, stored } = await gateway(t)
  const types = [
    'application/json',
    'text/plain',
    'application/json; charset=utf-8',
    'text/plain;charset=UTF-8',
    'APPLICATION/JSON',
    'Application/Json;Charset="UTF-8"',
    'application/json ; charset=utf8',
    'application/json;',
    ' application/json',
    'application/json\t',
    'application/json; version=1',
    'text/plain; charset=utf-8; format=flowed'
  ]
  for (const type of types) {
    for (const [url, body] of BODIES) {
      t.equal((await post(url, body, { 'content-type': type })).statusCode, 200, JSON.stringify(type))
    }
    const wrong = await post('/v1/t', { event: 1 }, { 'content-type': type })
    t.equal(wrong.statusCode, 400, `${JSON.stringify(type)} is checked`)
    t.equal((await post('/v1/t', '{"event":', { 'content-type': type })).statusCode, 400)
    t.equal((await post('/v1/t', '{"event":"e","__proto__":{}}', { 'content-type': type })).statusCode, 400)
  }
  t.equal((await stored()).length, types.length * 2)
})

t.test('every other media type, charset and malformed type is 415', async (t) => {
  const { post, stored } = await gateway(t)
  for (
    const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'text/xml',
      'text/html',
      'application/octet-stream',
      'application/ld+json',
      'application/vnd.api+json',
      'application/jsonp',
      'application/json-seq',
      'xapplication/json',
      'text/json',
      'text/plainx',
      'text',
      '*/*',
      'json',
      '',
      'application/json; charset=utf-16',
      'application/json; charset=utf-16le',
      'application/json;charset="UTF-16"',
      'text/plain; charset=iso-8859-1',
      'application/json; charset=us-ascii',
      'application/json; charset=',
      'application/json; charset=utf-8; charset=utf-16',
      'application/json; charset=utf-16; charset=utf-8',
      'application/json; x=1;charset=utf-7',
      'application/json, text/plain',
      'application/json; charset=utf-8, application/xml',
      'application/xml, application/json',
      'application /json',
      'application/ json',
      'application\t/json',
      'application/json\0',
      'application/json application/xml'
    ]
  ) {
    for (const [url, body] of BODIES) {
      const response = await post(url, body, { 'content-type': type })
      t.equal(response.statusCode, 415, JSON.stringify(type))
      t.equal(codeOf(response), 'UNSUPPORTED_MEDIA_TYPE', JSON.stringify(type))
    }
  }
  t.equal((await stored()).length, 0)
})

t.test('a body without a Content-Type is JSON, and a request without a body is 400', async (t) => {
  const { app, key } = await gateway(t)
  const send = async (payload?: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/t',
      headers: { authorization: `Bearer ${key}` },
      ...(payload === undefined ? {} : { payload })
    })
  t.equal((await send('{"event":"e"}')).statusCode, 200)
  t.equal(codeOf(await send('{"event"')), 'INVALID_JSON')
  const empty = await send()
  t.equal(empty.statusCode, 400)
  t.equal(codeOf(empty), 'INVALID_REQUEST')
})

t.test('any Content-Encoding except gzip, deflate and identity is 415, signed or not', async (t) => {
  const { post, signed, stored } = await gateway(t)
  const json = '{"event":"e","userId":"u"}'
  for (
    const [encoding, body] of [
      ['br', brotliCompressSync(json)],
      ['zstd', Buffer.from(json)],
      ['compress', Buffer.from(json)],
      ['gzip, gzip', gzipSync(gzipSync(json))],
      ['identity, br', Buffer.from(json)],
      ['', Buffer.from(json)],
      ['x', deflateSync(json)],
      ['gzip,', gzipSync(json)],
      ['gzip;q=1', gzipSync(json)],
      ['deflate, identity', deflateSync(json)],
      ['__proto__', Buffer.from(json)],
      ['constructor', Buffer.from(json)]
    ] as const
  ) {
    for (const send of [post, signed]) {
      const response = await send('/v1/t', body, { 'content-encoding': encoding })
      t.equal(response.statusCode, 415, encoding)
      t.equal(codeOf(response), 'UNSUPPORTED_MEDIA_TYPE')
    }
  }
  t.equal((await stored()).length, 0)
  t.equal((await post('/v1/t', json, { 'content-encoding': 'identity' })).statusCode, 200)
  t.equal((await post('/v1/t', json, { 'content-encoding': 'Identity' })).statusCode, 200)
})
