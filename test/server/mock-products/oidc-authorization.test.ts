import t from 'tap'

import { ANN, attempt, CALLBACK, chooseAt, discover, oidcProvider, redeem } from '../../helpers/oidc-client.js'
import { formOf, Visitor } from '../../helpers/visitor.js'

type Changes = Readonly<Record<string, string | null>>

t.test('a request whose client or redirect URI is wrong gets a page and no redirect', async (t) => {
  const configuration = await discover(await oidcProvider(t))
  const wrong: Record<string, Changes> = {
    'no client': { client_id: null },
    'another client': { client_id: 'gatehouse2' },
    'no redirect URI': { redirect_uri: null },
    'a slash more': { redirect_uri: `${CALLBACK}/` },
    'a query': { redirect_uri: `${CALLBACK}?x=1` },
    'a fragment': { redirect_uri: `${CALLBACK}#x` },
    'another case': { redirect_uri: CALLBACK.toUpperCase() },
    'an encoded character': { redirect_uri: CALLBACK.replace('callback', 'c%61llback') },
    'another host': { redirect_uri: CALLBACK.replace('127.0.0.1', 'localhost') },
    'a dot segment': { redirect_uri: CALLBACK.replace('/callback', '/x/../callback') }
  }
  const visitor = new Visitor()
  for (const [name, changes] of Object.entries(wrong)) {
    const { status, location, html } = await visitor.open((await attempt(configuration, changes)).url)
    t.equal(status, 400, name)
    t.equal(location, null, name)
    t.match(html, 'This request is not valid', name)
  }
  const { url } = await attempt(configuration)
  t.equal((await visitor.open(`${url}&state=second`)).status, 400, 'a repeated parameter')
})

t.test('another wrong parameter is reported at the callback with the state and the issuer', async (t) => {
  const provider = await oidcProvider(t)
  const configuration = await discover(provider)
  const wrong: Array<[name: string, error: string, changes: Changes]> = [
    ['no response type', 'invalid_request', { response_type: null }],
    ['an empty response type', 'invalid_request', { response_type: '' }],
    ['the implicit flow', 'unsupported_response_type', { response_type: 'id_token' }],
    ['the hybrid flow', 'unsupported_response_type', { response_type: 'code id_token' }],
    ['a fragment response', 'invalid_request', { response_mode: 'fragment' }],
    ['a form response', 'invalid_request', { response_mode: 'form_post' }],
    ['no scope', 'invalid_scope', { scope: null }],
    ['no openid scope', 'invalid_scope', { scope: 'email openids' }],
    ['no PKCE', 'invalid_request', { code_challenge: null, code_challenge_method: null }],
    ['no PKCE method', 'invalid_request', { code_challenge_method: null }],
    ['plain PKCE', 'invalid_request', { code_challenge_method: 'plain' }],
    ['a padded challenge', 'invalid_request', { code_challenge: `${'a'.repeat(43)}=` }],
    ['a short challenge', 'invalid_request', { code_challenge: 'a'.repeat(42) }],
    ['an unknown prompt', 'invalid_request', { prompt: 'create' }],
    ['prompt none with another', 'invalid_request', { prompt: 'none login' }],
    ['a negative age', 'invalid_request', { max_age: '-1' }],
    ['an age that is no number', 'invalid_request', { max_age: '1e3' }],
    ['a foreign ID token', 'invalid_request', { id_token_hint: 'eyJhbGciOiJub25lIn0.e30.' }],
    ['a request object', 'request_not_supported', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
    ['a request by reference', 'request_uri_not_supported', { request_uri: 'https://app.example/request' }],
    ['a registration', 'registration_not_supported', { registration: '{}' }]
  ]
  for (const [name, error, changes] of wrong) {
    const { url, state } = await attempt(configuration, changes)
    const { location, status } = await new Visitor().open(url)
    t.equal(status, 303, name)
    t.ok(location?.startsWith(`${CALLBACK}?`), name)
    const { searchParams } = new URL(location ?? '')
    t.equal(searchParams.get('error'), error, name)
    t.equal(searchParams.get('state'), state, name)
    t.equal(searchParams.get('iss'), provider.issuer, name)
    t.notOk(searchParams.has('code'), name)
  }
})

t.test('a form that is repeated, foreign or names an unknown person signs no one in', async (t) => {
  const configuration = await discover(await oidcProvider(t))
  const visitor = new Visitor()
  const unknown = await chooseAt(visitor, await attempt(configuration), 'person-1')
  t.equal(unknown.status, 400)
  const page = await visitor.open((await attempt(configuration, { prompt: 'login' })).url)
  t.equal((await visitor.press(page, { person: ANN })).status, 303)
  const again = await visitor.press(page, { person: ANN })
  t.equal(again.status, 400)
  t.match(again.html, 'This page has expired')
  const fresh = await visitor.open((await attempt(configuration, { prompt: 'login' })).url)
  const { action, fields } = formOf(fresh)
  const sent = await visitor.open(action, {
    method: 'POST',
    headers: { origin: 'http://evil.example' },
    body: new URLSearchParams({ ...fields, person: ANN })
  })
  t.equal(sent.status, 403)
  t.equal(sent.location, null)
})

t.test('openid-client refuses the response of another state, nonce or issuer', async (t) => {
  const provider = await oidcProvider(t)
  const configuration = await discover(provider)
  const tried = await attempt(configuration)
  const visit = await chooseAt(new Visitor(), tried, ANN)
  const mixed = { ...visit, location: (visit.location ?? '').replace(/iss=[^&]+/, 'iss=http%3A%2F%2Fevil.example') }
  await t.rejects(redeem(configuration, mixed, tried))
  await t.rejects(redeem(configuration, visit, { ...tried, state: 'another' }))
  await t.rejects(redeem(configuration, visit, { ...tried, nonce: 'another' }))
})

t.test('a provider is not started with a redirect URI that has a fragment or is relative', async (t) => {
  for (const uri of ['/callback', `${CALLBACK}#x`, 'data:text/html,x', 'http://']) {
    await t.rejects(oidcProvider(t, { redirectUris: [uri] }), { message: /must be an absolute URL/ }, uri)
  }
})
