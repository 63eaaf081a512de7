import t from 'tap'
import type { Test } from 'tap'

import type { RoleRules } from '../../../../contracts/token-store/index.js'
import { certifiedOidc, logInAt } from '../../../helpers/certified-oidc.js'
import type { CertifiedOidcOptions } from '../../../helpers/certified-oidc.js'
import { CookieBrowser } from '../../../helpers/cookie-browser.js'
import { freePort } from '../../../helpers/free-port.js'
import { decode } from '../../../helpers/admin.js'
import { oidcLogin, SSO } from '../../../helpers/oidc-login.js'
import type { OidcLogin, OidcLoginOptions } from '../../../helpers/oidc-login.js'
import type { TokenPair } from '../../../../schemas/admin-auth.js'

interface Site extends OidcLogin {
  publicUrl: string
  issuer: string
  /** Logs a person in with the forms of the provider; returns the values in the fragment of the login page. */
  logIn(person: string, browser?: CookieBrowser): Promise<URLSearchParams>
  /** Exchanges the code of the login page. */
  tokens(code: string | null, browser: CookieBrowser): Promise<TokenPair>
}

/** The app and a certified provider, both listening. */
async function site (
  t: Test,
  options: Partial<OidcLoginOptions> = {},
  provided: Partial<CertifiedOidcOptions> = {}
): Promise<Site> {
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const { issuer } = await certifiedOidc(t, { appUrl: `${publicUrl}${SSO}/oidc/idp`, ...provided })
  const login = await oidcLogin(t, { issuer, publicUrl, ...options })
  await login.app.listen({ port, host: '127.0.0.1' })
  return {
    ...login,
    publicUrl,
    issuer,
    async logIn (person, browser = new CookieBrowser()) {
      const isLoginPage = ({ origin, pathname }: URL) => origin === publicUrl && pathname === '/login'
      const { url } = await logInAt(browser, `${publicUrl}${SSO}/oidc/idp/start`, person, isLoginPage)
      return new URLSearchParams(url.hash.slice(1))
    },
    async tokens (code, browser) {
      const { text, status } = await browser.open(`${publicUrl}${SSO}/token`, {
        method: 'POST',
        body: JSON.stringify({ code }),
        headers: { 'content-type': 'application/json', origin: publicUrl }
      })
      if (status !== 200) throw new Error(`token: ${status} ${text}`)
      return JSON.parse(text) as TokenPair
    }
  }
}

t.test('a person logs in at a certified provider and gets tokens of an account of the organisation', async (t) => {
  const { logIn, tokens, get, audited, store } = await site(t)
  const browser = new CookieBrowser()
  const pair = await tokens((await logIn('ann', browser)).get('sso'), browser)
  const me = await get('me', pair.access_token)
  t.match(me.json(), { email: 'ann@example.com', role: 'viewer' })
  const [entry] = await audited('auth.sso_login')
  t.match(entry, { action: 'auth.sso_login', userEmail: 'ann@example.com' })
  const again = await tokens((await logIn('ann')).get('sso') === null ? null : (await logIn('ann', browser)).get('sso'), browser)
  t.equal(decode(again.access_token).claims['sub'], decode(pair.access_token).claims['sub'], 'the same account')
  t.equal((await store.members.list('default', { limit: 10 })).data.length, 1)
})

t.test('every way to authenticate at the token endpoint, and every algorithm, works with a certified provider', async (t) => {
  for (const method of ['client_secret_basic', 'client_secret_post', 'none'] as const) {
    for (const algorithm of ['RS256', 'ES256'] as const) {
      const { logIn } = await site(t, {
        settings: { token_endpoint_auth_method: method, id_token_signed_response_alg: algorithm },
        ...method === 'none' ? { secrets: [] } : {}
      }, {
        client: { token_endpoint_auth_method: method, id_token_signed_response_alg: algorithm }
      })
      t.ok((await logIn('ann')).get('sso'), `${method} ${algorithm}`)
    }
  }
})

t.test('the email is read from userinfo of a certified provider', async (t) => {
  const { logIn } = await site(t, {}, { claimsInIdToken: false })
  t.ok((await logIn('ann')).get('sso'))
})

t.test('while the client secret is rotated, the provider may know the new or the previous one', async (t) => {
  const [current, previous] = ['first-client-secret-of-this-test', 'another-client-secret-of-this-test']
  for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
    for (const secrets of [[current, previous], [previous, current]]) {
      const settings = { token_endpoint_auth_method: method }
      const { logIn, log } = await site(t, { secrets, settings }, { client: settings })
      t.ok((await logIn('ann')).get('sso'), 'the refused secret does not use up the code')
      t.equal(log.text().includes('only the previous client secret'), secrets[0] === previous)
    }
    const settings = { token_endpoint_auth_method: method }
    const { logIn, audited } = await site(t, { secrets: [previous], settings }, { client: settings })
    t.equal((await logIn('ann')).get('sso_error'), 'invalid_response')
    const [entry] = await audited('auth.sso_failed')
    t.match(entry?.changes, { detail: 'the provider refused the token request: invalid_client' })
  }
})

t.test('the highest role of all values of the claim applies, at each login', async (t) => {
  const groups: Record<string, unknown> = {
    ann: ['staff', 'admins', 'editors'],
    ben: ['staff'],
    eve: ['others'],
    ian: 'admins'
  }
  const roles: RoleRules = {
    claim: 'groups',
    mapping: [{ value: 'editors', role: 'editor' }, { value: 'admins', role: 'admin' }, { value: 'staff', role: 'viewer' }],
    fallback: null
  }
  const { logIn, tokens, audited } = await site(t, { roles }, {
    claimsOf: (login) => ({ email: `${login}@example.com`, email_verified: true, groups: groups[login] })
  })
  const roleOf = async (login: string) => {
    const browser = new CookieBrowser()
    return decode((await tokens((await logIn(login, browser)).get('sso'), browser)).access_token).claims['role']
  }
  t.equal(await roleOf('ann'), 'admin')
  t.equal(await roleOf('ben'), 'viewer')
  t.equal(await roleOf('ian'), 'admin', 'a single value')
  groups['ben'] = ['editors']
  t.equal(await roleOf('ben'), 'editor')
  t.equal((await logIn('eve')).get('sso_error'), 'not_allowed')
  t.match((await audited('auth.sso_failed'))[0]?.changes, { reason: 'not_allowed' })
})

t.test('roles from the provider leave the organisation its last owner', async (t) => {
  const roles: RoleRules = { claim: 'groups', mapping: [{ value: 'owners', role: 'owner' }], fallback: 'viewer' }
  const { logIn, addUser, store } = await site(t, { roles })
  const owner = await addUser('ann@example.com', 'owner')
  t.ok((await logIn('ann')).get('sso'))
  t.equal((await store.users.get(owner.id, 'default'))?.role, 'owner')
})

t.test('another subject with the email of a linked account is refused', async (t) => {
  const { logIn, audited, store, addUser } = await site(t, {}, {
    claimsOf: () => ({ email: 'ann@example.com', email_verified: true })
  })
  const user = await addUser('ann@example.com')
  t.ok((await logIn('subject-1')).get('sso'))
  t.equal((await logIn('subject-2')).get('sso_error'), 'not_allowed')
  t.match((await audited('auth.sso_failed'))[0]?.changes, { reason: 'not_allowed', detail: /linked to another/ })
  t.equal((await store.identities.ofUser('default', user.id)).length, 1)
})

t.test('a disabled user is refused, also between the login and the exchange of the code', async (t) => {
  const { logIn, tokens, addUser, store, audited } = await site(t)
  const { id } = await addUser('ann@example.com')
  const browser = new CookieBrowser()
  const code = (await logIn('ann', browser)).get('sso')
  await store.members.update('default', id, { disabled: true })
  await t.rejects(tokens(code, browser), /401/)
  t.equal((await logIn('ann')).get('sso_error'), 'not_allowed')
  t.match((await audited('auth.sso_failed'))[0]?.changes, { reason: 'not_allowed' })
  t.same(await store.sessions.list(id), [])
})

t.test('a person who cancels at the provider returns to the login page', async (t) => {
  const { publicUrl, audited, logIn } = await site(t)
  const browser = new CookieBrowser()
  const isLoginPage = ({ origin, pathname }: URL) => origin === publicUrl && pathname === '/login'
  const page = await browser.open(`${publicUrl}${SSO}/oidc/idp/start`)
  const abort = /href="([^"]*\/abort)"/.exec(page.text)?.[1] ?? ''
  const { url } = await browser.open(new URL(abort, page.url), {}, isLoginPage)
  t.equal(url.hash, '#sso_error=access_denied')
  t.match((await audited('auth.sso_failed'))[0]?.changes, { reason: 'access_denied' })
  t.ok((await logIn('ann')).get('sso'))
})
