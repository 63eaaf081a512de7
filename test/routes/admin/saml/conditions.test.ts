import t from 'tap'

import { signedResponse } from '../../../helpers/forged-saml.js'
import type { ResponseParts } from '../../../helpers/forged-saml.js'
import { assertRefused, idpKeys, samlApp } from '../../../helpers/saml-app.js'

const MINUTE = 60_000
const HOUR = 3_600_000

/** Changes of a valid response, from the time of the login, and the detail in the audit entry. */
const WRONG: ReadonlyArray<[title: string, changes: (now: number) => Partial<ResponseParts>, detail: RegExp]> = [
  ['for another audience', () => ({ audience: 'https://gate.example/v1/admin/auth/sso/saml/other/metadata' }),
    /another audience/],
  ['with a second audience restriction', () => ({
    condition: '<saml:AudienceRestriction><saml:Audience>https://a.example</saml:Audience></saml:AudienceRestriction>'
  }), /another audience/],
  ['for another recipient', (): Partial<ResponseParts> => ({
    recipient: 'https://gate.example/v1/admin/auth/sso/saml/other/acs',
    destination: 'https://gate.example/v1/admin/auth/sso/saml/acme/acs'
  }), /another recipient/],
  ['for another destination', () => ({ destination: 'https://gate.example/elsewhere' }), /another destination/],
  ['of another issuer', () => ({ issuer: 'https://evil.example', responseIssuer: 'https://idp.example/metadata' }),
    /issuer of the assertion/],
  ['in an envelope of another issuer', () => ({ responseIssuer: 'https://evil.example' }), /issuer of the response/],
  ['to another request', () => ({ inResponseTo: '_other' }), /answers another request/],
  ['to no request', () => ({ inResponseTo: null }), /answers another request/],
  ['whose signed confirmation answers another request', () => ({ confirmedRequest: '_other' }),
    /assertion answers another request/],
  ['whose signed confirmation answers no request', () => ({ confirmedRequest: null }),
    /assertion answers another request/],
  ['that has expired', (now) => ({ notOnOrAfter: now - MINUTE }), /Conditions has expired/],
  ['that is not yet valid', (now) => ({ notBefore: now + MINUTE + 1000 }), /Conditions is not yet valid/],
  ['whose confirmation has expired', (now) => ({ confirmedUntil: now - MINUTE }),
    /SubjectConfirmationData has expired/],
  ['that was issued an hour ago', (now) => ({ issuedAt: now - HOUR - MINUTE, notBefore: now - HOUR }), /too old/],
  ['that was issued in the future', (now) => ({ issuedAt: now + MINUTE + 1000 }), /future/],
  ['whose session has ended', (now) => ({ sessionUntil: now - MINUTE }), /session at the provider has expired/],
  ['without AuthnStatement', () => ({ authnStatement: '' }), /no AuthnStatement/],
  ['without a bearer confirmation', () => ({
    confirmation: '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"/>'
  }), /no bearer confirmation/],
  ['without any confirmation', () => ({ confirmation: '' }), /no bearer confirmation/],
  ['with an unknown condition', () => ({ condition: '<x:Weekdays xmlns:x="urn:x"/>' }), /unknown condition/],
  ['with a transient NameID', () => ({ format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }), /transient/],
  ['with an empty NameID', () => ({ nameId: '' }), /NameID/]
]

for (const [title, changes, detail] of WRONG) {
  t.test(`a signed response ${title} is refused`, async (t) => {
    const app = await samlApp(t)
    await assertRefused(t, app, await app.finish(changes(app.clock.now)), { detail })
  })
}

t.test('a bearer confirmation with NotBefore or without NotOnOrAfter is refused', async (t) => {
  const app = await samlApp(t)
  const later = new Date(app.clock.now + MINUTE).toISOString()
  for (const times of [`NotBefore="${new Date(0).toISOString()}" NotOnOrAfter="${later}"`, '']) {
    const login = await app.start()
    const { recipient, inResponseTo } = app.partsFor(login)
    const confirmation = '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">' +
      `<saml:SubjectConfirmationData ${times} Recipient="${recipient}" InResponseTo="${inResponseTo}"/>` +
      '</saml:SubjectConfirmation>'
    const xml = signedResponse(app.partsFor(login, { confirmation }), idpKeys)
    await assertRefused(t, app, await app.send(xml, login), { detail: /bearer confirmation has/ })
  }
})

t.test('clocks may differ by clock_skew_seconds and not by a millisecond more', async (t) => {
  const app = await samlApp(t, { settings: { clock_skew_seconds: 90 } })
  const skew = 90_000
  const accepted = async (changes: (now: number) => Partial<ResponseParts>) =>
    String((await app.finish(changes(app.clock.now))).headers.location).includes('#sso=')
  t.equal(await accepted((now) => ({ notOnOrAfter: now - skew + 1 })), true, 'NotOnOrAfter inside')
  t.equal(await accepted((now) => ({ notOnOrAfter: now - skew })), false, 'NotOnOrAfter at the edge')
  t.equal(await accepted((now) => ({ confirmedUntil: now - skew + 1 })), true, 'confirmation inside')
  t.equal(await accepted((now) => ({ confirmedUntil: now - skew })), false, 'confirmation at the edge')
  t.equal(await accepted((now) => ({ notBefore: now + skew })), true, 'NotBefore at the edge')
  t.equal(await accepted((now) => ({ notBefore: now + skew + 1 })), false, 'NotBefore outside')
  t.equal(await accepted((now) => ({ issuedAt: now + skew })), true, 'IssueInstant at the edge')
  t.equal(await accepted((now) => ({ issuedAt: now + skew + 1 })), false, 'IssueInstant outside')
})

t.test('times without a time zone are refused', async (t) => {
  const app = await samlApp(t)
  const login = await app.start()
  const zone = app.partsFor(login)
  const authnStatement = '<saml:AuthnStatement AuthnInstant="2020-01-01T00:00:00"/>'
  const xml = signedResponse({ ...zone, authnStatement }, idpKeys)
  await assertRefused(t, app, await app.send(xml, login), { detail: /AuthnInstant is not a time/ })
})

t.test('a refusal of the provider reaches the login page as access_denied, whatever else the response says', async (t) => {
  const app = await samlApp(t)
  const refused = await app.finish({ status: 'Responder' })
  await assertRefused(t, app, refused, { reason: 'access_denied', detail: /refused the login: Responder/ })
})

t.test('a response for the provider of another organisation is refused there and here', async (t) => {
  const app = await samlApp(t)
  const [ours, theirs] = [await app.start('acme'), await app.start('other')]
  const xml = signedResponse(app.partsFor(ours), idpKeys)
  const there = await app.send(xml, { ...theirs, state: ours.state, cookie: ours.cookie })
  await assertRefused(t, app, there, { reason: 'expired', detail: /unknown/, orgId: 'other' })
  const here = await app.send(xml, theirs)
  await assertRefused(t, app, here, { detail: /answers another request/, orgId: 'other' })
})

t.test('an email of a domain that another organisation has proved is refused', async (t) => {
  const app = await samlApp(t)
  const refused = await app.finish({}, 'other')
  await assertRefused(t, app, refused, { reason: 'email_not_verified', detail: /domain/, orgId: 'other' })
})
