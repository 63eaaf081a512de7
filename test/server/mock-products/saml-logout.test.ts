import t from 'tap'
import { ValidateInResponseTo } from '@node-saml/node-saml'
import type { Profile, SAML } from '@node-saml/node-saml'

import type { SamlProvider } from '../../../server/mock-products/saml/index.js'
import { ANN, BEN, posted, samlClient, samlProvider, signIn, SLO } from '../../helpers/saml-client.js'
import { issuer, logoutRequest, postForm, redirectQuery } from '../../helpers/saml-messages.js'
import { Visitor } from '../../helpers/visitor.js'
import type { Visit } from '../../helpers/visitor.js'

/** Lets the library validate a message that a redirect carries to the app. */
function received (client: SAML, { location }: Pick<Visit, 'location'>): ReturnType<SAML['validateRedirectAsync']> {
  const url = new URL(location ?? '')
  if (url.origin + url.pathname !== SLO) throw new Error(`not sent to the app: ${location}`)
  // The library accepts a message without a signature.
  if (!url.searchParams.has('Signature')) throw new Error('not signed')
  return client.validateRedirectAsync(Object.fromEntries(url.searchParams), url.search.slice(1))
}

async function isSignedIn (client: SAML, visitor: Visitor): Promise<boolean> {
  const { html } = await visitor.open(await client.getAuthorizeUrlAsync('', undefined, {}))
  return !html.includes('name="person"')
}

t.test('a logout request by HTTP redirect ends the named session, and the response is signed', async (t) => {
  const client = samlClient(await samlProvider(t))
  const [first, second] = [new Visitor(), new Visitor()]
  const profile = await signIn(client, first, ANN)
  await signIn(client, second, ANN)
  const response = await first.open(await client.getLogoutUrlAsync(profile, 'relay', {}))
  t.equal(response.status, 303)
  t.equal(new URL(response.location ?? '').searchParams.get('RelayState'), 'relay')
  t.same(await received(client, response), { profile: null, loggedOut: true })
  t.notOk(await isSignedIn(client, first))
  t.ok(await isSignedIn(client, second), 'the session of the other browser continues')
  await t.resolves(first.open(await client.getLogoutUrlAsync(profile, '', {})).then((again) => received(client, again)),
    'a repeated logout succeeds')
})

t.test('a logout request without a session index ends all sessions of the person', async (t) => {
  const client = samlClient(await samlProvider(t))
  const [first, second, ben] = [new Visitor(), new Visitor(), new Visitor()]
  const { sessionIndex, ...profile } = await signIn(client, first, ANN)
  t.type(sessionIndex, 'string')
  await signIn(client, second, ANN)
  await signIn(client, ben, BEN)
  await received(client, await first.open(await client.getLogoutUrlAsync(profile as unknown as Profile, '', {})))
  t.notOk(await isSignedIn(client, first))
  t.notOk(await isSignedIn(client, second))
  t.ok(await isSignedIn(client, ben))
})

t.test('a logout request by HTTP POST gets a signed response by HTTP POST', async (t) => {
  const provider = await samlProvider(t)
  const client = samlClient(provider)
  const visitor = new Visitor()
  const { nameID, nameIDFormat } = await signIn(client, visitor, ANN)
  const nameId = `<saml:NameID Format="${nameIDFormat}">${nameID}</saml:NameID>`
  const body = postForm(logoutRequest(provider.sloUrl, issuer() + nameId))
  const page = await visitor.open(provider.sloUrl, { method: 'POST', body })
  const { target, SAMLResponse, xml } = posted(page)
  t.equal(target, SLO)
  t.match(xml, 'InResponseTo="_a1"')
  t.match(xml, 'status:Success')
  const lenient = samlClient(provider, { validateInResponseTo: ValidateInResponseTo.never })
  t.same(await lenient.validatePostResponseAsync({ SAMLResponse }), { profile: null, loggedOut: true })
  t.notOk(await isSignedIn(client, visitor))
})

t.test('a wrong logout request is refused and ends nothing', async (t) => {
  const provider = await samlProvider(t)
  const client = samlClient(provider)
  const visitor = new Visitor()
  const { nameID } = await signIn(client, visitor, ANN)
  const nameId = `<saml:NameID>${nameID}</saml:NameID>`
  const { sloUrl, ssoUrl } = provider
  const past = new Date(Date.now() - 1_000).toISOString()
  const wrong: Record<string, [query: string, reason: string]> = {
    'no signature': [redirectQuery(logoutRequest(sloUrl, issuer() + nameId)).replace(/&SigAlg.*/, ''), 'The signature'],
    'another destination': [redirectQuery(logoutRequest(ssoUrl, issuer() + nameId)), 'Destination'],
    'no name': [redirectQuery(logoutRequest(sloUrl, issuer())), 'There must be one NameID'],
    'two names': [redirectQuery(logoutRequest(sloUrl, issuer() + nameId + nameId)), 'There must be one NameID'],
    'a name with elements': [redirectQuery(logoutRequest(sloUrl, `${issuer()}<saml:NameID><b/>${nameID}</saml:NameID>`)),
      'There must be one NameID'],
    'an expired request': [redirectQuery(logoutRequest(sloUrl, issuer() + nameId, { NotOnOrAfter: past })),
      'The request has expired'],
    'another issuer': [redirectQuery(logoutRequest(sloUrl, issuer('https://other.example') + nameId)), 'Issuer'],
    'another message': [redirectQuery(logoutRequest(sloUrl, issuer() + nameId).replaceAll('LogoutRequest', 'AuthnRequest')),
      'The message must be a samlp:LogoutRequest']
  }
  for (const [name, [query, reason]] of Object.entries(wrong)) {
    const { status, html } = await visitor.open(`${sloUrl}?${query}`)
    t.equal(status, 400, name)
    t.match(html, `<p>${reason}`, name)
  }
  const unknown = redirectQuery(logoutRequest(sloUrl, `${issuer()}<saml:NameID>unknown</saml:NameID>`))
  await t.rejects(received(client, await visitor.open(`${sloUrl}?${unknown}`)), /Bad status code: .*Requester/)
  t.ok(await isSignedIn(client, visitor))
})

/** Presses a sign-out button at the provider, and lets the app answer the logout request. */
async function signOut (
  provider: SamlProvider,
  visitor: Visitor,
  scope: string,
  success = true
): Promise<{ profile: Profile | null, answer: string }> {
  const client = samlClient(provider)
  const sent = await visitor.press(await visitor.open(`${provider.origin}/`), { scope })
  t.equal(sent.status, 303)
  const { profile } = await received(client, sent)
  if (profile === null) throw new Error('no profile')
  return { profile, answer: await client.getLogoutResponseUrlAsync(profile, '', {}, success) as string }
}

t.test('"sign out" sends the app a signed logout request for the session, and shows its answer', async (t) => {
  const provider = await samlProvider(t)
  const client = samlClient(provider)
  const [first, second] = [new Visitor(), new Visitor()]
  const known = await signIn(client, first, ANN)
  await signIn(client, second, ANN)
  const { profile, answer } = await signOut(provider, first, 'here')
  t.match(profile, {
    issuer: provider.entityId,
    nameID: known.nameID,
    nameIDFormat: known.nameIDFormat,
    sessionIndex: known.sessionIndex
  })
  const shown = await first.open(answer)
  t.equal(shown.status, 200)
  t.match(shown.html, 'The app has ended its session too')
  t.notOk(await isSignedIn(client, first))
  t.ok(await isSignedIn(client, second))
  const again = await first.open(answer)
  t.equal(again.status, 400)
  t.match(again.html, 'InResponseTo')
})

t.test('"sign out everywhere" sends a logout request for all sessions of the person', async (t) => {
  const provider = await samlProvider(t)
  const client = samlClient(provider)
  const [first, second] = [new Visitor(), new Visitor()]
  const known = await signIn(client, first, ANN)
  await signIn(client, second, ANN)
  t.match((await first.open(`${provider.origin}/`)).html, '2 browsers')
  const { profile, answer } = await signOut(provider, first, 'everywhere')
  t.equal(profile?.nameID, known.nameID)
  t.equal(profile?.sessionIndex, undefined)
  t.match((await first.open(answer)).html, 'The app has ended its session too')
  for (const visitor of [first, second]) t.notOk(await isSignedIn(client, visitor))
})

t.test('the page says when the app could not end its session, has no single logout or knows no session', async (t) => {
  const provider = await samlProvider(t)
  const visitor = new Visitor()
  await signIn(samlClient(provider), visitor, ANN)
  const { answer } = await signOut(provider, visitor, 'here', false)
  t.match((await visitor.open(answer)).html, 'responded with the status Requester')

  const alone = await samlProvider(t, { sloUrl: null })
  await signIn(samlClient(alone), visitor, ANN)
  const page = await visitor.press(await visitor.open(`${alone.origin}/`), { scope: 'here' })
  t.match(page.html, 'The app has no single logout')
  const query = redirectQuery(logoutRequest(alone.sloUrl, `${issuer()}<saml:NameID>x</saml:NameID>`))
  t.equal((await visitor.open(`${alone.sloUrl}?${query}`)).status, 400)
})

t.test('a response that is unsigned or answers nothing is refused', async (t) => {
  const provider = await samlProvider(t)
  const visitor = new Visitor()
  const client = samlClient(provider)
  await signIn(client, visitor, ANN)
  const { answer } = await signOut(provider, visitor, 'here')
  const unsigned = await visitor.open(answer.replace(/&SigAlg.*/, ''))
  t.equal(unsigned.status, 400)
  t.match(unsigned.html, 'The signature is missing')
  const foreign = await client.getLogoutResponseUrlAsync({ ID: '_unknown' } as unknown as Profile, '', {}, true) as string
  t.equal((await visitor.open(foreign)).status, 400)
  t.equal((await visitor.open(answer)).status, 200)
})
