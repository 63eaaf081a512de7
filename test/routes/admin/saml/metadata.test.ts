import t from 'tap'

import { samlSettingsFrom } from '../../../../routes/admin/saml/index.js'
import type { ProviderItem } from '../../../../schemas/admin-sso.js'
import { signedResponse } from '../../../helpers/forged-saml.js'
import { fragmentOf, IDP, idpKeys, otherKeys, SAML_PATH, samlApp } from '../../../helpers/saml-app.js'
import { samlifyProvider } from '../../../helpers/samlify-provider.js'

const PROVIDERS = '/v1/admin/identity-providers'
const bare = (pem: string) => pem.replace(/-----[A-Z ]+-----|\n/g, '')
const key = (pem: string, use = ' use="signing"') =>
  `<KeyDescriptor${use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
  ${bare(pem)}
  </ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>`
const service = (name: string, binding: string, location: string) =>
  `<${name} Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="${location}"/>`
const SSO = service('SingleSignOnService', 'HTTP-Redirect', 'https://idp.example/sso')

function metadata (content: string): string {
  return '<?xml version="1.0" encoding="utf-8"?>\n<!-- exported -->\n' +
    `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    entityID="${IDP}"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    ${content}</IDPSSODescriptor></EntityDescriptor>`
}

t.test('metadata gives the login URL, the entity id, the certificates and the optional settings', async (t) => {
  const full = metadata(
    key(idpKeys.certificate) + key(otherKeys.certificate, '') +
      key(otherKeys.certificate, ' use="encryption"') +
      service('SingleLogoutService', 'HTTP-POST', 'https://idp.example/slo-post') +
      service('SingleLogoutService', 'HTTP-Redirect', 'https://idp.example/slo') +
      '<NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</NameIDFormat>' +
      '<NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>' +
      service('SingleSignOnService', 'HTTP-POST', 'https://idp.example/sso-post') + SSO
  )
  t.same(await samlSettingsFrom(full), {
    entry_point: 'https://idp.example/sso',
    idp_entity_id: IDP,
    certificates: [idpKeys.certificate, otherKeys.certificate],
    name_id_format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    logout_url: 'https://idp.example/slo'
  })
  const posts = metadata(key(idpKeys.certificate) +
    service('SingleLogoutService', 'HTTP-POST', 'https://idp.example/slo-post') + SSO)
  t.match(await samlSettingsFrom(posts), { logout_url: 'https://idp.example/slo-post', logout_binding: 'post' })
})

t.test('metadata that does not fit is refused with the reason', async (t) => {
  const bad: ReadonlyArray<[xml: string, message: RegExp]> = [
    [metadata(SSO), /no signing certificate/],
    [metadata(key(idpKeys.certificate)), /no SingleSignOnService with the HTTP-Redirect binding/],
    [metadata(key(idpKeys.certificate) + SSO).replace('SAML:2.0:protocol', 'SAML:1.1:protocol'), /not support SAML 2.0/],
    [`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">${
      metadata(key(idpKeys.certificate) + SSO).replace(/^<\?.*\n/, '').repeat(2)
    }</EntitiesDescriptor>`, /one identity provider/],
    [`<!DOCTYPE x [<!ENTITY y "z">]>${metadata(SSO)}`, /DTD/],
    ['<html></html>', /one identity provider/],
    ['not XML', /not well-formed/],
    ['', /not well-formed/],
    [`<a>${'b'.repeat(200_000)}</a>`, /longer than 200,000/]
  ]
  for (const [xml, message] of bad) await t.rejects(samlSettingsFrom(xml), { message }, String(message))
})

t.test('the admin API takes metadata_xml, stores what it says, and logs people in', async (t) => {
  const app = await samlApp(t)
  await app.addUser('owner@acme.example', 'owner')
  const { access_token: token } = await app.login('owner@acme.example')
  const xml = metadata(key(idpKeys.certificate) + SSO)
  const created = await app.post(PROVIDERS, { kind: 'saml', name: 'Acme', settings: { metadata_xml: xml } }, token)
  t.equal(created.statusCode, 201, created.body)
  const { id, settings, urls } = created.json<ProviderItem>()
  t.match(settings, { entry_point: 'https://idp.example/sso', idp_entity_id: IDP, certificates: [idpKeys.certificate] })
  t.notOk('metadata_xml' in settings)
  const base = `https://gate.example${SAML_PATH}/${id}`
  t.same(urls, {
    entity_id: `${base}/metadata`, metadata_url: `${base}/metadata`, acs_url: `${base}/acs`, slo_url: `${base}/slo`
  })
  const login = await app.start(id)
  t.ok(fragmentOf(await app.send(signedResponse(app.partsFor(login), idpKeys), login)).has('sso'))

  const next = metadata(key(idpKeys.certificate) + key(otherKeys.certificate) + SSO)
  const patched = await app.app.inject({
    method: 'PATCH',
    url: `${PROVIDERS}/${id}`,
    payload: { settings: { metadata_xml: next } },
    headers: { authorization: `Bearer ${token}` }
  })
  t.equal(patched.statusCode, 200)
  t.same(patched.json<ProviderItem>().settings.certificates, [idpKeys.certificate, otherKeys.certificate])
})

t.test('the metadata of a provider of another library is read', async (t) => {
  const app = await samlApp(t)
  const { body: spMetadata, headers } = await app.get(`${SAML_PATH}/acme/metadata`)
  t.match(headers['content-type'], /^application\/samlmetadata\+xml/)
  const { metadata, sp } = samlifyProvider({ keys: idpKeys, spMetadata })
  t.match(await samlSettingsFrom(metadata), { entry_point: 'https://idp.example/sso', idp_entity_id: IDP })
  t.match(sp.entityMeta.getEntityID(), /\/acme\/metadata$/)
  t.equal(sp.entityMeta.isWantAssertionsSigned(), true)
  t.match(sp.entityMeta.getSingleLogoutService('redirect'), /\/acme\/slo$/)
  t.match(sp.entityMeta.getAssertionConsumerService('post'), /\/acme\/acs$/)
})

t.test('the metadata of an unknown provider is 404', async (t) => {
  const app = await samlApp(t)
  const reply = await app.get(`${SAML_PATH}/nobody/metadata`)
  t.equal(reply.statusCode, 404)
  t.equal(reply.json<{ error: { code: string } }>().error.code, 'NOT_FOUND')
})
