import t from 'tap'

import { base64, newId, responseXml, signedResponse } from '../../../helpers/forged-saml.js'
import { assertRefused, idpKeys, samlApp, SAML_PATH } from '../../../helpers/saml-app.js'

const ENTITIES = '<!DOCTYPE a [<!ENTITY b "ann@acme.example">]>'
const LAUGHS = `<!DOCTYPE a [<!ENTITY a0 "ha">${
  Array.from({ length: 30 }, (_, at) => `<!ENTITY a${at + 1} "&a${at};&a${at};">`).join('')
}]>`

const REFUSED: ReadonlyArray<[title: string, change: (xml: string) => string, detail: RegExp]> = [
  ['a DTD', (xml) => `<!DOCTYPE Response>${xml}`, /DTD/],
  ['a DTD in lower case', (xml) => `<!doctype Response>${xml}`, /DTD/],
  ['an external entity', (xml) => `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xml}`, /DTD/],
  ['an external DTD', (xml) => `<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">${xml}`, /DTD/],
  ['an entity', (xml) => ENTITIES + xml.replace('person-1', '&b;'), /DTD/],
  ['entities of entities', (xml) => LAUGHS + xml.replace('person-1', '&a30;'), /DTD/],
  ['a CDATA section', (xml) => xml.replace('person-1', '<![CDATA[person-1]]>'), /CDATA/],
  ['a processing instruction', (xml) => xml.replace('person-1', 'person<?x y?>-1'), /processing instruction/],
  ['an unknown entity', (xml) => xml.replace('person-1', '&nbsp;'), /not well-formed|signature is not valid/],
  ['an element that is not closed', (xml) => xml.replace('</saml:Issuer>', ''), /not well-formed/],
  ['two root elements', (xml) => xml + xml, /not well-formed/],
  ['a hundred levels', (xml) => xml.replace('<samlp:Status>', '<x>'.repeat(100) + '</x>'.repeat(100) + '$&'),
    /nested too deeply/],
  ['1,200 more elements', (xml) => xml.replace('<samlp:Status>', '<x/>'.repeat(1_200) + '$&'), /too many elements/],
  ['two elements with one ID', (xml) => xml.replace('<samlp:Status>', `<samlp:Status ID="${/ID="(_\w+)"/.exec(xml)?.[1]}">`),
    /same ID/],
  ['another root element', (xml) => xml.replaceAll('samlp:Response', 'samlp:ArtifactResponse'), /not a Response/]
]

for (const [title, change, detail] of REFUSED) {
  t.test(`a response with ${title} is refused`, async (t) => {
    const app = await samlApp(t)
    const login = await app.start()
    const xml = change(signedResponse(app.partsFor(login), idpKeys))
    await assertRefused(t, app, await app.send(xml, login), { detail })
  })
}

t.test('a response that is not XML, not base64 or not UTF-8 is refused', async (t) => {
  const app = await samlApp(t)
  for (const sent of ['%%%', base64('no xml'), Buffer.from([0xff, 0xfe, 0x3c]).toString('base64')]) {
    const reply = await app.app.inject({
      method: 'POST',
      url: `${SAML_PATH}/acme/acs`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ SAMLResponse: sent }).toString()
    })
    await assertRefused(t, app, reply, { detail: /base64|UTF-8|well-formed/ })
  }
})

t.test('a comment in the NameID does not cut it', async (t) => {
  const app = await samlApp(t)
  await app.exchange(await app.finish({ nameId: 'person-1<!-- x -->.evil', email: 'bob@acme.example' }))
  t.not(await app.store.identities.find('acme', 'person-1.evil'), null)
  t.equal(await app.store.identities.find('acme', 'person-1'), null)
})

t.test('a comment in the email does not cut it', async (t) => {
  const app = await samlApp(t)
  const refused = await app.finish({ email: 'ann@acme.example<!---->.evil.example' })
  await assertRefused(t, app, refused, { reason: 'email_not_verified', detail: /domain/ })
})

t.test('comments that are added to a signed response change nothing', async (t) => {
  const app = await samlApp(t)
  const login = await app.start()
  const xml = signedResponse(app.partsFor(login, { email: 'ann@acme.example.evil.example' }), idpKeys)
  const cut = xml.replace('ann@acme.example.evil', 'ann@acme.example<!---->.evil')
  await assertRefused(t, app, await app.send(cut, login), { reason: 'email_not_verified', detail: /domain/ })
})

t.test('a person with 400 groups logs in', async (t) => {
  const app = await samlApp(t)
  const groups = Array.from({ length: 400 }, (_, at) => `group-${at}`)
  t.equal((await app.exchange(await app.finish({ attributes: { groups } }))).statusCode, 200)
})

t.test('several values of the email are no email', async (t) => {
  const app = await samlApp(t)
  const refused = await app.finish({ email: null, attributes: { email: ['ann@acme.example', 'bob@acme.example'] } })
  await assertRefused(t, app, refused, { reason: 'email_not_verified', detail: /email/ })
})

t.test('a form of more than 256 KiB is 413, a repeated field or a missing response 400, another type 415', async (t) => {
  const app = await samlApp(t)
  const post = (payload: string, type = 'application/x-www-form-urlencoded') => app.app.inject({
    method: 'POST', url: `${SAML_PATH}/acme/acs`, headers: { 'content-type': type }, payload
  })
  const huge = await post(`SAMLResponse=${'A'.repeat(300_000)}`)
  t.equal(huge.statusCode, 413)
  t.equal(huge.json<{ error: { code: string } }>().error.code, 'PAYLOAD_TOO_LARGE')
  for (const payload of ['SAMLResponse=AAAA&SAMLResponse=BBBB', 'RelayState=x', '']) {
    const reply = await post(payload)
    t.equal(reply.statusCode, 400, payload)
    t.equal(reply.json<{ error: { code: string } }>().error.code, 'INVALID_REQUEST', payload)
  }
  t.equal((await post('{"SAMLResponse":"AAAA"}', 'application/json')).statusCode, 415)
})

t.test('a response to an unknown provider is 404', async (t) => {
  const app = await samlApp(t)
  const xml = responseXml({ ...app.partsFor(null), assertionId: newId() }, '')
  const reply = await app.send(xml, null, { provider: 'nobody' })
  t.equal(reply.statusCode, 404)
  t.equal(reply.json<{ error: { code: string } }>().error.code, 'NOT_FOUND')
})
