import t from 'tap'

import { packagesLoadedBy } from '../helpers/loaded-modules.js'

const DEMO_APP = new URL('../helpers/server-app.ts', import.meta.url).href

t.test('a start loads no package that only a few later requests need', async (t) => {
  const loaded = await packagesLoadedBy(`
    const { demoApp } = await import(${JSON.stringify(DEMO_APP)})
    const endings = []
    const test = { teardown: (ending) => endings.push(ending) }
    const { app } = await demoApp(test, { ADMIN_PASSWORD: 'a-password-of-my-own' })
    await app.ready()
    if (app.adminLogins.secondFactor === null) throw new Error('no second factors')
    if (!app.hasRoute({ method: 'GET', url: '/v1/admin/auth/sso/oidc/:id/callback' })) throw new Error('no OIDC')
    if (!app.hasRoute({ method: 'GET', url: '/api/databrain/proxy/*' })) throw new Error('no proxy')
    for (const ending of endings.reverse()) await ending()`)
  t.ok(loaded.has('@xmldom/xmldom'), 'the routes of SAML are registered')
  const late = ['otplib', '@simplewebauthn/server', 'openid-client', 'jose', '@node-saml/node-saml', 'xml-crypto',
    '@fastify/reply-from', 'undici', '@zxcvbn-ts/core']
  for (const name of late) t.notOk(loaded.has(name), name)
})
