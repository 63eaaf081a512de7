import { deflateRawSync, inflateRawSync } from 'node:zlib'

import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'

import { decode } from '../../../helpers/admin.js'
import { base64, newId, signed, signedResponse } from '../../../helpers/forged-saml.js'
import type { SignatureParts } from '../../../helpers/forged-saml.js'
import { createSigningPair } from '../../../../server/mock-products/saml/certificate.js'
import type { SigningPair } from '../../../../server/mock-products/saml/certificate.js'
import { signQuery } from '../../../../server/mock-products/saml/signatures.js'
import {
  assertRefused, fragmentOf, IDP, idpKeys, LOGIN_PAGE, otherKeys, privatePem, PUBLIC_URL, SAML_PATH, samlApp
} from '../../../helpers/saml-app.js'
import type { SamlApp } from '../../../helpers/saml-app.js'

const SLO = `${PUBLIC_URL}${SAML_PATH}/acme/slo`
const LOGOUT = { logout_url: 'https://idp.example/slo?tenant=1' }
const spKeys = await createSigningPair('sp', Date.now())

interface LogoutParts {
  now: number
  id?: string
  nameId?: string
  sessions?: readonly string[]
  destination?: string
  issuer?: string
  notOnOrAfter?: number
  issuedAt?: number
}

function logoutXml (parts: LogoutParts): string {
  const { now, id = newId(), nameId = 'person-1', sessions = ['session-1'], destination = SLO, issuer = IDP } = parts
  const end = parts.notOnOrAfter === undefined ? '' : ` NotOnOrAfter="${new Date(parts.notOnOrAfter).toISOString()}"`
  return '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"' +
    ` xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0"` +
    ` IssueInstant="${new Date(parts.issuedAt ?? now).toISOString()}" Destination="${destination}"${end}>` +
    `<saml:Issuer>${issuer}</saml:Issuer><saml:NameID>${nameId}</saml:NameID>` +
    `${sessions.map((index) => `<samlp:SessionIndex>${index}</samlp:SessionIndex>`).join('')}</samlp:LogoutRequest>`
}

async function redirected (app: SamlApp, xml: string, keys: SigningPair | null, relayState = '') {
  const message = encodeURIComponent(deflateRawSync(xml).toString('base64'))
  const query = `SAMLRequest=${message}${relayState === '' ? '' : `&RelayState=${encodeURIComponent(relayState)}`}`
  return await app.get(`${SAML_PATH}/acme/slo?${keys === null ? query : signQuery(query, keys)}`)
}

async function posted (app: SamlApp, xml: string, relayState?: string) {
  return await app.app.inject({
    method: 'POST',
    url: `${SAML_PATH}/acme/slo`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({
      SAMLRequest: base64(xml), ...relayState === undefined ? {} : { RelayState: relayState }
    }).toString()
  })
}

/** Logs Bob in, and returns whether his session is live, and his token. */
async function session (app: SamlApp, sessionIndex = 'session-1') {
  const reply = await app.exchange(await app.finish({ email: 'bob@acme.example', sessionIndex }))
  const { access_token: token } = reply.json<{ access_token: string }>()
  return { token, isLive: async () => await app.store.sessions.ssoOf(String(decode(token).claims.sid)) !== null }
}

function responseOf (reply: LightMyRequestResponse): { url: URL, xml: string } {
  const url = new URL(String(reply.headers.location))
  const bytes = Buffer.from(url.searchParams.get('SAMLResponse') ?? '', 'base64')
  return { url, xml: inflateRawSync(bytes).toString() }
}

t.test('a signed LogoutRequest by redirect ends the session and is answered', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const [first, second] = [await session(app), await session(app, 'session-2')]
  const id = newId()
  const reply = await redirected(app, logoutXml({ now: app.clock.now, id }), idpKeys, 'their state ~!')
  t.equal(reply.statusCode, 303)
  const { url, xml } = responseOf(reply)
  t.equal(url.origin + url.pathname, 'https://idp.example/slo')
  t.equal(url.searchParams.get('tenant'), '1')
  t.equal(url.searchParams.get('RelayState'), 'their state ~!')
  t.match(xml, `InResponseTo="${id}"`)
  t.match(xml, 'status:Success')
  t.equal(await first.isLive(), false)
  t.equal(await second.isLive(), true, 'another session at the provider')
  const [entry] = await app.audited('auth.logout')
  t.match(entry, { userEmail: 'bob@acme.example', changes: { provider_id: 'acme' } })
})

t.test('a signed LogoutRequest by POST ends the session, and one without SessionIndex all of the person', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const [first, second] = [await session(app), await session(app, 'session-2')]
  const one = await posted(app, signed(logoutXml({ now: app.clock.now }), 'LogoutRequest', idpKeys))
  t.equal(one.statusCode, 303)
  t.same([await first.isLive(), await second.isLive()], [false, true])
  await posted(app, signed(logoutXml({ now: app.clock.now, sessions: [] }), 'LogoutRequest', idpKeys))
  t.equal(await second.isLive(), false)
})

const sign = (xml: string, keys = idpKeys, parts: SignatureParts = {}) => signed(xml, 'LogoutRequest', keys, parts)
const SHA1 = { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }

/** LogoutRequests that are refused by either binding. */
const WRONG: ReadonlyArray<[title: string, parts: (now: number) => Partial<LogoutParts>, detail: RegExp]> = [
  ['for another destination', () => ({ destination: `${PUBLIC_URL}/x` }), /another destination/],
  ['of another issuer', () => ({ issuer: 'https://evil.example' }), /issuer/],
  ['that has expired', (now) => ({ notOnOrAfter: now - 60_000 }), /has expired/],
  ['that is five minutes old', (now) => ({ issuedAt: now - 360_000 }), /too old/],
  ['from the future', (now) => ({ issuedAt: now + 61_000 }), /future/],
  ['without a NameID', () => ({ nameId: '' }), /NameID/]
]
for (const [title, changes, detail] of WRONG) {
  t.test(`a LogoutRequest ${title} ends nothing`, async (t) => {
    const app = await samlApp(t, { settings: LOGOUT })
    const { isLive } = await session(app)
    const xml = () => logoutXml({ now: app.clock.now, ...changes(app.clock.now) })
    await assertRefused(t, app, await redirected(app, xml(), idpKeys), { detail })
    await assertRefused(t, app, await posted(app, sign(xml())), { detail })
    t.equal(await isLive(), true)
  })
}

t.test('a LogoutRequest that is not signed, or by another key or SHA-1, ends nothing', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const { isLive } = await session(app)
  const xml = () => logoutXml({ now: app.clock.now })
  const good = (await redirectUrl(xml())).replace(/Signature=[^&]*/, '')
  for (const send of [
    () => redirected(app, xml(), null),
    () => redirected(app, xml(), otherKeys),
    () => app.get(`${good}Signature=`),
    () => app.get(good.replace(/&SigAlg=[^&]*/, '') + 'Signature=AAAA'),
    () => posted(app, xml()),
    () => posted(app, sign(xml(), otherKeys)),
    () => posted(app, sign(xml(), idpKeys, SHA1)),
    () => posted(app, sign(xml()).replace('person-1', 'person-2'))
  ]) await assertRefused(t, app, await send(), { detail: /not signed|not valid|not accepted/ })
  t.equal(await isLive(), true)
})

async function redirectUrl (xml: string): Promise<string> {
  const message = encodeURIComponent(deflateRawSync(xml).toString('base64'))
  return `${SAML_PATH}/acme/slo?${signQuery(`SAMLRequest=${message}`, idpKeys)}`
}

t.test('a signed query with SHA-1, a changed RelayState or a second message ends nothing', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const { isLive } = await session(app)
  const url = await redirectUrl(logoutXml({ now: app.clock.now }))
  const sha1 = encodeURIComponent('http://www.w3.org/2000/09/xmldsig#rsa-sha1')
  await assertRefused(t, app, await app.get(url.replace(/SigAlg=[^&]*/, `SigAlg=${sha1}`)), { detail: /algorithm/ })
  await assertRefused(t, app, await app.get(`${url}&RelayState=x`), { detail: /not valid/ })
  t.equal((await app.get(`${url}&SAMLRequest=AAAA`)).statusCode, 400)
  t.equal(await isLive(), true)
})

t.test('a compressed message that inflates beyond 64 KiB is refused', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const bomb = logoutXml({ now: app.clock.now, nameId: ' '.repeat(5_000_000) })
  await assertRefused(t, app, await redirected(app, bomb, idpKeys), { detail: /larger than 64 KiB/ })
})

t.test('a LogoutRequest of another person or another session ends nothing, and looks the same', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const { isLive } = await session(app)
  for (const parts of [{ nameId: 'person-2' }, { sessions: ['session-9'] }, { nameId: 'person-2', sessions: [] }]) {
    const reply = await redirected(app, logoutXml({ now: app.clock.now, ...parts }), idpKeys)
    t.match(responseOf(reply).xml, 'status:Success')
  }
  t.equal(await isLive(), true)
})

t.test('a LogoutRequest works once', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const xml = logoutXml({ now: app.clock.now, sessions: [] })
  t.match(responseOf(await redirected(app, xml, idpKeys)).xml, 'status:Success')
  app.clock.now += 1000
  const { isLive } = await session(app)
  await assertRefused(t, app, await redirected(app, xml, idpKeys), { detail: /used before/ })
  t.equal(await isLive(), true)
})

t.test('with logout_binding post, the answer is a page with a form, a button and an external script', async (t) => {
  const app = await samlApp(t, {
    settings: { ...LOGOUT, logout_binding: 'post', sp_certificates: [spKeys.certificate] },
    secrets: [privatePem(spKeys)]
  })
  const reply = await posted(app, sign(logoutXml({ now: app.clock.now })), '"><script>alert(1)</script>')
  t.equal(reply.statusCode, 200)
  t.equal(reply.headers['content-security-policy'], "default-src 'none'; script-src 'self'; " +
    "form-action https://idp.example; base-uri 'none'; frame-ancestors 'none'")
  t.match(reply.body, '<form method="post" action="https://idp.example/slo?tenant=1">')
  t.match(reply.body, '<button>')
  t.notMatch(reply.body, 'alert(1)</script>')
  const [, script = ''] = /<script src="([^"]+)"><\/script>/.exec(reply.body) ?? []
  const file = await app.get(new URL(script).pathname)
  t.equal(file.statusCode, 200)
  t.match(file.headers['content-type'], /^text\/javascript/)
  const [, message = ''] = /name="SAMLResponse" value="([^"]+)"/.exec(reply.body) ?? []
  const xml = Buffer.from(message.replaceAll('&#61;', '='), 'base64').toString()
  t.match(xml, /<samlp:LogoutResponse.*<ds:Signature.*<samlp:Status>/)
})

t.test('a LogoutResponse leads to the login page', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const reply = await app.get(`${SAML_PATH}/acme/slo?SAMLResponse=AAAA&RelayState=https://evil.example`)
  t.equal(reply.statusCode, 303)
  t.equal(reply.headers.location, LOGIN_PAGE)
})

t.test('a logout here returns the URL of the provider with a signed LogoutRequest', async (t) => {
  const app = await samlApp(t, {
    settings: { ...LOGOUT, sp_certificates: [spKeys.certificate] }, secrets: [privatePem(spKeys)]
  })
  const { token, isLive } = await session(app)
  const reply = await app.post('sso/logout', undefined, token)
  t.equal(reply.statusCode, 200, reply.body)
  const url = new URL(reply.json<{ logout_url: string }>().logout_url)
  t.equal(url.origin + url.pathname, 'https://idp.example/slo')
  t.ok(url.searchParams.has('Signature'))
  const xml = inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest') ?? '', 'base64')).toString()
  t.match(xml, /<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">person-1</)
  t.match(xml, /SessionIndex[^>]*>session-1</)
  t.match(xml, `Destination="${LOGOUT.logout_url}"`)
  t.equal(await isLive(), false)
})

t.test('a logout between the response and the exchange of its code prevents the session', async (t) => {
  const app = await samlApp(t, { settings: LOGOUT })
  const login = await app.start()
  const finished = await app.send(signedResponse(app.partsFor(login), idpKeys), login)
  t.ok(fragmentOf(finished).has('sso'))
  app.clock.now += 1
  t.equal((await redirected(app, logoutXml({ now: app.clock.now }), idpKeys)).statusCode, 303)
  t.equal((await app.exchange(finished)).statusCode, 401)
})
