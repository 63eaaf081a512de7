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
    for (const ending of endings.reverse()) await ending()`)
  t.ok(loaded.has('otplib'), 'the routes of second factors are registered')
  t.ok(loaded.has('@xmldom/xmldom'), 'the routes of SAML are registered')
  for (const name of ['@simplewebauthn/server', '@node-saml/node-saml', 'xml-crypto', '@zxcvbn-ts/core']) {
    t.notOk(loaded.has(name), name)
  }
})
