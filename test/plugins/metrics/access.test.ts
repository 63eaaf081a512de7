import Fastify from 'fastify'
import type { FastifyServerOptions, InjectOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import metrics from '../../../plugins/metrics/index.js'
import type { MetricsOptions } from '../../../plugins/metrics/index.js'
import { codeOf } from '../../helpers/gateway.js'
import { logReader } from '../../helpers/log-reader.js'

const TOKEN = 'm3trics-token-0123456789-abcdefghijkl'
const OTHER = 'm3trics-token-0123456789-abcdefghijkm'

async function appOf (t: Test, options: MetricsOptions = {}, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(metrics, options)
  return (request: InjectOptions = {}) => app.inject({ url: '/metrics', ...request })
}

t.test('without a token only a program on this machine reads the metrics, whatever proxies are trusted', async (t) => {
  for (const trustProxy of [false, true]) {
    const get = await appOf(t, {}, { trustProxy })
    for (const remoteAddress of ['127.0.0.1', '127.5.6.7', '::1', '::ffff:127.0.0.1']) {
      t.equal((await get({ remoteAddress })).statusCode, 200, remoteAddress)
    }
    const refused: InjectOptions[] = [
      { remoteAddress: '10.0.0.5' },
      { remoteAddress: '::ffff:10.0.0.5' },
      { remoteAddress: '2001:db8::1' },
      { remoteAddress: '10.0.0.5', headers: { 'x-forwarded-for': '127.0.0.1' } },
      ...['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'via'].map((name) => ({
        remoteAddress: '127.0.0.1',
        headers: { [name]: '127.0.0.1' }
      }))
    ]
    for (const request of refused) {
      const response = await get(request)
      t.equal(response.statusCode, 403, JSON.stringify(request))
      t.equal(codeOf(response), 'FORBIDDEN')
    }
  }
})

t.test('with a token every caller needs it, also on this machine', async (t) => {
  const get = await appOf(t, { token: TOKEN })
  const withToken = (authorization: string) => get({ remoteAddress: '10.0.0.5', headers: { authorization } })
  t.equal((await withToken(`Bearer ${TOKEN}`)).statusCode, 200)
  for (const authorization of ['', TOKEN, `Basic ${TOKEN}`, `Bearer ${OTHER}`, `Bearer ${TOKEN}x`, 'Bearer ']) {
    const response = await withToken(authorization)
    t.equal(response.statusCode, 401, authorization)
    t.equal(codeOf(response), 'UNAUTHORIZED')
    t.equal(response.headers['www-authenticate'], 'Bearer')
  }
  t.equal((await get({ remoteAddress: '127.0.0.1' })).statusCode, 401)
})

t.test('a token from a function may change, and no token is logged', async (t) => {
  const log = logReader()
  let token = TOKEN
  const get = await appOf(t, { token: async () => token, secretMaxAge: 0 }, {
    logger: { level: 'trace', stream: log.stream }
  })
  const statusOf = async (value: string) => (await get({ headers: { authorization: `Bearer ${value}` } })).statusCode
  t.equal(await statusOf(TOKEN), 200)
  token = OTHER
  t.equal(await statusOf(TOKEN), 401)
  t.equal(await statusOf(OTHER), 200)
  t.notMatch(log.text(), TOKEN)
  t.notMatch(log.text(), OTHER)
})
