import t from 'tap'
import type { Test } from 'tap'

import { certifiedOidc, logInAt } from '../../../helpers/certified-oidc.js'
import { CookieBrowser } from '../../../helpers/cookie-browser.js'
import { freePort } from '../../../helpers/free-port.js'
import { hostileOidc } from '../../../helpers/hostile-oidc.js'
import { oidcLogin, SSO, tokensOf } from '../../../helpers/oidc-login.js'
import type { TokenPair } from '../../../../schemas/admin-auth.js'

const logout = (login: Awaited<ReturnType<typeof oidcLogin>>, { access_token: token }: TokenPair) =>
  login.post(`${SSO}/logout`, undefined, token)

t.test('a logout leads to the provider with the ID token, and back to the login page', async (t) => {
  const provider = await hostileOidc(t)
  let idToken = ''
  provider.forge = ({ token }) => {
    idToken = token
    return token
  }
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const pair = await tokensOf(login, provider.respond)
  const response = await logout(login, pair)
  t.equal(response.statusCode, 200)
  const url = new URL(response.json<{ logout_url: string }>().logout_url)
  t.equal(url.origin + url.pathname, `${provider.issuer}/logout`)
  t.same(Object.fromEntries(url.searchParams), {
    id_token_hint: idToken,
    client_id: 'gate',
    post_logout_redirect_uri: 'https://gate.example.com/login'
  })
  t.equal((await login.get('me', pair.access_token)).statusCode, 401)
})

t.test('a logout stays here if the provider has no page for it, is away, or end_session is false', async (t) => {
  for (const change of ['no page', 'away', 'off'] as const) {
    const provider = await hostileOidc(t)
    if (change === 'no page') provider.discovery['end_session_endpoint'] = undefined
    const settings = change === 'off' ? { end_session: false } : {}
    const login = await oidcLogin(t, { issuer: provider.issuer, settings })
    const pair = await tokensOf(login, provider.respond)
    if (change === 'away') {
      await provider.upstream.close()
      login.clock.now += 60_000
    }
    const response = await logout(login, pair)
    t.equal(response.statusCode, 200)
    // A known provider that is away has a known page.
    if (change !== 'away') t.same(response.json(), { logout_url: null }, change)
    t.equal((await login.get('me', pair.access_token)).statusCode, 401, change)
  }
})

async function site (t: Test) {
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const { issuer } = await certifiedOidc(t, { appUrl: `${publicUrl}${SSO}/oidc/idp` })
  const login = await oidcLogin(t, { issuer, publicUrl })
  await login.app.listen({ port, host: '127.0.0.1' })
  const isLoginPage = ({ origin, pathname }: URL) => origin === publicUrl && pathname === '/login'

  async function logIn (browser: CookieBrowser): Promise<TokenPair> {
    const { url } = await logInAt(browser, `${publicUrl}${SSO}/oidc/idp/start`, 'ann', isLoginPage)
    const { text } = await browser.open(`${publicUrl}${SSO}/token`, {
      method: 'POST',
      body: JSON.stringify({ code: new URLSearchParams(url.hash.slice(1)).get('sso') }),
      headers: { 'content-type': 'application/json' }
    })
    return JSON.parse(text) as TokenPair
  }
  return { login, logIn, isLoginPage }
}

t.test('a logout at a certified provider ends its session and those of its other logins here', async (t) => {
  const { login, logIn, isLoginPage } = await site(t)
  const [browser, other] = [new CookieBrowser(), new CookieBrowser()]
  const [first, second] = [await logIn(browser), await logIn(browser)]
  const elsewhere = await logIn(other)
  const { logout_url: url } = (await logout(login, first)).json<{ logout_url: string }>()
  t.equal((await login.get('me', second.access_token)).statusCode, 200, 'the other session is still there')
  const confirm = await browser.open(url)
  const end = await browser.submit(confirm, { logout: 'yes' }, isLoginPage)
  t.ok(isLoginPage(end.url))
  await login.audited('auth.logout', 'default', 2)
  t.equal((await login.get('me', second.access_token)).statusCode, 401, 'the provider has posted a logout token')
  t.equal((await login.get('me', elsewhere.access_token)).statusCode, 200, 'another session of the provider goes on')
})
