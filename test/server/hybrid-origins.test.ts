import t from 'tap'

import { demoApp } from '../helpers/server-app.js'

const ORIGINS = ['capacitor://localhost', 'ionic://localhost', 'tauri://localhost',
  'chrome-extension://abcdefghijklmnopabcdefghijklmnop']

t.test("origins with an app's own scheme are valid domains and EMBED_ORIGINS, and file: is not", async (t) => {
  const { app, first: { email, generatedPassword: password } } = await demoApp(t, {
    LOG_LEVEL: 'silent',
    EMBED_ORIGINS: ORIGINS.join(', ')
  })
  const login = await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })
  const headers = { authorization: `Bearer ${String(login.json().access_token)}` }
  const created = await app.inject({
    method: 'POST',
    url: '/v1/admin/sources',
    headers,
    payload: { name: 'Apps', domains: ORIGINS }
  })
  t.equal(created.statusCode, 201)
  const { id, domains, pipeline_key: key } = created.json()
  t.same(domains, ORIGINS)
  for (const origin of ORIGINS) {
    const event = await app.inject({
      method: 'POST',
      url: '/v1/track',
      headers: { authorization: `Bearer ${String(key)}`, origin },
      payload: { event: 'E', userId: 'u1' }
    })
    t.equal(event.statusCode, 200, origin)
    t.equal(event.headers['access-control-allow-origin'], origin)
    for (const url of ['/v1/track', '/authorize']) {
      const preflight = await app.inject({
        method: 'OPTIONS',
        url,
        headers: { origin, 'access-control-request-method': 'POST' }
      })
      t.equal(preflight.statusCode, 204, `${url} ${origin}`)
      t.equal(preflight.headers['access-control-allow-origin'], origin)
    }
    const other = await app.inject({
      method: 'POST',
      url: '/v1/track',
      headers: { authorization: `Bearer ${String(key)}`, origin: `${origin}.evil` },
      payload: { event: 'E', userId: 'u1' }
    })
    t.equal(other.statusCode, 403)
  }
  for (
    const domain of ['file://', 'file:///index.html', 'data:text/html,x', 'blob:https://a.test/1',
      'capacitor://localhost/', 'capacitor://*']
  ) {
    const changed = await app.inject({
      method: 'PATCH',
      url: `/v1/admin/sources/${String(id)}`,
      headers,
      payload: { domains: [domain] }
    })
    t.equal(changed.statusCode, 400, domain)
    t.match(changed.json().error.details, [{ path: '/domains/0' }])
    await t.rejects(demoApp(t, { EMBED_ORIGINS: domain }), { message: /EMBED_ORIGINS/ }, domain)
  }
})

t.test('EMBED_ORIGINS accepts an international name only in punycode', async (t) => {
  await t.rejects(demoApp(t, { EMBED_ORIGINS: 'https://bücher.example' }), { message: /punycode/ })
  await t.resolves(demoApp(t, { LOG_LEVEL: 'silent', EMBED_ORIGINS: 'https://xn--bcher-kva.example' }))
})
