import { request as askByTls } from 'node:https'
import type { AddressInfo } from 'node:net'

import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import requireHttps from '../../plugins/require-https.js'
import type { RequireHttpsOptions } from '../../plugins/require-https.js'
import { rawRequest } from '../helpers/raw-socket.js'
import { selfSigned } from '../helpers/self-signed.js'

const PROXY = '10.0.0.1'
const CLIENT = '192.0.2.7'
const DAYS_180 = 'max-age=15552000'

async function guarded (
  t: Test,
  options: RequireHttpsOptions = {},
  settings: FastifyServerOptions = {}
): Promise<FastifyInstance> {
  const app = Fastify(settings)
  t.teardown(() => app.close())
  await app.register(requireHttps, options)
  app.get('/x', { config: { gatehouse: { https: true } } }, async () => 'ok')
  app.get('/open', { config: { gatehouse: { https: false } } }, async () => 'ok')
  app.get('/silent', async () => 'ok')
  return app
}

t.test('plain HTTP is 403 HTTPS_REQUIRED on a guarded route and passes on others', async (t) => {
  const app = await guarded(t)
  const refused = await app.inject({ url: '/x', remoteAddress: CLIENT })
  t.equal(refused.statusCode, 403)
  t.same(refused.json(), { error: { code: 'HTTPS_REQUIRED', message: 'HTTPS is required' } })
  t.equal(refused.headers['strict-transport-security'], undefined)
  for (const url of ['/open', '/silent']) {
    t.equal((await app.inject({ url, remoteAddress: CLIENT })).statusCode, 200, url)
  }
})

t.test('with global every route without https: false is guarded, and so is the 404 handler; ' +
  'a preflight passes', async (t) => {
  const app = await guarded(t, { global: true })
  app.options('/x', async () => 'ok')
  const statuses = []
  for (const url of ['/x', '/silent', '/nowhere', '/open']) {
    statuses.push((await app.inject({ url, remoteAddress: CLIENT })).statusCode)
  }
  t.same(statuses, [403, 403, 403, 200])
  const preflight = { origin: 'https://a.test', 'access-control-request-method': 'GET' }
  t.equal(
    (await app.inject({ method: 'OPTIONS', url: '/x', remoteAddress: CLIENT, headers: preflight })).statusCode,
    200
  )
})

t.test('proxy headers of an untrusted peer are ignored, whether another proxy is trusted or not', async (t) => {
  for (const trustProxy of [false, PROXY]) {
    const app = await guarded(t, {}, { trustProxy })
    for (
      const headers of [{ 'x-forwarded-proto': 'https' }, { forwarded: 'proto=https' }, { 'x-forwarded-ssl': 'on' }, {
        'x-forwarded-proto': 'https',
        'x-forwarded-for': PROXY
      }]
    ) {
      for (const remoteAddress of [CLIENT, '127.0.0.1']) {
        const { statusCode } = await app.inject({ url: '/x', remoteAddress, headers })
        // X-Forwarded-Ssl is no sign of a proxy, so that loopback requests with it pass.
        t.equal(
          statusCode,
          remoteAddress === '127.0.0.1' && 'x-forwarded-ssl' in headers ? 200 : 403,
          `${String(trustProxy)} ${remoteAddress} ${JSON.stringify(headers)}`
        )
      }
    }
  }
})

t.test('behind a trusted proxy the last value of X-Forwarded-Proto counts', async (t) => {
  const app = await guarded(t, {}, { trustProxy: PROXY })
  const cases: Array<[string, number]> = [
    ['https', 200],
    ['HTTPS', 200],
    ['http, https', 200],
    ['http,https', 200],
    ['http', 403],
    ['https, http', 403],
    ['https,http', 403],
    ['https,', 403],
    ['wss', 403],
    ['https:', 403],
    ['httpsx', 403],
    ['https http', 403],
    [' https ', 200]
  ]
  for (const [value, status] of cases) {
    const reply = await app.inject({
      url: '/x',
      remoteAddress: PROXY,
      headers: { 'x-forwarded-proto': value, 'x-forwarded-for': CLIENT }
    })
    t.equal(reply.statusCode, status, value)
    t.equal(reply.headers['strict-transport-security'], status === 200 ? DAYS_180 : undefined, value)
  }
  t.equal(
    (await app.inject({ url: '/x', remoteAddress: PROXY, headers: { 'x-forwarded-for': CLIENT } })).statusCode,
    403,
    'without the header it is plain HTTP'
  )
})

t.test('two X-Forwarded-Proto headers are a list', async (t) => {
  const app = await guarded(t, {}, { trustProxy: '127.0.0.1' })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const ask = async (...protocols: string[]) =>
    (await rawRequest(origin, ['GET /x HTTP/1.1', 'Host: a', 'Connection: close', ...protocols.map((value) =>
      `X-Forwarded-Proto: ${value}`
    )])).statusCode
  t.same([await ask('https', 'http'), await ask('http', 'https'), await ask('http'), await ask('https')], [403, 200,
    403, 200])
})

t.test('plain HTTP from loopback passes, but not through a proxy there, and not with ' +
  'allowLoopback: false', async (t) => {
  const app = await guarded(t)
  for (const remoteAddress of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) {
    const reply = await app.inject({ url: '/x', remoteAddress })
    t.equal(reply.statusCode, 200, remoteAddress)
    t.equal(reply.headers['strict-transport-security'], undefined)
    for (const name of ['x-forwarded-for', 'X-Forwarded-Proto', 'x-forwarded-host', 'Forwarded', 'x-real-ip', 'via']) {
      t.equal(
        (await app.inject({ url: '/x', remoteAddress, headers: { [name]: 'http' } })).statusCode,
        403,
        `${remoteAddress} ${name}`
      )
    }
  }
  for (const remoteAddress of ['128.0.0.1', '::2', '10.0.0.1', '::ffff:10.0.0.1']) {
    t.equal((await app.inject({ url: '/x', remoteAddress })).statusCode, 403, remoteAddress)
  }
  const strict = await guarded(t, { allowLoopback: false })
  for (const remoteAddress of ['127.0.0.1', '::1']) {
    t.equal((await strict.inject({ url: '/x', remoteAddress })).statusCode, 403)
  }
})

t.test("a response over TLS has HSTS, and a host's own HSTS header is kept", async (t) => {
  const { key, cert } = selfSigned()
  const app = await guarded(t, { allowLoopback: false }, { https: { key, cert } } as object)
  app.get('/own', {
    config: { gatehouse: { https: true } },
    onSend: async (_request, reply) => {
      reply.header('strict-transport-security', 'max-age=1')
    }
  }, async () => 'ok')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const ask = (path: string) =>
    new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
      askByTls({
        host: '127.0.0.1',
        port: (app.server.address() as AddressInfo).port,
        path,
        ca: cert,
        rejectUnauthorized: false
      }, (answer) => {
        answer.resume()
        resolve([answer.statusCode, answer.headers['strict-transport-security']])
      }).on('error', reject).end()
    })
  t.same(await ask('/x'), [200, DAYS_180])
  t.same(await ask('/own'), [200, 'max-age=1'])
  t.same(await ask('/silent'), [200, undefined])
})

t.test('the hsts option sets the header or disables it', async (t) => {
  const cases: Array<[RequireHttpsOptions['hsts'], string | undefined]> = [
    [{}, DAYS_180],
    [{ maxAgeSeconds: 0 }, 'max-age=0'],
    [{ maxAgeSeconds: 60, includeSubDomains: true }, 'max-age=60; includeSubDomains'],
    [false, undefined],
    [{ maxAgeSeconds: 31_536_000, includeSubDomains: true, preload: true },
      'max-age=31536000; includeSubDomains; preload']
  ]
  for (const [hsts, expected] of cases) {
    const app = await guarded(t, hsts === undefined ? {} : { hsts }, { trustProxy: PROXY })
    const { headers } = await app.inject({ url: '/x', remoteAddress: PROXY, headers: { 'x-forwarded-proto': 'https' } })
    t.equal(headers['strict-transport-security'], expected, JSON.stringify(hsts))
  }
})

t.test('an invalid option stops the start with an error that names it', async (t) => {
  const cases: Array<[object, string]> = [
    [{ global: 1 }, 'global'],
    [{ allowLoopback: 'no' }, 'allowLoopback'],
    [{ hsts: true }, 'hsts'],
    [{ hsts: null }, 'hsts'],
    [{ hsts: { maxAgeSeconds: -1 } }, 'hsts.maxAgeSeconds'],
    [{ hsts: { maxAgeSeconds: '1' } }, 'hsts.maxAgeSeconds'],
    [{ hsts: { includeSubDomains: 1 } }, 'hsts.includeSubDomains'],
    [{ hsts: { preload: 1 } }, 'hsts.preload'],
    [{ hsts: { preload: true } }, 'hsts.preload'],
    [{ hsts: { preload: true, includeSubDomains: true } }, 'hsts.preload']
  ]
  for (const [options, name] of cases) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(requireHttps, options), {
      code: 'INVALID_OPTIONS',
      message: new RegExp(`^require-https: "${name}" (must be|needs) `)
    }, JSON.stringify(options))
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(requireHttps)
  app.get('/x', { config: { gatehouse: { https: 'yes' as never } } }, async () => 'x')
  await t.rejects(async () => app.ready(), { code: 'INVALID_OPTIONS', message: /https must be/ })
})

t.test('an inner registration replaces the outer options for its routes', async (t) => {
  const app = await guarded(t, { global: true })
  await app.register(async (scope) => {
    await scope.register(requireHttps, { global: true, allowLoopback: false })
    scope.get('/inner', async () => 'ok')
  })
  t.same([(await app.inject('/silent')).statusCode, (await app.inject('/inner')).statusCode], [200, 403])
})
