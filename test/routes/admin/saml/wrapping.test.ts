import { DOMParser } from '@xmldom/xmldom'
import t from 'tap'
import { SignedXml } from 'xml-crypto'

import { assertionXml, responseXml, signed } from '../../../helpers/forged-saml.js'
import { assertRefused, idpKeys, samlApp } from '../../../helpers/saml-app.js'
import { wrapped, WRAPPINGS } from '../../../helpers/wrapped-saml.js'

const FORGED = { from: 'mallory@acme.example', to: 'ann@acme.example' }
/** Forms whose genuine signature is that of the response. */
const OF_RESPONSE = ['XSW1', 'XSW2']

/** Whether a verifier that looks for the signed element by its ID, wherever it is, accepts a signature. */
function isGenuine (xml: string): boolean {
  const document = new DOMParser().parseFromString(xml, 'text/xml')
  const signatures = document.getElementsByTagNameNS('http://www.w3.org/2000/09/xmldsig#', 'Signature')
  return Array.from(signatures).some((signature) => {
    const verifier = new SignedXml({ publicCert: idpKeys.certificate, getCertFromKeyInfo: () => null })
    verifier.loadSignature(signature)
    try {
      return verifier.checkSignature(xml)
    } catch {
      return false
    }
  })
}

for (const form of Object.keys(WRAPPINGS)) {
  t.test(`a forged assertion around a genuine signature in the form ${form} is refused`, async (t) => {
    const app = await samlApp(t)
    const login = await app.start()
    const parts = app.partsFor(login, { nameId: 'person-2', email: FORGED.from })
    const genuine = responseXml(parts, signed(assertionXml(parts), 'Assertion', idpKeys))
    const xml = wrapped(OF_RESPONSE.includes(form) ? signed(genuine, 'Response', idpKeys) : genuine, form, FORGED)
    t.match(xml, FORGED.to)
    // Two elements with one ID are refused by every verifier.
    if (form !== 'XSW7') t.ok(isGenuine(xml), 'a careless verifier accepts the signature')
    await assertRefused(t, app, await app.send(xml, login), { detail: /more than one assertion/ })
  })
}

t.test('a genuine response with both signatures is accepted', async (t) => {
  const app = await samlApp(t)
  const login = await app.start()
  const parts = app.partsFor(login)
  const xml = signed(responseXml(parts, signed(assertionXml(parts), 'Assertion', idpKeys)), 'Response', idpKeys)
  t.equal((await app.exchange(await app.send(xml, login))).statusCode, 200)
})
