import t from 'tap'

import { decode } from '../../../helpers/admin.js'
import type { LightMyRequestResponse } from 'fastify'
import { createSigningPair } from '../../../../server/mock-products/saml/certificate.js'
import { fragmentOf, idpKeys, privatePem, SAML_PATH, samlApp } from '../../../helpers/saml-app.js'
import type { SamlApp, SamlAppOptions } from '../../../helpers/saml-app.js'
import { samlifyProvider } from '../../../helpers/samlify-provider.js'
import type { SamlifyOptions } from '../../../helpers/samlify-provider.js'

const ANN = { nameId: 'ann-1', email: 'ann@acme.example', group: 'Analysts' }
const spKeys = await createSigningPair('sp', Date.now())
const WITH_KEY: SamlAppOptions = {
  settings: { sign_requests: true, sp_certificates: [spKeys.certificate] }, secrets: [privatePem(spKeys)]
}

/** A whole login with the provider of samlify, which knows this service provider by its metadata. */
async function loginWithSamlify (
  app: SamlApp,
  options: Partial<SamlifyOptions> = {}
): Promise<{ finished: LightMyRequestResponse, request: unknown }> {
  const { body: spMetadata } = await app.get(`${SAML_PATH}/acme/metadata`)
  const provider = samlifyProvider({ keys: idpKeys, spMetadata, ...options })
  const login = await app.start()
  const { extract: request } = await provider.readRequest(login.url)
  const encoded = await provider.respond(login.requestId, ANN)
  return { finished: await app.send(Buffer.from(encoded, 'base64').toString(), login), request }
}

t.test('a person logs in at a provider of another library, and gets a session of the organisation', async (t) => {
  const app = await samlApp(t)
  const { finished, request } = await loginWithSamlify(app)
  t.match(request, {
    request: { destination: 'https://idp.example/sso', assertionConsumerServiceUrl: /\/saml\/acme\/acs$/ },
    issuer: /\/saml\/acme\/metadata$/,
    nameIDPolicy: { format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' }
  })
  t.match(fragmentOf(finished).get('sso'), /^[\w-]{20,}$/)
  const reply = await app.exchange(finished)
  t.equal(reply.statusCode, 200)
  const { access_token: token } = reply.json<{ access_token: string }>()
  t.match(decode(token).claims, { role: 'viewer', org_id: 'default' })
  const [entry] = await app.audited('auth.sso_login')
  t.match(entry?.changes, { provider_id: 'acme' })
})

t.test('requests are signed when sign_requests is set, and the provider verifies them by the metadata', async (t) => {
  const app = await samlApp(t, WITH_KEY)
  const { finished } = await loginWithSamlify(app, { wantAuthnRequestsSigned: true })
  t.equal((await app.exchange(finished)).statusCode, 200)
  const login = await app.start()
  t.equal(login.url.searchParams.get('SigAlg'), 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256')
  const { body: spMetadata } = await app.get(`${SAML_PATH}/acme/metadata`)
  const provider = samlifyProvider({ keys: idpKeys, spMetadata, wantAuthnRequestsSigned: true })
  login.url.searchParams.set('RelayState', 'another')
  await t.rejects(provider.readRequest(login.url), 'a changed RelayState is noticed')
})

for (const algorithm of [
  'http://www.w3.org/2001/04/xmlenc#aes256-cbc',
  'http://www.w3.org/2001/04/xmlenc#aes128-cbc',
  'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  'http://www.w3.org/2009/xmlenc11#aes128-gcm'
]) {
  t.test(`an encrypted assertion (${algorithm}) logs the person in`, async (t) => {
    const app = await samlApp(t, WITH_KEY)
    const { finished } = await loginWithSamlify(app, {
      isAssertionEncrypted: true, dataEncryptionAlgorithm: algorithm, wantAuthnRequestsSigned: true
    })
    t.equal((await app.exchange(finished)).statusCode, 200)
  })
}

t.test('attributes decide the role, by the highest match', async (t) => {
  const roles = {
    claim: 'groups',
    mapping: [{ value: 'Staff', role: 'editor' as const }, { value: 'Admins', role: 'admin' as const }],
    fallback: null
  }
  const app = await samlApp(t, { roles })
  const reply = await app.exchange(await app.finish({ attributes: { groups: ['Staff', 'Admins', 'Other'] } }))
  t.match(decode(reply.json<{ access_token: string }>().access_token).claims, { role: 'admin' })
  const refused = await app.finish({ nameId: 'person-9', email: 'zoe@acme.example', attributes: { groups: ['Other'] } })
  t.equal(fragmentOf(refused).get('sso_error'), 'not_allowed')
  t.equal(await app.store.users.findByEmail('zoe@acme.example'), null)
})

/** How products send an email: the changes of the response. */
const EMAILS: ReadonlyArray<[product: string, changes: Parameters<SamlApp['finish']>[0]]> = [
  ['Okta and Keycloak', { email: 'ann@acme.example' }],
  ['Microsoft Entra ID', {
    email: null,
    attributes: {
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress': ['ann@acme.example']
    }
  }],
  ['OneLogin', { email: null, attributes: { 'User.email': ['ann@acme.example'] } }],
  ['LDAP', { email: null, attributes: { 'urn:oid:0.9.2342.19200300.100.1.3': ['ann@acme.example'] } }],
  ['a NameID with an email', {
    email: null, nameId: 'ann@acme.example', format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'
  }]
]
for (const [product, changes] of EMAILS) {
  t.test(`the email is found as ${product} sends it`, async (t) => {
    const app = await samlApp(t)
    t.equal((await app.exchange(await app.finish(changes))).statusCode, 200)
    t.match(await app.store.users.findByEmail('ann@acme.example'), { email: 'ann@acme.example' })
  })
}

t.test('email_attribute is the only attribute with the email', async (t) => {
  const app = await samlApp(t, { settings: { email_attribute: 'workEmail' } })
  t.equal(fragmentOf(await app.finish()).get('sso_error'), 'email_not_verified')
  const finished = await app.finish({ email: 'x@evil.example', attributes: { workEmail: ['ann@acme.example'] } })
  t.equal((await app.exchange(finished)).statusCode, 200)
})

t.test('trust_mfa counts a login with one of its contexts as a proof of a second factor, and no other', async (t) => {
  const context = 'http://schemas.microsoft.com/claims/multipleauthn'
  const app = await samlApp(t, { settings: { trust_mfa: [context] } })
  const mfaOf = async (changes: Parameters<SamlApp['finish']>[0]) => {
    const finished = await app.finish(changes)
    const { access_token: token } = (await app.exchange(finished)).json<{ access_token: string }>()
    return await app.store.sessions.access(String(decode(token).claims.sid))
  }
  const ofEntra = { 'http://schemas.microsoft.com/claims/authnmethodsreferences': ['urn:password', context] }
  t.match(await mfaOf({ authnContext: context }), { mfaAt: app.clock.now })
  t.match(await mfaOf({ attributes: ofEntra }), { mfaAt: app.clock.now }, 'as Entra ID sends it')
  t.match(await mfaOf({}), { mfaAt: null })
  t.match(await mfaOf({ attributes: { other: [context] } }), { mfaAt: null })
})

t.test('the cookie of a login is sent with the POST of the provider: SameSite=None, Secure, HttpOnly', async (t) => {
  const app = await samlApp(t)
  const reply = await app.get(`${SAML_PATH}/acme/start`)
  t.match(reply.headers['set-cookie'], /^__Host-[^;]+;.*HttpOnly.*Secure.*SameSite=None/)
})
