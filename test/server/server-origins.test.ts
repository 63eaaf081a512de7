import t from 'tap'

import { serverOrigins } from '../../server/config/server-origins.js'

t.test('serverOrigins lists the address of a loopback server first and localhost second', async (t) => {
  t.same(serverOrigins('127.0.0.1', 3000), ['http://127.0.0.1:3000', 'http://localhost:3000'])
  t.same(serverOrigins('localhost', 80), ['http://127.0.0.1', 'http://localhost'])
  t.equal(serverOrigins('::1', 3000)[0], 'http://[::1]:3000')
})

t.test('serverOrigins lists the address of the server, or every address if the server listens on all', async (t) => {
  t.same(serverOrigins('192.0.2.7', 8080), ['http://192.0.2.7:8080'])
  t.same(serverOrigins('example.test', 8080), ['http://example.test:8080'])
  const all = serverOrigins('0.0.0.0', 3000)
  t.same(all.slice(0, 2), ['http://127.0.0.1:3000', 'http://localhost:3000'])
  t.same(new Set(all).size, all.length)
  for (const origin of all) t.equal(new URL(origin).origin, origin)
})
