import t from 'tap'
import { ClientSecretBasic, ClientSecretPost, fetchUserInfo } from 'openid-client'

import {
  ANN,
  attempt,
  BEN,
  CALLBACK,
  chooseAt,
  discover,
  oidcProvider,
  redeem,
  signIn
} from '../../helpers/oidc-client.js'
import { Visitor } from '../../helpers/visitor.js'

for (const [name, authentication] of Object.entries({ ClientSecretBasic, ClientSecretPost })) {
  for (const algorithm of ['RS256', 'ES256'] as const) {
    t.test(`openid-client signs a person in with ${name} and ${algorithm}`, async (t) => {
      const provider = await oidcProvider(t, { algorithm, clientSecret: 'a secret: with +%/ and ü' })
      const configuration = await discover(provider, authentication)
      const tokens = await signIn(configuration, new Visitor(), ANN)
      const claims = tokens.claims()
      t.match(claims, {
        iss: provider.issuer,
        aud: 'gatehouse',
        sub: ANN,
        sid: /^[0-9a-f-]{36}$/,
        amr: ['pwd'],
        auth_time: Number,
        email: 'ann@example.com',
        email_verified: true,
        name: 'Ann Archer',
        groups: ['analytics-admins', 'staff']
      })
      t.equal((claims?.exp ?? 0) - (claims?.iat ?? 0), 300)
      t.match(await fetchUserInfo(configuration, tokens.access_token, ANN), { email: 'ann@example.com', sub: ANN })
    })
  }
}

t.test('the callback receives the code beside its own query, the state and the issuer', async (t) => {
  const withQuery = `${CALLBACK}?tenant=a%20b`
  const provider = await oidcProvider(t, { redirectUris: [withQuery] })
  const tried = await attempt(await discover(provider), { redirect_uri: withQuery })
  const { status, location } = await chooseAt(new Visitor(), tried, ANN)
  t.equal(status, 303)
  t.ok(location?.startsWith(`${withQuery}&code=`))
  const { searchParams } = new URL(location ?? '')
  t.equal(searchParams.get('state'), tried.state)
  t.equal(searchParams.get('iss'), provider.issuer)
})

t.test('the page lists people with an unverified address, of another domain and without groups', async (t) => {
  const provider = await oidcProvider(t)
  const configuration = await discover(provider)
  const { html, headers } = await new Visitor().open((await attempt(configuration)).url)
  for (const shown of ['Ann Archer', 'cleo@example.com', 'not verified', 'dan@partner.example', 'no groups']) {
    t.match(html, shown)
  }
  t.match(headers.get('content-security-policy'), /script-src 'self';.*form-action 'self' http:\/\/127\.0\.0\.1:1;/)
  t.match(headers.get('content-security-policy'), /frame-ancestors 'none'/)
  t.notMatch(html, /<script>|onclick|style=/, 'no inline code')
  const claims = (await signIn(configuration, new Visitor(), 'person-1003')).claims()
  t.equal(claims?.['email_verified'], false)
  const eve = (await signIn(configuration, new Visitor(), 'person-1005')).claims()
  t.equal(eve?.['groups'], undefined)
})

t.test('claims about the address and the name are sent only for their scopes', async (t) => {
  const configuration = await discover(await oidcProvider(t))
  const claims = (await signIn(configuration, new Visitor(), ANN, { scope: 'openid' })).claims()
  t.equal(claims?.sub, ANN)
  t.equal(claims?.['email'], undefined)
  t.equal(claims?.['name'], undefined)
  t.same(claims?.['groups'], ['analytics-admins', 'staff'])
})

t.test('a person who cancels returns to the callback with access_denied', async (t) => {
  const provider = await oidcProvider(t)
  const tried = await attempt(await discover(provider))
  const visitor = new Visitor()
  const { location } = await visitor.press(await visitor.open(tried.url), { cancel: 'yes' })
  const { searchParams } = new URL(location ?? '')
  t.equal(searchParams.get('error'), 'access_denied')
  t.equal(searchParams.get('state'), tried.state)
  t.equal(searchParams.get('iss'), provider.issuer)
  t.notOk(searchParams.has('code'))
})

t.test('a browser with a session is sent on without a page, unless the request demands a sign-in', async (t) => {
  let now = Date.now()
  const configuration = await discover(await oidcProvider(t, { now: () => now }))
  const visitor = new Visitor()
  const first = (await signIn(configuration, visitor, ANN)).claims()
  now += 20_000
  const again = await attempt(configuration)
  const claims = (await redeem(configuration, await visitor.open(again.url), again)).claims()
  t.equal(claims?.['sid'], first?.['sid'])
  t.equal(claims?.auth_time, first?.auth_time)
  const silent: Array<Record<string, string>> = [{ prompt: 'none' }, { max_age: '21' },
    { login_hint: 'ann@example.com' }, { login_hint: 'unknown@example.com' }]
  for (const extra of silent) {
    const { status, location } = await visitor.open((await attempt(configuration, extra)).url)
    t.equal(status, 303, JSON.stringify(extra))
    t.match(location, /[?&]code=/)
  }
  const asking: Array<Record<string, string>> = [{ prompt: 'login' }, { prompt: 'select_account' },
    { prompt: 'login consent' }, { max_age: '0' }, { max_age: '20' }, { login_hint: 'ben@example.com' }]
  for (const extra of asking) {
    const { status, html } = await visitor.open((await attempt(configuration, extra)).url)
    t.equal(status, 200, JSON.stringify(extra))
    t.match(html, /name="person"/)
  }
  const renewed = (await signIn(configuration, visitor, ANN, { prompt: 'login' })).claims()
  t.equal(renewed?.['sid'], first?.['sid'], 'the session continues')
  t.equal(renewed?.auth_time, (first?.auth_time ?? 0) + 20)
})

t.test('prompt=none returns login_required without a session, with an old one and for another person', async (t) => {
  let now = Date.now()
  const configuration = await discover(await oidcProvider(t, { now: () => now }))
  const visitor = new Visitor()
  const errorOf = async (extra: Record<string, string> = {}) => {
    const { url } = await attempt(configuration, { prompt: 'none', ...extra })
    return new URL((await visitor.open(url)).location ?? '').searchParams.get('error')
  }
  t.equal(await errorOf(), 'login_required')
  const ben = await signIn(configuration, new Visitor(), BEN)
  const ann = await signIn(configuration, visitor, ANN)
  t.equal(await errorOf({ id_token_hint: ann.id_token ?? '' }), null)
  t.equal(await errorOf({ id_token_hint: ben.id_token ?? '' }), 'login_required')
  t.equal(await errorOf({ id_token_hint: `${ben.id_token}x` }), 'invalid_request')
  now += 60_000
  t.equal(await errorOf({ max_age: '30' }), 'login_required')
  now += 8 * 3_600_000
  t.equal(await errorOf(), 'login_required')
})

t.test('the cookie changes with each sign-in, so that a cookie from before it is worth nothing', async (t) => {
  const configuration = await discover(await oidcProvider(t))
  const visitor = new Visitor()
  await signIn(configuration, visitor, ANN)
  const before = visitor.copy()
  const { url } = await attempt(configuration)
  t.equal((await before.open(url)).status, 303)
  await signIn(configuration, visitor, ANN, { prompt: 'login' })
  t.equal((await before.open(url)).status, 200)
  t.equal((await visitor.open(url)).status, 303)
})

t.test('the person of login_hint comes first', async (t) => {
  const configuration = await discover(await oidcProvider(t))
  const { html } = await new Visitor().open((await attempt(configuration, { login_hint: 'dan@partner.example' })).url)
  t.match(html, /<ul class="people">\s*<li><button name="person" value="person-1004" autofocus>/)
})

t.test('names and the client id are escaped in the page', async (t) => {
  const person = { id: '<i>', email: '"@x', emailVerified: true, givenName: '<b>', familyName: '&', groups: ['<u>'] }
  const configuration = await discover(await oidcProvider(t, { clientId: '<app>', people: [person] }))
  const visitor = new Visitor()
  const { html } = await visitor.open((await attempt(configuration, { prompt: 'login' })).url)
  t.notMatch(html, /<i>|<u>|<app>|<b><b>/)
  t.equal((await signIn(configuration, visitor, '<i>')).claims()?.sub, '<i>')
})

t.test('a second provider on another port does not know the session', async (t) => {
  const [first, second] = [await oidcProvider(t), await oidcProvider(t)]
  const visitor = new Visitor()
  await signIn(await discover(first), visitor, ANN)
  const { status } = await visitor.open((await attempt(await discover(second))).url)
  t.equal(status, 200)
})
