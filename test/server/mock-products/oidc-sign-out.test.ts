import type { Test } from 'tap'
import t from 'tap'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { JWTPayload } from 'jose'
import { buildEndSessionUrl, fetchUserInfo } from 'openid-client'

import type { OidcProvider, OidcProviderOptions } from '../../../server/mock-products/oidc/index.js'
import {
  ANN,
  attempt,
  BEN,
  chooseAt,
  discover,
  oidcProvider,
  redeem,
  SIGNED_OUT,
  signIn
} from '../../helpers/oidc-client.js'
import { stubUpstream } from '../../helpers/stub-upstream.js'
import { Visitor } from '../../helpers/visitor.js'

/** A provider whose logout tokens are received, and what they claim once they are verified. */
async function withReceiver (t: Test, options: Partial<OidcProviderOptions> = {}, status = 200): Promise<{
  provider: OidcProvider
  tokens (): string[]
  received (): Promise<JWTPayload[]>
}> {
  const app = await stubUpstream(t, (_call, response) => { response.writeHead(status).end() })
  const provider = await oidcProvider(t, { backchannelLogoutUrl: `${app.origin}/logout`, ...options })
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))
  function tokens (): string[] {
    return app.calls.map(({ method, url, headers, body }) => {
      t.equal(`${method} ${url}`, 'POST /logout')
      t.match(headers['content-type'], /^application\/x-www-form-urlencoded/)
      return new URLSearchParams(body.toString()).get('logout_token') ?? ''
    })
  }
  async function received (): Promise<JWTPayload[]> {
    return Promise.all(tokens().map(async (token) => {
      const { payload } = await jwtVerify(token, keys, {
        issuer: provider.issuer,
        audience: provider.clientId,
        typ: 'logout+jwt',
        requiredClaims: ['iat', 'exp', 'jti', 'events']
      })
      t.notOk('nonce' in payload)
      t.same(payload['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} })
      return payload
    }))
  }
  return { provider, tokens, received }
}

t.test('a logout with the ID token of the session ends it at once and notifies the app of it', async (t) => {
  const { provider, received } = await withReceiver(t)
  const configuration = await discover(provider)
  const visitor = new Visitor()
  const { id_token: hint = '', access_token: token, claims } = await signIn(configuration, visitor, ANN)
  const { location } = await visitor.open(
    buildEndSessionUrl(configuration, {
      id_token_hint: hint,
      post_logout_redirect_uri: SIGNED_OUT,
      state: 'a b'
    }).href
  )
  t.equal(location, `${SIGNED_OUT}?state=a+b`)
  t.match(await received(), [{ sub: ANN, sid: claims()?.['sid'] }])
  t.equal((await received()).length, 1)
  await t.rejects(fetchUserInfo(configuration, token, ANN), 'the access token has ended')
  t.equal((await visitor.open((await attempt(configuration)).url)).status, 200, 'the next sign-in asks again')
})

t.test('a logout by client id, or with the ID token of another session, asks the person first', async (t) => {
  const { provider, received } = await withReceiver(t)
  const configuration = await discover(provider)
  const [visitor, other] = [new Visitor(), new Visitor()]
  await signIn(configuration, visitor, ANN)
  const { id_token: hint = '' } = await signIn(configuration, other, BEN)
  for (const parameters of [{ client_id: provider.clientId }, { id_token_hint: hint }]) {
    const url = new URL(`${provider.issuer}/end-session`)
    url.search = String(new URLSearchParams({ ...parameters, post_logout_redirect_uri: SIGNED_OUT }))
    const asked = await visitor.open(url.href)
    t.equal(asked.status, 200)
    t.match(asked.html, 'Ann Archer')
    const stayed = await visitor.press(asked, { stay: 'yes' })
    t.equal(stayed.location, `${provider.origin}/`)
    t.same(await received(), [])
  }
  const query = new URLSearchParams({ client_id: provider.clientId, post_logout_redirect_uri: SIGNED_OUT })
  const asked = await visitor.open(`${provider.issuer}/end-session?${query}`)
  const { location } = await visitor.press(asked, { scope: 'here' })
  t.equal(location, SIGNED_OUT)
  t.match(await received(), [{ sub: ANN, sid: String }])
  t.equal((await visitor.press(asked, { scope: 'here' })).status, 400, 'the form works once')
})

t.test('a wrong logout request gets a page, no redirect and ends nothing', async (t) => {
  const { provider, received } = await withReceiver(t)
  const configuration = await discover(provider)
  const visitor = new Visitor()
  const { id_token: hint = '' } = await signIn(configuration, visitor, ANN)
  const foreign = await signIn(await discover(await oidcProvider(t)), new Visitor(), ANN)
  const wrong: Record<string, Record<string, string>> = {
    'an unregistered URL': { id_token_hint: hint, post_logout_redirect_uri: `${SIGNED_OUT}/` },
    'a URL without hint and client': { post_logout_redirect_uri: SIGNED_OUT },
    'another client': { id_token_hint: hint, client_id: 'other' },
    'a damaged hint': { id_token_hint: hint.slice(0, -2) },
    "another provider's hint": { id_token_hint: foreign.id_token ?? '', post_logout_redirect_uri: SIGNED_OUT }
  }
  for (const [name, parameters] of Object.entries(wrong)) {
    const { status, location } = await visitor.open(`${provider.issuer}/end-session?${new URLSearchParams(parameters)}`)
    t.equal(status, 400, name)
    t.equal(location, null, name)
  }
  t.equal((await visitor.open((await attempt(configuration, { prompt: 'none' })).url)).status, 303)
  t.match((await visitor.open(`${provider.origin}/`)).html, 'Signed in as')
  t.same(await received(), [])
})

t.test('"sign out everywhere" ends the sessions of all browsers by a logout token without sid', async (t) => {
  const { provider, received } = await withReceiver(t)
  const configuration = await discover(provider)
  const [first, second, ben] = [new Visitor(), new Visitor(), new Visitor()]
  for (const visitor of [first, second]) await signIn(configuration, visitor, ANN)
  await signIn(configuration, ben, BEN)
  const page = await first.open(`${provider.origin}/`)
  t.match(page.html, '2 browsers')
  const { status, html } = await first.press(page, { scope: 'everywhere' })
  t.equal(status, 200)
  t.match(html, 'The app has been notified')
  const [token, ...rest] = await received()
  t.equal(token?.sub, ANN)
  t.notOk('sid' in (token ?? {}))
  t.same(rest, [])
  for (const visitor of [first, second]) t.match((await visitor.open(`${provider.origin}/`)).html, 'No one is signed in')
  t.match((await ben.open(`${provider.origin}/`)).html, 'Ben Baker')
})

t.test('"sign out" at the provider ends the session of this browser alone', async (t) => {
  const { provider, received } = await withReceiver(t)
  const configuration = await discover(provider)
  const [first, second] = [new Visitor(), new Visitor()]
  for (const visitor of [first, second]) await signIn(configuration, visitor, ANN)
  await first.press(await first.open(`${provider.origin}/`), { scope: 'here' })
  t.match(await received(), [{ sub: ANN, sid: String }])
  t.match((await second.open(`${provider.origin}/`)).html, 'Ann Archer')
})

t.test('the app is not notified of a session of which it has no token', async (t) => {
  const { provider, received } = await withReceiver(t)
  const visitor = new Visitor()
  await chooseAt(visitor, await attempt(await discover(provider)), ANN)
  const { html } = await visitor.press(await visitor.open(`${provider.origin}/`), { scope: 'here' })
  t.match(html, 'The app did not know this session')
  t.same(await received(), [])
})

t.test('a logout token is not accepted as an ID token', async (t) => {
  const { provider, tokens } = await withReceiver(t)
  const configuration = await discover(provider)
  const visitor = new Visitor()
  await signIn(configuration, visitor, ANN)
  await visitor.press(await visitor.open(`${provider.origin}/`), { scope: 'here' })
  const [token = ''] = tokens()
  t.equal((await visitor.open(`${provider.issuer}/end-session?id_token_hint=${token}`)).status, 400)
  const { location } = await visitor.open((await attempt(configuration, { id_token_hint: token })).url)
  t.match(location, /error=invalid_request/)
})

t.test('signing in as another person ends the former session and notifies the app of it', async (t) => {
  const { provider, received } = await withReceiver(t)
  const configuration = await discover(provider)
  const visitor = new Visitor()
  const ann = await signIn(configuration, visitor, ANN)
  await signIn(configuration, visitor, BEN, { prompt: 'login' })
  t.match(await received(), [{ sub: ANN, sid: ann.claims()?.['sid'] }])
})

t.test('the page says when the app refused the logout token, cannot be reached or has no endpoint', async (t) => {
  const gone = await stubUpstream(t, (_call, response) => { response.end() })
  await gone.close()
  const cases: Array<[OidcProvider, string]> = [
    [(await withReceiver(t, {}, 400)).provider, 'refused the notification with the HTTP status 400'],
    [await oidcProvider(t, { backchannelLogoutUrl: `${gone.origin}/logout` }), 'could not be reached'],
    [await oidcProvider(t), 'has no back-channel logout']
  ]
  for (const [provider, message] of cases) {
    const visitor = new Visitor()
    await signIn(await discover(provider), visitor, ANN)
    const { html } = await visitor.press(await visitor.open(`${provider.origin}/`), { scope: 'here' })
    t.match(html, message)
  }
})

t.test('a code is refused after the person has signed out', async (t) => {
  const configuration = await discover(await oidcProvider(t))
  const visitor = new Visitor()
  const tried = await attempt(configuration)
  const visit = await chooseAt(visitor, tried, ANN)
  const { origin } = new URL(tried.url)
  await visitor.press(await visitor.open(`${origin}/`), { scope: 'here' })
  const error = await redeem(configuration, visit, tried).then(() => null, (error: unknown) => error)
  t.match(error, { error: 'invalid_grant' })
})

t.test('a new signing key is published beside the previous one, and two keys later the first is gone', async (t) => {
  const provider = await oidcProvider(t)
  const configuration = await discover(provider)
  const kids = async () => {
    const { keys } = await (await fetch(`${provider.issuer}/jwks`)).json() as { keys: Array<Record<string, string>> }
    t.notOk(keys.some((key) => 'd' in key), 'no private key')
    return keys.map(({ kid }) => kid)
  }
  const visitor = new Visitor()
  const { id_token: first = '' } = await signIn(configuration, visitor, ANN)
  const [before] = await kids()
  await provider.rotateKeys()
  const [newest, previous, ...rest] = await kids()
  t.not(newest, before)
  t.equal(previous, before)
  t.same(rest, [])
  t.equal((await signIn(configuration, new Visitor(), BEN)).claims()?.sub, BEN)
  const silent = (await attempt(configuration, { prompt: 'none', id_token_hint: first })).url
  t.match((await visitor.open(silent)).location, /[?&]code=/, 'the previous key still verifies')
  await provider.rotateKeys()
  t.notOk((await kids()).includes(before))
  t.match((await visitor.open(silent)).location, /error=invalid_request/)
})
