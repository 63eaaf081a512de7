import { brotliDecompressSync, gunzipSync } from 'node:zlib'

import Fastify from 'fastify'
import t from 'tap'

import ingestion from '../../../routes/ingestion/index.js'
import { gateway } from '../../helpers/gateway.js'
import type { GatewayOptions } from '../../helpers/gateway.js'

type Headers = Record<string, string>

async function asker (t: Parameters<typeof gateway>[0], options: GatewayOptions = {}) {
  const { app } = await gateway(t, options)
  return (headers: Headers = {}, method: 'GET' | 'HEAD' = 'GET', url = '/d.js') => app.inject({ method, url, headers })
}

t.test('the collector script is served to every origin with a cache time of one hour', async (t) => {
  const ask = await asker(t)
  for (const headers of [{}, { origin: 'https://any.test' }]) {
    const reply = await ask(headers)
    t.equal(reply.statusCode, 200)
    t.match(reply.headers, {
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
      vary: 'Accept-Encoding',
      etag: /^"[\w-]{27}"$/
    })
    t.equal(reply.headers['access-control-allow-credentials'], undefined, '* is sent without credentials')
    t.equal(reply.headers['set-cookie'], undefined)
  }
})

t.test('the collector script is smaller than 8 KB in gzip and contains no eval', async (t) => {
  const ask = await asker(t)
  const { rawPayload } = await ask({ 'accept-encoding': 'gzip' })
  t.ok(rawPayload.length > 1_000 && rawPayload.length < 8 * 1024, `${rawPayload.length} bytes`)
  t.notMatch(gunzipSync(rawPayload).toString(), /\beval\b|new Function|innerHTML|sourceMappingURL/)
})

t.test('the collector script is sent in the best accepted content coding', async (t) => {
  const ask = await asker(t)
  const script = (await ask()).body
  for (
    const [accepted, coding] of [
      ['gzip, deflate, br, zstd', 'br'],
      ['gzip', 'gzip'],
      ['GZIP;q=0.5', 'gzip'],
      ['*', 'br'],
      ['br;q=0, gzip', 'gzip'],
      ['br;q=0, *', 'gzip'],
      ['gzip;q=0', undefined],
      ['identity', undefined],
      ['', undefined],
      ['deflate', undefined],
      ['br;q=x', undefined],
      ['xbr', undefined]
    ] as const
  ) {
    const reply = await ask({ 'accept-encoding': accepted })
    t.equal(reply.headers['content-encoding'], coding, accepted)
    const bytes = coding === 'br'
      ? brotliDecompressSync(reply.rawPayload)
      : coding === 'gzip'
        ? gunzipSync(reply.rawPayload)
        : reply.rawPayload
    t.equal(bytes.toString(), script)
    t.equal(reply.headers['content-length'], String(reply.rawPayload.length))
  }
})

t.test('each content coding has its own ETag, and a matching If-None-Match is 304', async (t) => {
  const ask = await asker(t)
  const tags = await Promise.all(
    ['br', 'gzip', 'identity'].map(async (coding) => String((await ask({ 'accept-encoding': coding })).headers.etag))
  )
  t.equal(new Set(tags).size, 3)
  const [brotli = '', gzip = ''] = tags
  for (const known of [brotli, `W/${brotli}`, `"other", ${brotli}`, '*']) {
    const reply = await ask({ 'accept-encoding': 'br', 'if-none-match': known })
    t.equal(reply.statusCode, 304, known)
    t.equal(reply.body, '')
    t.match(reply.headers, { etag: brotli, vary: 'Accept-Encoding', 'cache-control': /max-age=3600/ })
  }
  for (const other of [gzip, '"other"', brotli.slice(1, -1), '']) {
    t.equal((await ask({ 'accept-encoding': 'br', 'if-none-match': other })).statusCode, 200, other)
  }
})

t.test('HEAD returns the headers of GET without a body', async (t) => {
  const ask = await asker(t)
  for (const coding of ['br', 'identity']) {
    const [get, head] = [await ask({ 'accept-encoding': coding }), await ask({ 'accept-encoding': coding }, 'HEAD')]
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    for (const name of ['etag', 'content-type', 'content-length', 'content-encoding', 'vary']) {
      t.equal(head.headers[name], get.headers[name], name)
    }
  }
})

t.test('the collector script is under the prefix and the rate limit, and collector: false removes it', async (t) => {
  const prefixed = await asker(t, { ingestion: { prefix: '/x', rateLimit: { max: 1, timeWindow: 60_000 } } })
  t.equal((await prefixed({}, 'GET', '/x/d.js')).statusCode, 200)
  const limited = await prefixed({}, 'GET', '/x/d.js')
  t.equal(limited.statusCode, 429)
  t.equal(limited.json().error.code, 'RATE_LIMITED')
  const without = await asker(t, { ingestion: { collector: false } })
  t.equal((await without()).statusCode, 404)
  await t.rejects(async () => Fastify().register(ingestion, { collector: 'no' as never }), { code: 'INVALID_OPTIONS' })
})
