import Fastify from 'fastify'
import t from 'tap'

import { trustedProxies } from '../../server/config/trusted-proxies.js'
import { demoApp } from '../helpers/server-app.js'

t.test('a proxy is trusted by its address, its network or the name of a network, with or without a port', async (t) => {
  const isTrusted = trustedProxies(['10.0.0.0/8', '2001:db8::5', 'loopback'])
  for (
    const address of ['10.1.2.3', '10.1.2.3:50123', '::ffff:10.1.2.3', '2001:db8::5', '[2001:db8::5]:443', '127.0.0.1',
      '::1']
  ) t.ok(isTrusted(address), address)
  for (const address of ['11.0.0.1', '2001:db8::6', 'unknown', '', '192.168.0.1', '169.254.0.1']) {
    t.notOk(isTrusted(address), address)
  }
  t.ok(trustedProxies(['uniquelocal', 'linklocal'])('192.168.0.1:80'))
})

t.test('the client is the first address that is no trusted proxy, with ports in any form', async (t) => {
  const app = Fastify({ trustProxy: trustedProxies(['127.0.0.1', '10.0.0.0/8']) })
  t.teardown(() => app.close())
  app.get('/', async ({ ip }) => ip)
  const ip = async (forwarded: string) =>
    (await app.inject({ url: '/', headers: { 'x-forwarded-for': forwarded } })).body
  t.equal(await ip('198.51.100.1, 203.0.113.9:50123, 10.0.0.2:4711, 10.0.0.3'), '203.0.113.9:50123')
  t.equal(
    await ip('203.0.113.9, unknown, 10.0.0.3'),
    'unknown',
    'addresses before an untrusted proxy do not count'
  )
})

t.test('with TRUST_PROXY logins from any port count for one address, which the session and ' +
  'audit entry contain', async (t) => {
  const { app, first } = await demoApp(t, {
    LOG_LEVEL: 'silent',
    TRUST_PROXY: '127.0.0.1, 10.0.0.0/8',
    LOGIN_RATE_MAX: '3'
  })
  const login = async (port: number, email: string, password: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/admin/auth/login',
      payload: { email, password },
      headers: { 'x-forwarded-for': `203.0.113.9:${port}, 10.0.0.2:${port}` }
    })
  const good = await login(50_001, String(first.email), String(first.generatedPassword))
  t.equal(good.statusCode, 200)
  const statuses = []
  for (let at = 2; at < 6; at++) {
    statuses.push((await login(50_000 + at, `nobody${at}@example.com`, 'a wrong password')).statusCode)
  }
  t.same(statuses, [401, 401, 429, 429])
  const headers = { authorization: `Bearer ${String(good.json().access_token)}` }
  const sessions = await app.inject({ url: '/v1/admin/auth/sessions', headers })
  t.equal(sessions.json().data[0].ip_address, '203.0.113.9')
  const entries = await app.inject({ url: '/v1/admin/audit-logs?action=auth.login', headers })
  t.equal(entries.json().data[0].ip_address, '203.0.113.9')
})
