import t from 'tap'
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

import { UNAVAILABLE } from '../../../../lib/errors.js'
import { memorySink } from '../../../../plugins/event-sink/memory/index.js'
import { generatePipelineKey } from '../../../../signing/datafly/pipeline-key.js'
import { signBody } from '../../../../signing/datafly/body-signature.js'
import { gateway } from '../../../helpers/gateway.js'
import { logReader } from '../../../helpers/log-reader.js'
import { makeSource, SHOP } from '../../../helpers/source.js'

const TYPES = ['track', 'page', 'identify', 'group']

function assertRefused (t: Test, response: LightMyRequestResponse, status: number, about: string): void {
  t.equal(response.statusCode, status, about)
  t.equal(response.headers['content-type'], 'image/gif', about)
  t.equal(response.headers['cache-control'], 'no-store, no-cache, must-revalidate', about)
  t.equal(response.headers.pragma, 'no-cache')
  t.equal(response.headers.expires, '0')
  t.match(response.headers.vary, /Origin/, `${about}`)
  t.equal(response.rawPayload.toString('latin1', 0, 6), 'GIF89a', about)
  t.equal(response.rawPayload.length, 43, about)
  t.equal(response.headers['set-cookie'], undefined)
}

t.test('a missing, malformed or unknown key is 401 with the image, and nothing is stored', async (t) => {
  const { app, key, store, stored } = await gateway(t)
  const disabled = await makeSource(store, { enabled: false })
  const wk = (value: string): string => `&wk=${encodeURIComponent(value)}`
  for (
    const query of [
      '',
      '&wk',
      wk(''),
      wk(' '),
      wk(` ${key}`),
      wk(`${key} `),
      wk(`${key}x`),
      wk(key.slice(0, -1)),
      wk(key.toUpperCase()),
      wk(key.replace('live', 'LIVE')),
      wk(key.replace('live', 'test')),
      wk('dk_live_*'),
      wk('%'),
      wk("' or 1=1--"),
      wk('a\r\nb'),
      wk(`${key}\0`),
      wk('x'.repeat(8_000)),
      wk(`dk_live_${'٣'.repeat(32)}`),
      wk('a:b:c'),
      wk('null'),
      wk('__proto__'),
      `${wk(key)}${wk(key)}`,
      `${wk(key)}${wk(generatePipelineKey('live'))}`,
      `&WK=${key}`,
      `&wk[]=${key}`,
      `&key=${key}`,
      `&writeKey=${key}`,
      wk(generatePipelineKey('live')),
      wk(disabled.key)
    ]
  ) {
    for (const type of TYPES) {
      assertRefused(t, await app.inject(`/v1/pixel/${type}?e=e${query}`), 401, query.slice(0, 80))
    }
  }
  assertRefused(t, await app.inject({ url: '/v1/pixel/page', headers: { cookie: `wk=${key}` } }), 401, 'a cookie')
  assertRefused(
    t,
    await app.inject({
      url: '/v1/pixel/page',
      headers: { 'content-type': 'application/json' },
      payload: `{"writeKey":"${key}"}`
    }),
    401,
    'a body'
  )
  t.equal((await stored()).length, 0)
})

t.test('the key is accepted in Authorization too, and two different keys are 401', async (t) => {
  const { app, key, store, stored } = await gateway(t)
  const other = await makeSource(store)
  const authorization = `Bearer ${key}`
  t.equal((await app.inject({ url: '/v1/pixel/page', headers: { authorization } })).statusCode, 200)
  t.equal((await app.inject({ url: `/v1/pixel/page?wk=${key}`, headers: { authorization } })).statusCode, 200)
  assertRefused(
    t,
    await app.inject({ url: `/v1/pixel/page?wk=${other.key}`, headers: { authorization } }),
    401,
    'different keys'
  )
  t.equal((await stored()).length, 2)
})

t.test('an event type is 403 unless pixelTypes of the source contains it', async (t) => {
  const { app, key, store, source, stored } = await gateway(t)
  const ask = async (type: string) => app.inject(`/v1/pixel/${type}?wk=${key}&e=e`)
  for (const type of ['identify', 'group']) assertRefused(t, await ask(type), 403, type)
  for (const type of ['track', 'page']) t.equal((await ask(type)).statusCode, 200, type)
  await store.sources.update('acme', source.id, { pixelTypes: ['identify', 'group'] })
  for (const type of ['identify', 'group']) t.equal((await ask(type)).statusCode, 200, type)
  for (const type of ['track', 'page']) assertRefused(t, await ask(type), 403, type)
  t.equal((await stored()).length, 4)
  t.equal((await ask('screen')).statusCode, 404)
})

t.test('another origin is 403 with the image, and an allowed origin can read the response', async (t) => {
  const { app, key, stored } = await gateway(t)
  const from = async (origin: string) => app.inject({ url: `/v1/pixel/page?wk=${key}`, headers: { origin } })
  for (const origin of ['https://evil.test', 'null', '', `${SHOP}.evil.test`]) {
    const response = await from(origin)
    assertRefused(t, response, 403, origin)
    t.equal(response.headers['access-control-allow-origin'], undefined)
  }
  t.equal((await stored()).length, 0)
  const own = await from(SHOP)
  t.equal(own.statusCode, 200)
  t.equal(own.headers['access-control-allow-origin'], SHOP)
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/v1/pixel/page',
    headers: { origin: SHOP, 'access-control-request-method': 'GET' }
  })
  t.equal(preflight.statusCode, 204)
})

t.test('the Referer neither allows nor refuses a request', async (t) => {
  const { app, key, store, stored } = await gateway(t)
  for (const requireSignature of ['always', 'without_origin'] as const) {
    const strict = await makeSource(store, { requireSignature })
    assertRefused(
      t,
      await app.inject({ url: `/v1/pixel/page?wk=${strict.key}`, headers: { referer: `${SHOP}/` } }),
      401,
      requireSignature
    )
  }
  assertRefused(
    t,
    await app.inject({
      url: `/v1/pixel/page?wk=${key}`,
      headers: { referer: `${SHOP}/`, origin: 'https://evil.test' }
    }),
    403,
    'the origin decides'
  )
  t.equal((await stored()).length, 0)
  t.equal(
    (await app.inject({ url: `/v1/pixel/page?wk=${key}`, headers: { referer: 'https://evil.test/' } })).statusCode,
    200
  )
})

t.test('a signed pixel request is 401, because a signature does not cover the query', async (t) => {
  const { app, key, secret, stored } = await gateway(t)
  for (
    const headers of [
      { 'x-datafly-signature': signBody(secret, '') },
      { 'x-datafly-signature': '' },
      { 'x-signature': 'x' },
      { 'x-timestamp': String(Date.now()) }
    ]
  ) {
    assertRefused(t, await app.inject({ url: `/v1/pixel/page?wk=${key}`, headers }), 401, JSON.stringify(headers))
  }
  t.equal((await stored()).length, 0)
})

t.test('names that would pollute a prototype are 400, and similar names are harmless', async (t) => {
  const { app, key, stored } = await gateway(t)
  for (
    const name of ['p.__proto__', 't.__proto__', 'p.__proto__.polluted', 'p.a.__proto__.polluted',
      'p.constructor.prototype.polluted', 'p.constructor[prototype]', '%70%2E__proto__']
  ) {
    assertRefused(t, await app.inject(`/v1/pixel/page?wk=${key}&${name}=1`), 400, name)
  }
  for (
    const name of ['__proto__', '__proto__[polluted]', '__proto__.polluted', 'constructor.prototype.polluted',
      'constructor', 'p[__proto__][polluted]', 'p.toString', 'p.constructor']
  ) {
    t.equal((await app.inject(`/v1/pixel/page?wk=${key}&${name}=1`)).statusCode, 200, name)
  }
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  t.same((await stored()).map(({ properties }) => properties), [...Array(6).fill(undefined), { toString: '1' }, {
    constructor: '1'
  }])
})

t.test('an event without a name, with a long member or with too many members is refused', async (t) => {
  const { app, key, stored } = await gateway(t, { ingestion: { eventLimit: 200_000 } })
  const ask = async (query: string, type = 'track') => app.inject(`/v1/pixel/${type}?wk=${key}&${query}`)
  for (const query of ['', 'e=', `e=${'x'.repeat(1_001)}`, `e=e&uid=${'x'.repeat(513)}`, `e=e&aid=${'x'.repeat(513)}`]) {
    assertRefused(t, await ask(query), 400, query.slice(0, 20))
  }
  const many = (count: number): string => Array.from({ length: count }, (_, n) => `p.${n}=1`).join('&')
  assertRefused(t, await ask(many(10_001), 'page'), 400, 'too many properties')
  t.equal((await stored()).length, 0)
  const small = await gateway(t, { ingestion: { eventLimit: 100 } })
  assertRefused(t, await small.app.inject(`/v1/pixel/page?wk=${small.key}&p.x=${'y'.repeat(100)}`), 413, 'too large')
  t.equal((await small.app.inject(`/v1/pixel/page?wk=${small.key}&p.x=${'y'.repeat(60)}`)).statusCode, 200)
})

t.test('a refused or failed pixel keeps its 429 or 503 and its Retry-After', async (t) => {
  const limited = await gateway(t, { ingestion: { rateLimit: { max: 2, timeWindow: 60_000 } } })
  const ask = async () => limited.app.inject(`/v1/pixel/page?wk=${limited.key}`)
  t.same([(await ask()).statusCode,
    (await limited.app.inject({ method: 'HEAD', url: `/v1/pixel/page?wk=${limited.key}` })).statusCode], [200, 200])
  const over = await ask()
  assertRefused(t, over, 429, 'one bucket for HEAD and GET')
  t.ok(Number(over.headers['retry-after']) > 0)
  const sink = {
    ...memorySink(),
    write: async () => {
      throw new UNAVAILABLE()
    }
  }
  const down = await gateway(t, { sink })
  const away = await down.app.inject(`/v1/pixel/page?wk=${down.key}&aid=a`)
  assertRefused(t, away, 503, 'the sink is away')
  t.equal(away.headers['retry-after'], '1')
})

t.test('the key is neither logged nor stored, and the query is not logged', async (t) => {
  const log = logReader()
  const { app, key, accepted } = await gateway(t, { server: { logger: { level: 'trace', stream: log.stream } } })
  const marker = 'c0nfidential-text'
  for (
    const query of [`wk=${key}&e=${marker}&uid=${marker}&p.x=${marker}`, `wk=${key}&e=${marker}&ts=x`,
      `wk=${key}&wk=${key}`, `${key}`, `wk=${key}&p.__proto__=${marker}`]
  ) {
    await app.inject({ url: `/v1/pixel/track?${query}`, headers: { referer: `https://x.test/${marker}` } })
    await app.inject({ method: 'HEAD', url: `/v1/pixel/track?${query}` })
  }
  t.equal((await accepted()).length, 1)
  t.notMatch(JSON.stringify(await accepted()), key)
  t.match(log.text(), '/v1/pixel/track?wk=***')
  for (const text of [key, marker]) t.notMatch(log.text(), text)
})
