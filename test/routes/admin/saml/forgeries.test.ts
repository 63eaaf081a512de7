import { createPublicKey } from 'node:crypto'

import t from 'tap'

import { assertionXml, responseXml, signed, signedResponse } from '../../../helpers/forged-saml.js'
import type { SignatureParts } from '../../../helpers/forged-saml.js'
import { assertRefused, idpKeys, otherKeys, samlApp } from '../../../helpers/saml-app.js'
import type { SamlApp, StartedLogin } from '../../../helpers/saml-app.js'

type Forge = (app: SamlApp, login: StartedLogin) => string

const withSignature = (parts: SignatureParts, keys = idpKeys): Forge => (app, login) =>
  signedResponse(app.partsFor(login), keys, parts)
const publicKey = createPublicKey(idpKeys.certificate).export({ type: 'spki', format: 'pem' }).toString()
const both = (app: SamlApp, login: StartedLogin) => {
  const parts = app.partsFor(login)
  return signed(responseXml(parts, signed(assertionXml(parts), 'Assertion', idpKeys)), 'Response', idpKeys)
}

const FORGERIES: ReadonlyArray<[title: string, forge: Forge, detail: RegExp]> = [
  ['without a signature', (app, login) => {
    const parts = app.partsFor(login)
    return responseXml(parts, assertionXml(parts))
  }, /not signed/],
  ['signed with another key', withSignature({}, otherKeys), /signature is not valid/],
  ['signed with another key, whose certificate is in the signature', withSignature(
    { embed: otherKeys.certificate }, otherKeys
  ), /signature is not valid/],
  ['with a signed envelope and an unsigned assertion', (app, login) => {
    const parts = app.partsFor(login)
    return signed(responseXml(parts, assertionXml(parts)), 'Response', idpKeys)
  }, /assertion is not signed/],
  ['whose envelope is signed with another key', (app, login) =>
    signed(signedResponse(app.partsFor(login), idpKeys), 'Response', otherKeys), /signature is not valid/],
  ['signed with RSA-SHA1', withSignature(
    { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }
  ), /SignatureMethod/],
  ['with a SHA-1 digest', withSignature({ digest: 'http://www.w3.org/2000/09/xmldsig#sha1' }), /DigestMethod/],
  ['with an HMAC of the public key', withSignature(
    { algorithm: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1', key: publicKey }
  ), /SignatureMethod/],
  ['with an HMAC of the certificate', withSignature(
    { algorithm: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1', key: idpKeys.certificate }
  ), /SignatureMethod/],
  ['whose canonical form keeps comments', withSignature(
    { canonicalization: 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments' }
  ), /transforms/],
  ['changed after the signature', (app, login) =>
    signedResponse(app.partsFor(login, { email: 'bob@acme.example' }), idpKeys).replace('bob@', 'ann@'),
  /signature is not valid/],
  ['with two assertions, both signed', (app, login) => {
    const parts = app.partsFor(login)
    const assertion = () => signed(assertionXml(parts), 'Assertion', idpKeys)
    return responseXml(parts, assertion() + assertion())
  }, /more than one assertion/],
  ['with two signatures in the assertion', (app, login) => {
    const xml = signedResponse(app.partsFor(login), idpKeys)
    const signature = /<ds:Signature.*<\/ds:Signature>/.exec(xml)?.[0] ?? ''
    return xml.replace(signature, signature + signature)
  }, /two signatures/],
  ['with two references in the signature', (app, login) =>
    signedResponse(app.partsFor(login), idpKeys).replace(/<ds:Reference.*<\/ds:Reference>/, '$&$&'),
  /SignedInfo is not in the accepted form/],
  ['with two SignedInfo in the signature', (app, login) =>
    signedResponse(app.partsFor(login), idpKeys).replace(/<ds:SignedInfo>.*<\/ds:SignedInfo>/, '$&$&'),
  /Signature is not in the accepted form|SignedInfo/],
  ['with a comment in the digest', (app, login) =>
    signedResponse(app.partsFor(login), idpKeys).replace(/<ds:DigestValue>/, '$&<!--x-->'), /comment/],
  ['with a reference to the whole document', (app, login) =>
    signedResponse(app.partsFor(login), idpKeys).replace(/URI="#[^"]*"/, 'URI=""'), /does not sign its parent/],
  ['with a signature in another place', (app, login) => {
    const xml = both(app, login)
    const signature = /<ds:Signature.*?<\/ds:Signature>/.exec(xml)?.[0] ?? ''
    return xml.replace(signature, '').replace('</samlp:Status>', `${signature}</samlp:Status>`)
  }, /not in a signed element/],
  ['with a signature that claims another namespace', (app, login) =>
    signedResponse(app.partsFor(login), idpKeys).replace(/xmlns:ds="[^"]*"/, 'xmlns:ds="urn:other"'), /namespace/]
]

for (const [title, forge, detail] of FORGERIES) {
  t.test(`a response ${title} is refused`, async (t) => {
    const app = await samlApp(t)
    const login = await app.start()
    await assertRefused(t, app, await app.send(forge(app, login), login), { detail })
  })
}

t.test('want_response_signed refuses a response whose assertion alone is signed', async (t) => {
  const app = await samlApp(t, { settings: { want_response_signed: true } })
  const [first, second] = [await app.start(), await app.start()]
  const xml = signedResponse(app.partsFor(first), idpKeys)
  await assertRefused(t, app, await app.send(xml, first), { detail: /signature is not valid/ })
  t.equal((await app.exchange(await app.send(both(app, second), second))).statusCode, 200)
})

t.test('RSA-SHA512 with a SHA-512 digest is accepted', async (t) => {
  const app = await samlApp(t)
  const login = await app.start()
  const xml = signedResponse(app.partsFor(login), idpKeys, {
    algorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
    digest: 'http://www.w3.org/2001/04/xmlenc#sha512'
  })
  t.equal((await app.exchange(await app.send(xml, login))).statusCode, 200)
})
