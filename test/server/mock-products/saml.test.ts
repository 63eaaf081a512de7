import { X509Certificate } from 'node:crypto'

import { ValidateInResponseTo } from '@node-saml/node-saml'
import t from 'tap'

import {
  ACS,
  ANN,
  BEN,
  chooseAt,
  ENTITY,
  posted,
  samlClient,
  samlProvider,
  signIn,
  validate
} from '../../helpers/saml-client.js'
import { Visitor } from '../../helpers/visitor.js'

const EMAIL = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'

t.test('node-saml signs a person in by HTTP redirect and validates both signatures', async (t) => {
  const provider = await samlProvider(t)
  const client = samlClient(provider)
  const url = await client.getAuthorizeUrlAsync('/console?a=1&b', undefined, {})
  const page = await chooseAt(new Visitor(), url, ANN)
  const { target, RelayState, xml } = posted(page)
  t.equal(target, ACS)
  t.equal(RelayState, '/console?a=1&b')
  t.equal(xml.match(/<ds:Signature /g)?.length, 2)
  t.match(xml, 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256')
  t.notMatch(xml, /sha1/)
  const profile = await validate(client, page)
  t.match(profile, {
    issuer: provider.entityId,
    nameIDFormat: PERSISTENT,
    nameID: /^[0-9a-f]{64}$/,
    nameQualifier: provider.entityId,
    spNameQualifier: ENTITY,
    sessionIndex: /^[0-9a-f-]{36}$/,
    attributes: {
      email: 'ann@example.com',
      firstName: 'Ann',
      lastName: 'Archer',
      groups: ['analytics-admins', 'staff']
    }
  })
  await t.rejects(client.validatePostResponseAsync({ SAMLResponse: posted(page).SAMLResponse }), /InResponseTo/)
})

t.test('node-saml signs a person in by HTTP POST with a signed request', async (t) => {
  const provider = await samlProvider(t)
  const client = samlClient(provider, { authnRequestBinding: 'HTTP-POST', identifierFormat: EMAIL })
  const form = new URLSearchParams(await client.getAuthorizeMessageAsync('relay') as Record<string, string>)
  const visitor = new Visitor()
  const page = await visitor.press(await visitor.open(provider.ssoUrl, { method: 'POST', body: form }), { person: ANN })
  t.equal(posted(page).RelayState, 'relay')
  t.match(await validate(client, page), { nameID: 'ann@example.com', nameIDFormat: EMAIL })
})

t.test('an app without a certificate sends unsigned requests', async (t) => {
  const provider = await samlProvider(t, { certificate: null })
  const client = samlClient(provider, {}, { signs: false })
  t.match(await signIn(client, new Visitor(), BEN), { attributes: { email: 'ben@example.com' } })
})

t.test('the assertion is limited to the app, the request, five minutes and the session', async (t) => {
  const now = Date.now()
  const provider = await samlProvider(t, {}, { now: () => now })
  const client = samlClient(provider)
  const { xml } = posted(await chooseAt(new Visitor(), await client.getAuthorizeUrlAsync('', undefined, {}), ANN))
  const id = /<samlp:Response [^>]*InResponseTo="([^"]+)"/.exec(xml)?.[1]
  const [start, end] = [new Date(now).toISOString(), new Date(now + 300_000).toISOString()]
  t.match(xml, `<saml:SubjectConfirmationData NotOnOrAfter="${end}" Recipient="${ACS}" InResponseTo="${id}"/>`)
  t.match(xml, `<saml:Conditions NotBefore="${start}" NotOnOrAfter="${end}">`)
  t.match(xml, '<saml:Audience>http://127.0.0.1:1/saml/metadata?tenant=a&amp;b</saml:Audience>')
  t.match(xml, `AuthnInstant="${start}"`)
  t.match(xml, `Destination="${ACS}"`)
})

t.test('the persistent identifier is the same for one app, and differs between people and apps', async (t) => {
  const provider = await samlProvider(t)
  const client = samlClient(provider)
  const idOf = async (person: string) => (await signIn(client, new Visitor(), person)).nameID
  const ann = await idOf(ANN)
  t.equal(await idOf(ANN), ann)
  t.not(await idOf(BEN), ann)
  const other = await samlProvider(t, { entityId: 'https://other.example' })
  const otherClient = samlClient(other, { issuer: 'https://other.example', audience: 'https://other.example' })
  t.not((await signIn(otherClient, new Visitor(), ANN)).nameID, ann)
})

t.test('a person without groups has no groups attribute, and one group is one value', async (t) => {
  const client = samlClient(await samlProvider(t))
  const groupsOf = async (person: string) => {
    const { attributes } = await signIn(client, new Visitor(), person)
    return (attributes as Record<string, unknown>)['groups']
  }
  t.equal(await groupsOf('person-1005'), undefined)
  t.equal(await groupsOf('person-1004'), 'partners')
})

t.test('special characters of names reach the app unchanged', async (t) => {
  const name = '<b>&"\''
  const person = { id: 'x', email: 'x@example.com', emailVerified: true, givenName: name, familyName: 'ü–€', groups: [] }
  const client = samlClient(await samlProvider(t, {}, { people: [person] }))
  t.match(await signIn(client, new Visitor(), 'x'), { attributes: { firstName: name, lastName: 'ü–€' } })
})

t.test('node-saml refuses an altered response, another audience and the certificate of another provider', async (t) => {
  const provider = await samlProvider(t)
  const client = samlClient(provider)
  const page = await chooseAt(new Visitor(), await client.getAuthorizeUrlAsync('', undefined, {}), ANN)
  const { xml } = posted(page)
  const altered = Buffer.from(xml.replaceAll('ann@example.com', 'ben@example.com')).toString('base64')
  const { never } = ValidateInResponseTo
  const check = samlClient(provider, { validateInResponseTo: never })
  await t.rejects(check.validatePostResponseAsync({ SAMLResponse: altered }), /Invalid document signature/)
  const { SAMLResponse } = posted(page)
  const audience = samlClient(provider, { validateInResponseTo: never, audience: 'https://other.example' })
  await t.rejects(audience.validatePostResponseAsync({ SAMLResponse }), /audience mismatch/)
  const foreign = samlClient(await samlProvider(t), { validateInResponseTo: never })
  await t.rejects(foreign.validatePostResponseAsync({ SAMLResponse }), /Invalid document signature/)
  await t.resolves(check.validatePostResponseAsync({ SAMLResponse }))
})

t.test('a browser with a session gets a response without a page, unless ForceAuthn demands a sign-in', async (t) => {
  const provider = await samlProvider(t)
  const [client, forcing] = [samlClient(provider), samlClient(provider, { forceAuthn: true })]
  const visitor = new Visitor()
  const open = async (saml: typeof client) => visitor.open(await saml.getAuthorizeUrlAsync('', undefined, {}))
  t.match((await open(client)).html, /name="person"/)
  const first = await signIn(client, visitor, ANN)
  t.match(await validate(client, await open(client)), { nameID: first.nameID, sessionIndex: first.sessionIndex })
  t.match((await open(forcing)).html, /name="person"/)
})

t.test('a passive request without a session and a cancelled sign-in get an error response', async (t) => {
  const provider = await samlProvider(t)
  const [client, passive] = [samlClient(provider), samlClient(provider, { passive: true })]
  const visitor = new Visitor()
  const silent = await visitor.open(await passive.getAuthorizeUrlAsync('r', undefined, {}))
  t.same(await passive.validatePostResponseAsync({ SAMLResponse: posted(silent).SAMLResponse }), {
    profile: null,
    loggedOut: false
  })
  t.equal(posted(silent).RelayState, 'r')
  const asked = await visitor.open(await client.getAuthorizeUrlAsync('', undefined, {}))
  const { SAMLResponse, xml } = posted(await visitor.press(asked, { cancel: 'yes' }))
  await t.rejects(client.validatePostResponseAsync({ SAMLResponse }), /Responder error: AuthnFailed/)
  t.match(xml, '<ds:Signature ')
  t.notMatch(xml, 'saml:Assertion ')
})

t.test('the metadata publishes the new certificate and the previous one, and the new one signs', async (t) => {
  const provider = await samlProvider(t)
  const published = async () => {
    const response = await fetch(provider.metadataUrl)
    t.match(response.headers.get('content-type'), 'application/samlmetadata+xml')
    const xml = await response.text()
    t.match(xml, `entityID="${provider.entityId}"`)
    t.match(xml, 'WantAuthnRequestsSigned="true"')
    return [...xml.matchAll(/<ds:X509Certificate>([^<]+)</g)].map(([, base64 = '']) => base64)
  }
  const old = samlClient(provider)
  const [before, ...none] = await published()
  t.same(none, [])
  await provider.rotateCertificate()
  const after = await published()
  t.equal(after.length, 2)
  t.equal(after[1], before)
  t.equal(new X509Certificate(provider.certificates[0] ?? '').raw.toString('base64'), after[0])
  await t.rejects(signIn(old, new Visitor(), ANN), /Invalid document signature/)
  t.match(await signIn(samlClient(provider), new Visitor(), ANN), { attributes: { firstName: 'Ann' } })
})

t.test('the certificate is valid X.509: self-signed, of RSA with 2048 bits, for ten years', async (t) => {
  const provider = await samlProvider(t, {}, { now: () => Date.UTC(2045, 5, 1) })
  const certificate = new X509Certificate(provider.certificates[0] ?? '')
  t.ok(certificate.verify(certificate.publicKey))
  t.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048)
  t.equal(certificate.subject, 'CN=mock-saml-provider')
  t.equal(certificate.issuer, certificate.subject)
  t.equal(new Date(certificate.validFrom).toISOString(), '2045-05-31T00:00:00.000Z')
  t.equal(new Date(certificate.validTo).getUTCFullYear(), 2055)
})

t.test('a provider is not started with a text that is no certificate', async (t) => {
  await t.rejects(samlProvider(t, { certificate: 'x' }), { message: /sp\.certificate must be a certificate/ })
})
