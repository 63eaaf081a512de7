import t from 'tap'

import { signedResponse } from '../../../helpers/forged-saml.js'
import { assertRefused, fragmentOf, idpKeys, LOGIN_PAGE, samlApp } from '../../../helpers/saml-app.js'

t.test('a response in another browser, or with another or no RelayState, is refused', async (t) => {
  const app = await samlApp(t)
  const [login, other] = [await app.start(), await app.start()]
  const xml = signedResponse(app.partsFor(login), idpKeys)
  for (const changed of [{ cookie: '' }, { cookie: other.cookie }, { relayState: other.state }, { relayState: '' }]) {
    await assertRefused(t, app, await app.send(xml, login, changed), { reason: 'expired', detail: /unknown/ })
  }
})

t.test('a login of one browser cannot be finished with the response to a login of another', async (t) => {
  const app = await samlApp(t)
  const [mine, theirs] = [await app.start(), await app.start()]
  const xml = signedResponse(app.partsFor(theirs), idpKeys)
  await assertRefused(t, app, await app.send(xml, mine), { detail: /answers another request/ })
})

t.test('a response is accepted once, also by another instance on the same store', async (t) => {
  const first = await samlApp(t)
  const second = await samlApp(t, { store: first.store })
  const login = await first.start()
  const xml = signedResponse(first.partsFor(login), idpKeys)
  t.ok(fragmentOf(await first.send(xml, login)).has('sso'))
  for (const app of [first, second]) {
    const again = await app.send(xml, login)
    t.equal(again.headers.location, `${LOGIN_PAGE}#sso_error=expired`)
  }
  await first.audited('auth.sso_failed', 'default', 2)
})

t.test('a login that took longer than 15 minutes is refused', async (t) => {
  const app = await samlApp(t)
  const login = await app.start()
  app.clock.now += 15 * 60_000
  const xml = signedResponse(app.partsFor(login), idpKeys)
  await assertRefused(t, app, await app.send(xml, login), { reason: 'expired', detail: /unknown/ })
})

t.test('RelayState never becomes a redirect', async (t) => {
  const app = await samlApp(t, { settings: { allow_idp_initiated: true } })
  for (const relayState of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)']) {
    const xml = signedResponse(app.partsFor(null), idpKeys)
    const reply = await app.send(xml, null, { relayState })
    t.match(reply.headers.location, new RegExp(`^${LOGIN_PAGE}#sso=[\\w-]+$`))
    const login = await app.start()
    const refused = await app.send(signedResponse(app.partsFor(login), idpKeys), login, { relayState })
    t.equal(refused.headers.location, `${LOGIN_PAGE}#sso_error=expired`)
  }
})

t.test('a login that the provider starts is refused by default', async (t) => {
  const app = await samlApp(t)
  const xml = signedResponse(app.partsFor(null), idpKeys)
  await assertRefused(t, app, await app.send(xml, null), { reason: 'expired', detail: /unknown/ })
})

t.test('allow_idp_initiated accepts an assertion without a request once, on every instance', async (t) => {
  const settings = { allow_idp_initiated: true }
  const first = await samlApp(t, { settings })
  const second = await samlApp(t, { settings, store: first.store })
  const xml = signedResponse(first.partsFor(null), idpKeys)
  t.equal((await first.exchange(await first.send(xml, null))).statusCode, 200)
  for (const app of [first, second]) {
    const again = await app.send(xml, null)
    t.equal(again.headers.location, `${LOGIN_PAGE}#sso_error=invalid_response`)
  }
  const entries = await first.audited('auth.sso_failed', 'default', 2)
  t.match(entries[0]?.changes, { detail: /used before/ })
  first.clock.now += 6 * 60_000
  const late = await first.send(xml, null)
  t.equal(late.headers.location, `${LOGIN_PAGE}#sso_error=invalid_response`, 'it has expired before it is forgotten')
})

t.test('allow_idp_initiated does not accept the answer to a request without its login', async (t) => {
  const app = await samlApp(t, { settings: { allow_idp_initiated: true } })
  const login = await app.start()
  const stolen = signedResponse(app.partsFor(login), idpKeys)
  await assertRefused(t, app, await app.send(stolen, null), { reason: 'expired', detail: /unknown/ })
  const stripped = stolen.replace(/ InResponseTo="[^"]*"/, '')
  await assertRefused(t, app, await app.send(stripped, null), { detail: /assertion answers another request/ })
})
