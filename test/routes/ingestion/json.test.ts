import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import t from 'tap'

import { codeOf, gateway } from '../../helpers/gateway.js'
import { stringWork } from '../../helpers/string-work.js'
import { vectorText } from '../../signing/vectors.js'

const SUITE = fileURLToPath(new URL('../../vectors/json/JSONTestSuite/test_parsing/', import.meta.url))

function wrapped (file: string): Buffer {
  return Buffer.concat([Buffer.from('{"type":"track","event":"e","properties":{"x":'), readFileSync(join(SUITE, file)),
    Buffer.from('}}')])
}

t.test('all 95 valid documents of the JSON test suite are stored, all 188 invalid documents are 400, and others ' +
  'cause no 5xx', async (t) => {
  const { post, accepted } = await gateway(t)
  const counts: Record<string, number> = {}
  let before = 0
  for (const file of readdirSync(SUITE)) {
    const kind = file.charAt(0)
    const body = wrapped(file)
    const { statusCode } = await post('/v1/t', body)
    const stored = (await accepted()).length
    t.equal(stored - before, statusCode === 200 ? 1 : 0, file)
    before = stored
    if (kind === 'y') t.equal(statusCode, 200, file)
    else if (kind === 'n') t.equal(statusCode, 400, file)
    else t.ok(statusCode === 200 || statusCode === 400, file)
    counts[kind] = (counts[kind] ?? 0) + 1
    if (statusCode === 200) t.same((await accepted()).at(-1)?.payload, body.toString(), file)
  }
  t.same(counts, { i: 35, n: 188, y: 95 })
})

t.test('invalid UTF-8, a second byte order mark and UTF-16 are 400 INVALID_JSON', async (t) => {
  const { post } = await gateway(t)
  const json = '{"event":"e"}'
  for (
    const [name, body] of [
      ['a lone byte', Buffer.from([...Buffer.from('{"event":"'), 0xff, ...Buffer.from('"}')])],
      ['an overlong slash', Buffer.from([...Buffer.from('{"event":"'), 0xc0, 0xaf, ...Buffer.from('"}')])],
      ['a surrogate', Buffer.from([...Buffer.from('{"event":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')])],
      ['a cut character', Buffer.from([...Buffer.from('{"event":"'), 0xe2, 0x82, ...Buffer.from('"}')])],
      ['two marks', Buffer.from(`\ufeff\ufeff${json}`)],
      ['a mark after the JSON', Buffer.from(`${json}\ufeff`)],
      ['only a mark', Buffer.from('\ufeff')],
      ['UTF-16', Buffer.from(json, 'utf16le')],
      ['an empty body', Buffer.alloc(0)],
      ['a space', Buffer.from(' ')],
      ['a NUL after the JSON', Buffer.from(`${json}\0`)]
    ] as const
  ) {
    const response = await post('/v1/t', body)
    t.equal(response.statusCode, 400, name)
    t.equal(codeOf(response), 'INVALID_JSON', name)
  }
})

t.test('64 levels are accepted, 65 levels are 400, and thousands of levels are 400 before they are read to the ' +
  'end', async (t) => {
  const { post } = await gateway(t)
  // The event and its properties are the first two levels.
  for (const [open, close] of [['[', ']'], ['{"a":', '}']] as const) {
    const body = (levels: number, end = close.repeat(levels)): string =>
      `{"event":"e","properties":{"x":${open.repeat(levels)}1${end}}}`
    t.equal((await post('/v1/t', body(62))).statusCode, 200)
    for (const text of [body(63), body(1_000), body(80_000), body(80_000, '')]) {
      const { parsed, read } = await stringWork(async () => {
        const response = await post('/v1/t', text)
        t.equal(response.statusCode, 400)
        t.match(codeOf(response), /^INVALID_(?:REQUEST|JSON)$/)
      })
      t.ok(parsed < 4_500, `${parsed} characters of ${text.length} are parsed`)
      t.ok(read < 10_000, `${read} characters of ${text.length} are read`)
    }
    const bare = await post('/v1/t', open.repeat(100_000))
    t.equal(bare.statusCode, 400)
    const { parsed, read } = await stringWork(async () => {
      t.equal((await post('/v1/batch', `{"batch":[${open.repeat(1_000_000)}`)).statusCode, 400)
    })
    t.ok(parsed < 4_500 && read < 20_000, `${parsed} characters are parsed and ${read} read`)
  }
})

t.test('a body that would pollute a prototype is 400 at any place, and no prototype is polluted', async (t) => {
  const { post, stored } = await gateway(t)
  const { json_must_reject: bodies, patt_payloads: lines } = JSON.parse(
    vectorText('json/prototype_pollution.json')
  ) as {
    json_must_reject: string[]
    patt_payloads: string[]
  }
  t.equal(bodies.length, 20)
  const before = (await post('/v1/t', { event: 'plain', messageId: 'a' })).body
  for (const body of bodies) {
    for (
      const text of [
        `{"event":"e",${body.slice(1)}`,
        `{"event":"e","properties":${body}}`,
        `{"event":"e","properties":{"list":[1,${body}]}}`,
        `{"event":"e","context":${body}}`,
        body
      ]
    ) {
      const response = await post('/v1/t', text)
      t.equal(response.statusCode, 400, text)
      t.equal(codeOf(response), 'INVALID_REQUEST')
    }
    t.equal((await post('/v1/batch', `{"batch":[{"type":"page"}],"context":${body}}`)).statusCode, 400)
    t.match((await post('/v1/batch', `{"batch":[{"type":"page","properties":${body}}]}`)).json(), {
      accepted: 0,
      rejected: 1
    })
  }
  for (const [n, line] of lines.entries()) {
    t.ok((await post('/v1/t', line)).statusCode < 500, line)
    t.ok((await post(`/v1/t?${encodeURI(line)}`, { event: 'e' })).statusCode < 500, line)
    t.equal((await post('/v1/t', { event: line, properties: { line }, messageId: `line ${n}` })).statusCode, 200, line)
  }
  for (const name of ['__proto__', 'constructor', 'prototype', '__proto__[x]']) {
    t.equal((await post('/v1/t', { event: 'e' }, { [`x-${name}`.replace(/[[\]]/g, '-')]: 'x' })).statusCode, 200)
  }
  const clean: Record<string, unknown> = {}
  for (const name of ['polluted', 'isAdmin', 'evilProperty', 'x', 'foo', 'bar']) t.equal(clean[name], undefined)
  t.equal((await post('/v1/t', { event: 'plain', messageId: 'b' })).body, before)
  t.match((await stored()).at(-1), { event: 'plain', messageId: 'b' })
})

t.test('a key named constructor or prototype is accepted if it cannot pollute a prototype', async (t) => {
  const { post, stored } = await gateway(t)
  for (
    const properties of [{ constructor: 'Ferrari' }, { prototype: { a: 1 } }, { constructor: { name: 'x' } }, {
      toString: 1,
      hasOwnProperty: 2,
      valueOf: null
    }]
  ) {
    t.equal((await post('/v1/t', { event: 'e', properties })).statusCode, 200, JSON.stringify(properties))
  }
  t.equal((await stored()).length, 4)
})

t.test('a number outside the range of JSON is 400, and other numbers keep their digits', async (t) => {
  const { post, accepted } = await gateway(t)
  for (const number of ['1e400', '-1e400', '123456789e999999']) {
    for (
      const body of [`{"event":"e","properties":{"n":${number}}}`, `{"event":"e","properties":{"n":[[${number}]]}}`,
        `{"event":"e","n":${number}}`]
    ) {
      const response = await post('/v1/t', body)
      t.equal(response.statusCode, 400, body)
      t.equal(codeOf(response), 'INVALID_REQUEST')
    }
  }
  const exact =
    '{"event":"e","n":[-0,1.0,1E2,1e-400,0.1000000000000000055511151231257827,123456789012345678901234567890]}'
  t.equal((await post('/v1/t', exact)).statusCode, 200)
  t.equal((await accepted())[0]?.payload, exact)
})

t.test('more than 10 000 members are 400, and 55 000 members are 400 before they are parsed', async (t) => {
  const { post } = await gateway(t, { ingestion: { eventLimit: 512 * 1024 } })
  const wide = (count: number): string =>
    `{"event":"e","properties":{${Array.from({ length: count - 2 }, (_, n) => `"${n.toString(36)}":1`).join(',')}}}`
  t.equal((await post('/v1/t', wide(10_000))).statusCode, 200)
  const over = await post('/v1/t', wide(10_001))
  t.equal(over.statusCode, 400)
  t.equal(codeOf(over), 'INVALID_REQUEST')
  const { parsed, read } = await stringWork(async () => {
    t.equal((await post('/v1/t', wide(55_000))).statusCode, 400)
  })
  t.ok(parsed < 4_500 && read < 200_000, `${parsed} characters are parsed and ${read} read`)
  const split = {
    event: 'e',
    properties: Array.from({ length: 101 }, () => Object.fromEntries(Array.from({ length: 100 }, (_, n) => [n, 0])))
  }
  t.equal((await post('/v1/t', split)).statusCode, 400, 'properties must be an object')
  t.equal(
    (await post('/v1/t', { event: 'e', properties: { list: split.properties } })).statusCode,
    400,
    'all objects are counted together'
  )
})

t.test('a batch with too many members or elements is 400 before it is parsed, plain and compressed', async (t) => {
  const { post, accepted } = await gateway(t)
  const fields = (count: number): string => Array.from({ length: count }, (_, n) => `"${n.toString(36)}":1`).join(',')
  const wide = `{"batch":[{"type":"page"},{"type":"page","properties":{${fields(60_000)}}}]}`
  const brackets = `{"batch":[${'[],'.repeat(1_600_000)}[]]}`
  for (
    const [body, headers] of [[wide, {}], [brackets, {}], [gzipSync(brackets), { 'content-encoding': 'gzip' }]] as const
  ) {
    const { parsed, read } = await stringWork(async () => {
      const response = await post('/v1/batch', body, headers)
      t.equal(response.statusCode, 400)
      t.equal(codeOf(response), 'INVALID_REQUEST')
    })
    t.ok(parsed < 4_500 && read < 600_000, `${parsed} characters are parsed and ${read} read`)
  }
  t.same(await accepted(), [])
  const narrow = `{"batch":[{"type":"page"},{"type":"page","properties":{${
    fields(7_000)
  }}},{"type":"page","properties":{${fields(12_000)}}}]}`
  t.match(
    (await post('/v1/batch', narrow)).json(),
    { accepted: 2, rejected: 1, errors: [{ index: 2 }] },
    'an event slightly above the limit is refused alone'
  )
})

t.test('an event that is both too wide and too large is refused as too wide', async (t) => {
  const { post } = await gateway(t)
  const wide = { event: 'e', properties: Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`p${n}`, n])) }
  const response = await post('/v1/t', wide)
  t.equal(response.statusCode, 400)
  t.equal(codeOf(response), 'INVALID_REQUEST')
})
