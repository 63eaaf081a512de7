import { generateKeyPairSync, verify } from 'node:crypto'

import t from 'tap'

import { createSigningPair } from '../../../../server/mock-products/saml/certificate.js'
import type { SigningPair } from '../../../../server/mock-products/saml/certificate.js'
import type { ProviderItem } from '../../../../schemas/admin-sso.js'
import { signedResponse } from '../../../helpers/forged-saml.js'
import {
  fragmentOf, idpKeys, otherKeys, privatePem, SAML_PATH, samlApp, SETTINGS
} from '../../../helpers/saml-app.js'
import type { SamlApp } from '../../../helpers/saml-app.js'
import { samlifyProvider } from '../../../helpers/samlify-provider.js'
import { selfSigned } from '../../../helpers/self-signed.js'

const PROVIDERS = '/v1/admin/identity-providers'
const [firstKeys, secondKeys] = [await createSigningPair('sp', Date.now()), await createSigningPair('sp', Date.now())]

/** The admin API, as an owner of the organisation. */
async function ownerOf (app: SamlApp) {
  await app.addUser('owner@acme.example', 'owner')
  const { access_token: token } = await app.login('owner@acme.example')
  const call = async (method: 'POST' | 'PATCH', url: string, payload: object) => await app.app.inject({
    method, url, payload, headers: { authorization: `Bearer ${token}` }
  })
  return {
    create: async (body: object) => await call('POST', PROVIDERS, { kind: 'saml', name: 'Acme', ...body }),
    patch: async (id: string, body: object) => await call('PATCH', `${PROVIDERS}/${id}`, body),
    rotate: async (id: string, body: object) => await call('POST', `${PROVIDERS}/${id}/rotate-secret`, body)
  }
}

async function isAccepted (app: SamlApp, provider: string, keys: SigningPair): Promise<boolean> {
  const login = await app.start(provider)
  return fragmentOf(await app.send(signedResponse(app.partsFor(login), keys), login)).has('sso')
}

t.test('the provider\'s certificate rotates with an overlap and without a restart', async (t) => {
  const app = await samlApp(t)
  const owner = await ownerOf(app)
  const created = await owner.create({ settings: SETTINGS })
  t.equal(created.statusCode, 201)
  const { id } = created.json<ProviderItem>()
  const check = async (oldKey: boolean, newKey: boolean) => {
    t.equal(await isAccepted(app, id, idpKeys), oldKey, 'the old key')
    t.equal(await isAccepted(app, id, otherKeys), newKey, 'the new key')
  }
  await check(true, false)
  const both = [idpKeys.certificate, otherKeys.certificate]
  t.equal((await owner.patch(id, { settings: { certificates: both } })).statusCode, 200)
  await check(true, true)
  t.equal((await owner.patch(id, { settings: { certificates: [otherKeys.certificate] } })).statusCode, 200)
  await check(false, true)
})

t.test('an expired certificate is named in the reply, and its signatures are accepted', async (t) => {
  const app = await samlApp(t)
  const owner = await ownerOf(app)
  const year = 365 * 86_400_000
  const expired = await createSigningPair('idp', app.clock.now - 11 * year)
  const future = await createSigningPair('idp', app.clock.now + year)
  const certificates = [expired.certificate, idpKeys.certificate, future.certificate]
  const created = await owner.create({ settings: { ...SETTINGS, certificates } })
  t.match(created.json<ProviderItem>(), {
    warnings: [/^certificates\/0 has expired on \d{4}-\d\d-\d\d$/, /^certificates\/2 is not valid before \d{4}-/]
  })
  t.ok(await isAccepted(app, created.json<ProviderItem>().id, expired))
})

t.test('the private key of this service provider rotates with an overlap', async (t) => {
  const app = await samlApp(t)
  const owner = await ownerOf(app)
  const settings = { ...SETTINGS, sign_requests: true, sp_certificates: [firstKeys.certificate] }
  const created = await owner.create({ settings, secret: privatePem(firstKeys) })
  t.equal(created.statusCode, 201, created.body)
  const { id } = created.json<ProviderItem>()
  const metadata = async () => (await app.get(`${SAML_PATH}/${id}/metadata`)).body
  const before = await metadata()
  const encrypted = async (spMetadata: string) => {
    const provider = samlifyProvider({ keys: idpKeys, spMetadata, isAssertionEncrypted: true })
    const login = await app.start(id)
    const encoded = await provider.respond(login.requestId, { nameId: 'x', email: 'ann@acme.example', group: 'x' })
    return fragmentOf(await app.send(Buffer.from(encoded, 'base64').toString(), login)).has('sso')
  }

  t.equal((await owner.rotate(id, { secret: privatePem(secondKeys) })).statusCode, 400, 'its certificate comes first')
  const certificates = [secondKeys.certificate, firstKeys.certificate]
  t.equal((await owner.patch(id, { settings: { sp_certificates: certificates } })).statusCode, 200)
  const after = await metadata()
  t.equal(after.match(/use="signing"/g)?.length, 2, 'the provider learns both')
  t.equal(after.match(/use="encryption"/g)?.length, 1)
  t.equal((await owner.rotate(id, { secret: privatePem(secondKeys), overlap_seconds: 600 })).statusCode, 200)

  const { url } = await app.start(id)
  const [signed = '', signature = ''] = url.search.slice(1).split('&Signature=')
  const bytes = Buffer.from(decodeURIComponent(signature), 'base64')
  t.ok(verify('sha256', Buffer.from(signed), secondKeys.certificate, bytes), 'requests are signed with the new key')
  t.ok(await encrypted(before), 'encrypted for the old key')
  t.ok(await encrypted(after), 'encrypted for the new key')
  app.clock.now += 601_000
  t.notOk(await encrypted(before), 'the old key has ended')
})

t.test('an encrypted response without a private key here is refused', async (t) => {
  const app = await samlApp(t)
  const keyed = await samlApp(t, {
    settings: { sp_certificates: [firstKeys.certificate] }, secrets: [privatePem(firstKeys)]
  })
  const { body: spMetadata } = await keyed.get(`${SAML_PATH}/acme/metadata`)
  const provider = samlifyProvider({ keys: idpKeys, spMetadata, isAssertionEncrypted: true })
  const login = await app.start()
  const encoded = await provider.respond(login.requestId, { nameId: 'x', email: 'ann@acme.example', group: 'x' })
  const xml = Buffer.from(encoded, 'base64').toString()
  t.equal(fragmentOf(await app.send(xml, login)).get('sso_error'), 'invalid_response')
  const [entry] = await app.audited('auth.sso_failed')
  t.match(entry?.changes, { detail: /no private key/ })
})

t.test('RSA PKCS #1 v1.5 key transport is refused', async (t) => {
  const app = await samlApp(t, {
    settings: { sp_certificates: [firstKeys.certificate] }, secrets: [privatePem(firstKeys)]
  })
  const { body: spMetadata } = await app.get(`${SAML_PATH}/acme/metadata`)
  const provider = samlifyProvider({ keys: idpKeys, spMetadata, isAssertionEncrypted: true })
  const login = await app.start()
  const encoded = await provider.respond(login.requestId, { nameId: 'x', email: 'ann@acme.example', group: 'x' })
  const xml = Buffer.from(encoded, 'base64').toString().replace('xmlenc#rsa-oaep-mgf1p', 'xmlenc#rsa-1_5')
  t.equal(fragmentOf(await app.send(xml, login)).get('sso_error'), 'invalid_response')
  const [entry] = await app.audited('auth.sso_failed')
  t.match(entry?.changes, { detail: /key transport/ })
})

t.test('settings that cannot work are 400 with the path of the setting', async (t) => {
  const app = await samlApp(t)
  const owner = await ownerOf(app)
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const own = { sp_certificates: [firstKeys.certificate] }
  const bad: ReadonlyArray<[settings: object, secret: string | undefined, path: string]> = [
    [{ entry_point: undefined }, undefined, '/settings/entry_point'],
    [{ idp_entity_id: undefined }, undefined, '/settings/idp_entity_id'],
    [{ certificates: undefined }, undefined, '/settings/certificates'],
    [{ certificates: [] }, undefined, '/settings/certificates'],
    [{ certificates: Array.from({ length: 6 }, () => idpKeys.certificate) }, undefined, '/settings/certificates'],
    [{ certificates: ['x'.repeat(200)] }, undefined, '/settings/certificates/0'],
    [{ certificates: [selfSigned().cert] }, undefined, '/settings/certificates/0'],
    [{ entry_point: 'http://idp.example/sso' }, undefined, '/settings/entry_point'],
    [{ entry_point: 'javascript:alert(1)' }, undefined, '/settings/entry_point'],
    [{ logout_url: 'ftp://idp.example' }, undefined, '/settings/logout_url'],
    [{ name_id_format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }, undefined, '/settings/name_id_format'],
    [{ clock_skew_seconds: 181 }, undefined, '/settings/clock_skew_seconds'],
    [{ metadata_xml: '<a/>' }, undefined, '/settings/metadata_xml'],
    [{ metadata_xml: '<!DOCTYPE a><a/>' }, undefined, '/settings/metadata_xml'],
    [{ unknown: true }, undefined, '/settings'],
    [{ sign_requests: true }, undefined, '/secret'],
    [{}, privatePem(firstKeys), '/secret'],
    [own, privatePem(secondKeys), '/secret'],
    [own, 'no key', '/secret'],
    [own, weak.toString(), '/secret']
  ]
  for (const [settings, secret, path] of bad) {
    const body = { settings: { ...SETTINGS, ...settings } }
    const reply = await owner.create(secret === undefined ? body : { ...body, secret })
    t.equal(reply.statusCode, 400, path)
    t.match(reply.json(), { error: { code: 'INVALID_REQUEST', details: [{ path }] } }, path)
    t.notMatch(reply.body, 'PRIVATE KEY')
  }
})
