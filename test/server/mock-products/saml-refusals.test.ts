import { sign } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'

import t from 'tap'

import { createSigningPair } from '../../../server/mock-products/saml/certificate.js'
import { signQuery } from '../../../server/mock-products/saml/signatures.js'
import { ACS, ANN, appKeys, ENTITY, posted, samlClient, samlProvider } from '../../helpers/saml-client.js'
import { authnRequest, formFor, issuer, postForm, redirectQuery } from '../../helpers/saml-messages.js'
import type { Attributes } from '../../helpers/saml-messages.js'
import { Visitor } from '../../helpers/visitor.js'

const foreign = await createSigningPair('another app', Date.now())
const MINUTE = 60_000

function minutesFromNow (minutes: number): string {
  return new Date(Date.now() + minutes * MINUTE).toISOString()
}

t.test('a valid request by HTTP redirect and by HTTP POST shows the people', async (t) => {
  const { ssoUrl } = await samlProvider(t)
  const visitor = new Visitor()
  const body = postForm(authnRequest(ssoUrl))
  for (const page of [await visitor.open(`${ssoUrl}?${redirectQuery(authnRequest(ssoUrl))}`),
    await visitor.open(ssoUrl, { method: 'POST', body })]) {
    t.equal(page.status, 200)
    t.match(page.html, /name="person"/)
    t.match(page.headers.get('content-security-policy'), /form-action 'self' http:\/\/127\.0\.0\.1:1;/)
  }
})

t.test('a request with a wrong attribute or content is refused in both bindings', async (t) => {
  const { ssoUrl, sloUrl } = await samlProvider(t)
  const wrong: Array<[name: string, reason: string, changes: Attributes, content?: string]> = [
    ['no issuer', 'Issuer', {}, '<samlp:Scoping/>'],
    ['another issuer', 'Issuer', {}, issuer(`${ENTITY}x`)],
    ['two issuers', 'Issuer', {}, issuer() + issuer()],
    ['an issuer of another format', 'Issuer', {}, issuer().replace('>', ' Format="urn:x">')],
    ['an issuer of another namespace', 'Issuer', {}, issuer().replaceAll('saml:', 'samlp:')],
    ['another callback', 'AssertionConsumerServiceURL', { AssertionConsumerServiceURL: `${ACS}/` }],
    ['a callback by index', 'AssertionConsumerServiceIndex', {
      AssertionConsumerServiceURL: null,
      AssertionConsumerServiceIndex: '0'
    }],
    ['another response binding', 'ProtocolBinding', {
      ProtocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact'
    }],
    ['no destination', 'Destination', { Destination: null }],
    ['another destination', 'Destination', { Destination: sloUrl }],
    ['no version', 'Version', { Version: null }],
    ['another version', 'Version', { Version: '1.1' }],
    ['an ID that starts with a digit', 'ID must', { ID: '1a' }],
    ['no time', 'IssueInstant', { IssueInstant: null }],
    ['a time without zone', 'IssueInstant', { IssueInstant: new Date().toISOString().slice(0, -1) }],
    ['six minutes ago', 'IssueInstant', { IssueInstant: minutesFromNow(-6) }],
    ['in six minutes', 'IssueInstant', { IssueInstant: minutesFromNow(6) }],
    ['a boolean in words', 'ForceAuthn', { ForceAuthn: 'yes' }]
  ]
  const visitor = new Visitor()
  for (const [name, reason, changes, content = issuer()] of wrong) {
    const xml = authnRequest(ssoUrl, changes, content)
    const redirected = await visitor.open(`${ssoUrl}?${redirectQuery(xml)}`)
    t.equal(redirected.status, 400, name)
    t.match(redirected.html, `<p>${reason}`, name)
    // The helper places the signature after the only issuer.
    if (reason === 'Issuer') continue
    const posted = await visitor.open(ssoUrl, { method: 'POST', body: postForm(xml) })
    t.equal(posted.status, 400, `${name}, by POST`)
    t.match(posted.html, `<p>${reason}`, `${name}, by POST`)
  }
})

t.test('a DTD, an entity, a comment or broken XML is refused in both bindings', async (t) => {
  const { ssoUrl } = await samlProvider(t)
  const unsigned = await samlProvider(t, { certificate: null })
  const visitor = new Visitor()
  const good = authnRequest(ssoUrl)
  const bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
  const wrong: Record<string, string | Buffer> = {
    'a DTD': `<!DOCTYPE samlp:AuthnRequest>${good}`,
    'an external DTD': `<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">${good}`,
    'nested entities': bomb + good.replace('&amp;', '&b;'),
    'an unknown entity': good.replace('&amp;', '&unknown;'),
    'a comment in the issuer': good.replace('127.0', '127<!-- -->.0'),
    'a CDATA section': good.replace('&amp;', '<![CDATA[&]]>'),
    'a processing instruction': `<?xml-stylesheet href="x"?>${good}`,
    'no end': good.slice(0, -5),
    'two roots': good + good,
    'nothing but text': 'AuthnRequest',
    'another root': good.replaceAll('AuthnRequest', 'LogoutRequest'),
    'a root of another namespace': good.replace('SAML:2.0:protocol', 'SAML:1.0:protocol'),
    'invalid UTF-8': Buffer.from(good.replace('</saml', 'ÿ</saml'), 'latin1'),
    'a message that inflates to 100 KB': good.replace('</saml', `${' '.repeat(100_000)}</saml`)
  }
  const reason = /<p>The message must be (?:base64|well-formed XML|a samlp:AuthnRequest)/
  for (const [name, xml] of Object.entries(wrong)) {
    const redirected = await visitor.open(`${ssoUrl}?${redirectQuery(xml)}`)
    t.equal(redirected.status, 400, name)
    t.match(redirected.html, reason, name)
    const posted = await visitor.open(unsigned.ssoUrl, { method: 'POST', body: formFor(xml) })
    t.equal(posted.status, 400, `${name}, by POST`)
    t.match(posted.html, reason, `${name}, by POST`)
  }
})

t.test('a query whose signature is missing, foreign or covers something else is refused', async (t) => {
  const { ssoUrl } = await samlProvider(t)
  const visitor = new Visitor()
  const good = redirectQuery(authnRequest(ssoUrl), 'relay')
  const [message = '', relay = '', algorithm = '', signature = ''] = good.split('&')
  const other = redirectQuery(authnRequest(ssoUrl, { ID: '_b2' })).split('&')[0] ?? ''
  const { privateKey } = appKeys
  const weak = `${message}&SigAlg=${encodeURIComponent('http://www.w3.org/2000/09/xmldsig#rsa-sha1')}`
  const join = (...parts: string[]) => parts.join('&')
  const wrong: Record<string, string> = {
    'no signature': join(message, relay, algorithm),
    'no algorithm': join(message, relay, signature),
    'an empty signature': join(message, relay, algorithm, 'Signature='),
    'another relay state': good.replace('relay', 'relaz'),
    'no relay state': join(message, algorithm, signature),
    'another message': join(other, relay, algorithm, signature),
    'another encoding of the same text': good.replace('%2F', '%2f').replace('%2B', '%2b').replace('%3D', '%3d'),
    'an encoded name': good.replace('RelayState', '%52elayState'),
    'a repeated message': join(message, good),
    'an unsigned relay state under an encoded name': `${redirectQuery(authnRequest(ssoUrl))}&%52elayState=x`,
    'SHA-1': join(weak, `Signature=${encodeURIComponent(sign('sha1', Buffer.from(weak), privateKey).toString('base64'))}`),
    'the key of another app': redirectQuery(authnRequest(ssoUrl), 'relay', foreign),
    'a long relay state': redirectQuery(authnRequest(ssoUrl), 'ü'.repeat(41)),
    'another encoding': `${good}&SAMLEncoding=urn:x`,
    'a response too': `${good}&SAMLResponse=x`,
    'no message': join(relay, algorithm, signature),
    'plain base64': signQuery(`SAMLRequest=${encodeURIComponent(Buffer.from(authnRequest(ssoUrl)).toString('base64'))}`, appKeys),
    base64url: signQuery(`SAMLRequest=${deflateRawSync(authnRequest(ssoUrl)).toString('base64url')}`, appKeys)
  }
  const reason = /<p>(?:The signature is|The message must be base64|A parameter is|There must be one|RelayState|SAMLEncod)/
  for (const [name, query] of Object.entries(wrong)) {
    const { status, html } = await visitor.open(`${ssoUrl}?${query}`)
    t.equal(status, 400, name)
    t.match(html, reason, name)
  }
  t.equal((await visitor.open(`${ssoUrl}?${good}`)).status, 200, 'the query without a fault')
})

t.test('a posted request whose signature is missing, foreign or covers another element is refused', async (t) => {
  const { ssoUrl } = await samlProvider(t)
  const visitor = new Visitor()
  const xml = authnRequest(ssoUrl)
  const signed = Buffer.from(postForm(xml).get('SAMLRequest') ?? '', 'base64').toString()
  const signature = /<ds:Signature .*<\/ds:Signature>/.exec(signed)?.[0] ?? ''
  t.ok(signature.length > 500)
  const wrapped = authnRequest(ssoUrl, { ID: '_evil' }, `${issuer()}<samlp:Extensions>${signed}</samlp:Extensions>`)
  const wrong: Record<string, string> = {
    'no signature': xml,
    'another time': signed.replace(/IssueInstant="[^"]+"/, `IssueInstant="${minutesFromNow(1)}"`),
    'an added attribute': signed.replace('ID="_a1"', 'ID="_a1" ForceAuthn="true"'),
    'an added element': signed.replace('</samlp:AuthnRequest>', '<samlp:Scoping/></samlp:AuthnRequest>'),
    'the signed request inside another': wrapped,
    'the signature of the inner request': wrapped.replace(issuer(), issuer() + signature),
    'the signature of an inner request that has none': authnRequest(
      ssoUrl,
      { ID: '_evil' },
      `${issuer()}${signature}<samlp:Extensions>${xml}</samlp:Extensions>`
    ),
    'two signatures': signed.replace('</samlp:AuthnRequest>', `${signature}</samlp:AuthnRequest>`),
    'a reference to nothing': signed.replace('URI="#_a1"', 'URI=""'),
    'the key of another app': Buffer.from(postForm(xml, foreign).get('SAMLRequest') ?? '', 'base64').toString()
  }
  for (const [name, text] of Object.entries(wrong)) {
    const { status, html } = await visitor.open(ssoUrl, { method: 'POST', body: formFor(text) })
    t.equal(status, 400, name)
    t.match(html, '<p>The signature is missing or not valid', name)
  }
  t.equal((await visitor.open(ssoUrl, { method: 'POST', body: formFor(signed) })).status, 200, 'the signed request')
  const deflated = new URLSearchParams({ SAMLRequest: deflateRawSync(signed).toString('base64') })
  t.equal((await visitor.open(ssoUrl, { method: 'POST', body: deflated })).status, 400, 'a compressed request')
})

t.test('a name identifier or a context that the provider does not support gets an error response', async (t) => {
  const provider = await samlProvider(t)
  const context = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'
  const transient = samlClient(provider, { identifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' })
  const smartcard = samlClient(provider, { authnContext: [`${context}Smartcard`] })
  const better = samlClient(provider, { racComparison: 'better' })
  const cases = [[transient, 'InvalidNameIDPolicy'], [smartcard, 'NoAuthnContext'], [better, 'NoAuthnContext']] as const
  for (const [client, detail] of cases) {
    const { SAMLResponse } = posted(await new Visitor().open(await client.getAuthorizeUrlAsync('', undefined, {})))
    await t.rejects(client.validatePostResponseAsync({ SAMLResponse }), new RegExp(`error: ${detail}`))
  }
  const either = samlClient(provider, { authnContext: [`${context}Smartcard`, `${context}Password`] })
  const { html } = await new Visitor().open(await either.getAuthorizeUrlAsync('', undefined, {}))
  t.match(html, /name="person"/)
})

t.test('a form that is repeated, foreign or names an unknown person signs no one in', async (t) => {
  const { ssoUrl, origin } = await samlProvider(t)
  const visitor = new Visitor()
  const open = () => visitor.open(`${ssoUrl}?${redirectQuery(authnRequest(ssoUrl, { ForceAuthn: '1' }))}`)
  t.equal((await visitor.press(await open(), { person: 'person-1' })).status, 400)
  const page = await open()
  t.match((await visitor.press(page, { person: ANN })).html, 'SAMLResponse')
  const again = await visitor.press(page, { person: ANN })
  t.equal(again.status, 400)
  t.match(again.html, 'This page has expired')
  const sent = await visitor.open(`${origin}/sign-in`, {
    method: 'POST',
    headers: { origin: 'http://evil.example' },
    body: new URLSearchParams({ request: 'x', person: ANN })
  })
  t.equal(sent.status, 403)
})
