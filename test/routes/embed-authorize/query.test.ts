import { readFileSync } from 'node:fs'

import Fastify from 'fastify'
import t from 'tap'

import embedAuthorize from '../../../routes/embed-authorize/index.js'
import { SECRET, embedApp, embedQuery, injectJson, readCall } from '../../helpers/embed.js'

const DAY = 86_400

t.test('a byte that is not allowed in a request target is 400, and no request is split', async (t) => {
  const { bi, post } = await embedApp(t)
  for (let code = 0; code <= 0xff; code++) {
    if (code > 0x20 && code < 0x7f) continue
    const character = String.fromCharCode(code)
    for (
      const query of [embedQuery({ embed_dashboard_path: `/a${character}b` }),
        embedQuery({ [`embed_dashboardview_${character}id`]: 'x' })]
    ) {
      const reply = await post(query)
      t.equal(reply.statusCode, 400, `0x${code.toString(16)}`)
      t.equal(reply.json().error.code, 'INVALID_REQUEST')
    }
  }
  for (
    const attack of [
      '%0d%0aX-Injected:%201',
      '%0D%0A%0D%0AGET%20/x%20HTTP/1.1',
      '%E5%98%8A%E5%98%8DX:1',
      '%00',
      '%0a',
      '%',
      '%zz',
      '%c0%af',
      '%ed%a0%80',
      '\r\nX-Injected: 1',
      ' HTTP/1.1\r\nX: 1',
      '嘊嘍X:1',
      '#',
      '%u000a',
      '"',
      '<',
      '\\',
      '^',
      '`',
      '{',
      '|'
    ]
  ) {
    const reply = await post(embedQuery({ embed_dashboard_path: `/a${attack}` }))
    t.ok(reply.statusCode === 400 || (attack.startsWith('%E5') && reply.statusCode === 200), attack)
  }
  t.notMatch(bi.rawBytes(), /x-injected|GET \/x/i)
  t.equal(bi.calls.length, bi.rawBytes().split(' HTTP/1.1\r\n').length - 1)
})

t.test('the signature covers exactly the bytes that are sent, for any value of a free parameter', async (t) => {
  const { bi, post } = await embedApp(t)
  const values = [
    'plain',
    'a b',
    'a+b',
    'a=b',
    'a%b',
    '%20',
    '100%',
    '?x=1',
    '/Sales/Übersicht',
    '日本語',
    '👩‍👩‍👧',
    "o'neil",
    '"',
    '<script>',
    '$(id)',
    '../../..',
    '\\',
    '!*()~;:@,',
    '\u202e',
    'A'.repeat(2_000),
    'é'.repeat(500),
    '[{Region=EU}]',
    '__proto__',
    'null',
    'undefined',
    '1e309'
  ]
  for (const value of values) {
    const query = embedQuery({ embed_dashboardview_name: encodeURIComponent(value) })
    const reply = await post(query)
    t.equal(reply.statusCode, 200, value)
    const { signature, expected, signed, fields } = readCall(bi.calls.at(-1))
    t.equal(signature, expected)
    t.ok(signed.startsWith(query), 'the query is not encoded again')
    t.equal(decodeURIComponent(fields.get('embed_dashboardview_name') ?? ''), value)
  }
  await post(embedQuery({ embed_dashboard_path: '/a+b' }))
  t.equal(
    readCall(bi.calls.at(-1)).fields.get('embed_dashboard_path'),
    '/a%2Bb',
    'a plus is encoded, so that it is not read as a space'
  )
})

t.test('published HMAC keys produce the expected signatures as embedSecret', async (t) => {
  const { bi, apiUrl } = await embedApp(t)
  const published = ['rfc4231_hmac_sha256', 'nist_openssl_hmac_sha256', 'sha256_header_github'].flatMap((name) => {
    const text = readFileSync(new URL(`../../vectors/hmac/${name}.json`, import.meta.url), 'utf8')
    return [...text.matchAll(/"(?:key|key_hex|keyHex|secret)":\s*"([^"]+)"/g)].map(([, key = '']) =>
      /^(?:[0-9a-f]{2})+$/i.test(key) ? Buffer.from(key, 'hex').toString('latin1') : key
    )
  })
  const { boldbi } = JSON.parse(readFileSync(new URL('../../vectors/signatures.json', import.meta.url), 'utf8')) as {
    boldbi: Array<{ secret: string }>
  }
  const keys = [
    ...new Set([...published, ...boldbi.map(({ secret }) => secret), ' ', 'sécret-ключ', 'k'.repeat(63), 'k'.repeat(64),
      'k'.repeat(65), '\0x'])
  ]
  t.ok(keys.length >= 12, `${keys.length} keys`)
  for (const embedSecret of keys) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(embedAuthorize, { servers: [{ apiUrl, embedSecret }], authorize: () => ({ email: 'a@b.c' }) })
    t.equal((await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl })).statusCode, 200)
    const { signature, expected } = readCall(bi.calls.at(-1), Buffer.from(embedSecret, 'utf8'))
    t.equal(signature, expected)
  }
})

t.test('an expiration above the limit is lowered to it, and a value that is not a positive integer is ' +
  '400', async (t) => {
  for (
    const [maxExpiration, longest, usual] of [[undefined, DAY, DAY], [600_000, 600, 600], [604_800_000, 604_800,
      DAY]] as const
  ) {
    const { bi, post } = await embedApp(t, maxExpiration === undefined ? {} : { maxExpiration })
    const sent = async (embed_expirationtime: string | undefined) => {
      const reply = await post(embedQuery({ embed_expirationtime }))
      return reply.statusCode === 200
        ? Number(readCall(bi.calls.at(-1)).fields.get('embed_expirationtime'))
        : reply.json().error.code
    }
    for (const text of ['9999999999', '604801', '9'.repeat(400), String(longest)]) {
      t.equal(await sent(text), longest, text)
    }
    t.equal(await sent('60'), 60)
    t.equal(await sent(undefined), usual, 'the default of the SDK')
    for (const text of ['-1', '0', '1e3', '0x10', '', '1.5', '%20', 'NaN', '1,2', '٣']) {
      t.equal(await sent(text), 'INVALID_REQUEST', text)
    }
    t.equal((await post(`${embedQuery()}&embed_expirationtime=60`)).statusCode, 400, 'twice')
  }
})

t.test('a browser timestamp more than five minutes from the server time is replaced by the server time', async (t) => {
  const now = 1_756_891_690
  const { bi, post } = await embedApp(t, { now: () => now * 1000 + 999 })
  const sent = async (embed_timestamp: string | undefined) => {
    t.equal((await post(embedQuery({ embed_timestamp }))).statusCode, 200, String(embed_timestamp))
    const { fields } = readCall(bi.calls.at(-1))
    t.equal(fields.get('embed_server_timestamp'), String(now))
    return Number(fields.get('embed_timestamp'))
  }
  for (const near of [now, now - 300, now + 300]) t.equal(await sent(String(near)), near)
  for (const far of [now - 301, now + 301, now * 1000, 1, '9'.repeat(30)]) {
    t.equal(await sent(String(far)), now, String(far))
  }
  t.equal(await sent(undefined), now)
  t.equal(await sent(''), now)
  for (const embed_timestamp of ['abc', '-5', '1e9', '0x1']) {
    t.equal((await post(embedQuery({ embed_timestamp }))).statusCode, 400, embed_timestamp)
  }
})

t.test('an invalid nonce, a repeated key and an unknown key are 400', async (t) => {
  const { bi, post } = await embedApp(t)
  const queries = ['', 'x', 'embed_mode=view', '=', '&', `${embedQuery()}&`, `${embedQuery()}&&`, `${embedQuery()}&=x`,
    `${embedQuery()}&x=1`, `${embedQuery()}&embed_mode=view`, `${embedQuery()}&layout=1`, `?${embedQuery()}`]
  for (
    const embed_nonce of ['', '1', undefined, 'zzzzzzzz-0000-0000-0000-000000000000',
      '3601299f541b4ccebb1f2aacda277134f', '{3601299f-541b-4cce-b1f2-aacda277134f}']
  ) queries.push(embedQuery({ embed_nonce }))
  for (const query of queries) {
    const reply = await post(query)
    t.equal(reply.statusCode, 400, query)
    t.equal(reply.json().error.code, 'INVALID_REQUEST')
  }
  t.equal(bi.connections(), 0)
})

t.test('a long query is sent whole by POST, and a query above the body limit is 413', async (t) => {
  const { bi, post } = await embedApp(t)
  for (const length of [7_000, 8_000, 60_000]) {
    const query = embedQuery({ embed_dashboard_path: `/${'p'.repeat(length)}` })
    t.equal((await post(query)).statusCode, 200, String(length))
    const call = bi.calls.at(-1)
    const { signed, signature, expected, path } = readCall(call)
    t.equal(call?.method, length < 7_500 ? 'GET' : 'POST')
    t.equal(path, '/bi/api/site/site1/embed/authorize')
    t.ok(signed.startsWith(query), 'the query is complete')
    t.equal(signature, expected)
  }
  const calls = bi.calls.length
  const reply = await post(embedQuery({ embed_dashboard_path: `/${'p'.repeat(65_536)}` }))
  t.equal(reply.statusCode, 413)
  t.equal(reply.json().error.code, 'PAYLOAD_TOO_LARGE')
  t.equal(bi.calls.length, calls)
})

t.test('a URL of "maxUrlLength" characters is sent by GET, and a longer URL by POST', async (t) => {
  const { apiUrl, bi, post } = await embedApp(t)
  await post(embedQuery())
  const { text } = readCall(bi.calls[0])
  const length = `${apiUrl}/embed/authorize?${text}`.length + 50
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(embedAuthorize, {
    servers: [{ apiUrl, embedSecret: SECRET }],
    authorize: () => ({ email: 'viewer@example.com' }),
    maxUrlLength: length
  })
  const urls: Record<string, number[]> = { GET: [], POST: [] }
  for (let pad = 0; pad < 100; pad++) {
    await injectJson(app, {
      embedQuerString: embedQuery({ embed_dashboard_path: 'p'.repeat(pad) }),
      dashboardServerApiUrl: apiUrl
    })
    urls[bi.calls.at(-1)?.method ?? '']?.push(`${apiUrl}/embed/authorize?${readCall(bi.calls.at(-1)).text}`.length)
  }
  t.ok(Math.max(...urls.GET ?? []) <= length, 'no longer URL was sent by GET')
  t.ok(Math.min(...urls.POST ?? []) > length, 'no shorter URL was sent by POST')
})

t.test('a body with a repeated known member, or with more than 1 000 members and elements, is 400', async (t) => {
  const { bi, app, apiUrl } = await embedApp(t)
  const server = `"dashboardServerApiUrl":${JSON.stringify(apiUrl)}`
  const query = `"embedQuerString":${JSON.stringify(embedQuery())}`
  const bodies = [
    `{${query},${server},"dashboardServerApiUrl":"https://other.example"}`,
    `{${query},"embedQuer\\u0053tring":"x",${server}}`,
    `{${query},${server},"x":[${'1,'.repeat(1_000)}1]}`,
    `{${query},${server},${Array.from({ length: 1_000 }, (_none, at) => `"k${at}":1`).join(',')}}`
  ]
  for (const payload of bodies) {
    const reply = await app.inject({
      method: 'POST',
      url: '/authorize',
      payload,
      headers: { 'content-type': 'application/json' }
    })
    t.equal(reply.statusCode, 400, payload.slice(0, 200))
  }
  t.equal(bi.calls.length, 0)
})
