import t from 'tap'

import { readConfig } from '../../server/config/index.js'
import { demoApp } from '../helpers/server-app.js'
import { rawRequest } from '../helpers/raw-socket.js'

const PAGES = ['/', '/demo/page.json', '/demo/start.js']
const OWN = ['localhost', 'localhost:3000', 'LOCALHOST:3000', 'localhost.', 'demo.localhost', '127.0.0.1:3000',
  '[::1]:3000', '192.0.2.7', '[2001:db8::1]:80']
const FOREIGN = ['evil.example', 'evil.example:3000', 'localhost.evil.example', '127.0.0.1.evil.example',
  'evil-localhost', 'localhost@evil.example', '127.1', '[evil]']

t.test('the start page, which shows keys, is refused under a foreign host name', async (t) => {
  const { app } = await demoApp(t)
  for (const url of PAGES) {
    for (const host of OWN) t.equal((await app.inject({ url, headers: { host } })).statusCode, 200, `${url} of ${host}`)
    for (const host of FOREIGN) {
      const reply = await app.inject({ url, headers: { host, 'x-forwarded-host': 'localhost' } })
      t.equal(reply.statusCode, 403, `${url} of ${host}`)
      t.equal(reply.json().error.code, 'FORBIDDEN')
      t.equal(reply.headers['set-cookie'], undefined)
    }
  }
  const session = await app.inject({
    method: 'POST',
    url: '/demo/session',
    headers: { host: 'evil.example' },
    payload: { user: 'ann@example.com' }
  })
  t.equal(session.statusCode, 403)
  t.equal(
    (await app.inject({ url: '/healthz', headers: { host: 'evil.example' } })).statusCode,
    200,
    'a route that shows no keys'
  )
})

t.test('the pages of the mock products are refused under a foreign host name', async (t) => {
  const { products } = await demoApp(t)
  const origins = [products.databrain?.mockOrigin, products.boldbi?.mockOrigin, products.dxfeed?.mockOrigin].filter((
    origin
  ) => typeof origin === 'string')
  t.equal(origins.length, 3)
  for (const origin of origins) {
    t.equal(
      (await rawRequest(origin, ['GET /mock-product.css HTTP/1.1', 'Host: evil.example', 'Connection: close']))
        .statusCode,
      403,
      origin
    )
    t.not(
      (await rawRequest(origin, ['GET / HTTP/1.1', `Host: ${new URL(origin).host}`, 'Connection: close'])).statusCode,
      403,
      origin
    )
  }
})

t.test('ALLOWED_HOSTS and HOST allow further hosts', async (t) => {
  const { app } = await demoApp(t, { ALLOWED_HOSTS: 'demo.example.com, Other.example', HOST: 'box.internal' })
  for (
    const [host, status] of [['demo.example.com:8080', 200], ['other.example', 200], ['box.internal', 200], [
      'x.demo.example.com',
      403
    ]] as const
  ) {
    t.equal((await app.inject({ url: '/', headers: { host } })).statusCode, status, host)
  }
  for (const wrong of ['https://a.example', 'a.example:80', '*', 'a..b', '*.example.com']) {
    t.throws(() => readConfig({ ALLOWED_HOSTS: wrong }), { message: /ALLOWED_HOSTS must be/ }, wrong)
  }
})
