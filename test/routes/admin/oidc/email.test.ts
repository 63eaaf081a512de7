import t from 'tap'

import { hostileOidc } from '../../../helpers/hostile-oidc.js'
import { oidcLogin, tokensOf, valueOf } from '../../../helpers/oidc-login.js'
import { decode } from '../../../helpers/admin.js'

/** Claims of people whose accounts are not linked or created. */
const REFUSED: Array<[title: string, claims: Record<string, unknown>]> = [
  ['is not confirmed', { email_verified: false }],
  ['is confirmed by nothing', { email_verified: undefined }],
  ['is confirmed by text', { email_verified: 'true' }],
  ['is confirmed by a number', { email_verified: 1 }],
  ['is a list', { email: ['ann@example.com'] }],
  ['is an object', { email: { value: 'ann@example.com' } }],
  ['is empty', { email: '' }],
  ['has a domain of nobody', { email: 'ann@example.org' }],
  ['has a subdomain of the proved domain', { email: 'ann@mail.example.com' }],
  ['has a domain that ends with the proved domain', { email: 'ann@badexample.com' }],
  ['has a domain that begins with the proved domain', { email: 'ann@example.com.evil.example' }],
  ['has a look-alike letter in its domain', { email: 'ann@exаmple.com' }],
  ['has full-width letters in its domain', { email: 'ann@ｅxample.com' }],
  ['has another full stop in its domain', { email: 'ann@example。com' }],
  ['has an invisible character', { email: 'ann@example.com\u200b' }],
  ['has two domains', { email: 'ann@example.com@evil.example' }],
  ['has two domains, the proved one last', { email: 'ann@evil.example@example.com' }],
  ['is a list in text', { email: 'ann@evil.example,bob@example.com' }],
  ['has a name', { email: 'Ann <ann@example.com>' }],
  ['has a line break', { email: 'ann@example.com\nbcc:x' }],
  ['has a NUL', { email: 'ann@example.com\0' }],
  ['has a dot at the end of its domain', { email: 'ann@example.com.' }],
  ['has no local part', { email: '@example.com' }],
  ['is longer than 254 characters', { email: `${'a'.repeat(250)}@example.com` }]
]

t.test('a login fails if the email', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  await login.addUser('ann@example.com', 'owner')
  for (const [title, claims] of REFUSED) {
    await t.test(title, async (t) => {
      provider.claims = claims
      const jar = { cookie: '' }
      const response = await login.callback(jar, provider.respond(await login.start(jar)))
      const { error, entry } = await login.refused(t, response)
      t.equal(error, 'email_not_verified')
      t.match(entry.changes, { reason: 'email_not_verified' })
      t.equal((await login.store.members.list('default', { limit: 10 })).data.length, 1)
    })
  }
})

t.test('an email in upper case finds the account in lower case', async (t) => {
  const provider = await hostileOidc(t, { email: 'Ann@EXAMPLE.com' })
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const user = await login.addUser('ann@example.com')
  const { access_token: token } = await tokensOf(login, provider.respond)
  t.equal(decode(token).claims['sub'], user.id)
})

t.test('the email is read from userinfo if the ID token has none, of the same subject only', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  await login.addUser('ann@example.com')
  Object.assign(provider.claims, { email: undefined, email_verified: undefined })
  const attempt = async (userinfo: Record<string, unknown>) => {
    provider.userinfo = userinfo
    const jar = { cookie: '' }
    return login.callback(jar, provider.respond(await login.start(jar)))
  }
  t.ok(valueOf(await attempt({ email: 'ann@example.com', email_verified: true }), 'sso'))
  t.equal(provider.calls('/userinfo'), 1)
  const mixed = await login.refused(t, await attempt({ email: 'ann@example.com', email_verified: true, sub: 'subject-2' }))
  t.equal(mixed.error, 'invalid_response')
  t.match(mixed.entry.changes, { detail: /"sub"/ })
  t.equal((await login.refused(t, await attempt({ email: 'ann@example.com' }))).error, 'email_not_verified')
  provider.claims = {}
  t.ok(valueOf(await attempt({ email: 'eve@example.com', email_verified: true }), 'sso'))
  t.equal(provider.calls('/userinfo'), 3, 'not called for an email in the ID token')
})

t.test('without email_verified, trust_email accepts the email, and xms_edov confirms it as Entra ID sends it', async (t) => {
  const provider = await hostileOidc(t)
  provider.claims = { email_verified: undefined }
  const attempt = async (settings: object, claims: object = {}) => {
    Object.assign(provider.claims, { xms_edov: undefined, ...claims })
    const login = await oidcLogin(t, { issuer: provider.issuer, settings })
    const jar = { cookie: '' }
    return valueOf(await login.callback(jar, provider.respond(await login.start(jar))), 'sso_error')
  }
  t.equal(await attempt({ trust_email: true }), null)
  t.equal(await attempt({ trust_email: false }), 'email_not_verified')
  const edov = { email_verified_claim: 'xms_edov' }
  for (const value of [true, 1, '1', 'true']) t.equal(await attempt(edov, { xms_edov: value }), null, String(value))
  for (const value of [false, 0, '0', 'false', undefined, [true]]) {
    t.equal(await attempt(edov, { xms_edov: value }), 'email_not_verified', String(value))
  }
  t.equal(await attempt({ email_claim: 'upn', trust_email: true }, { upn: 'ann@example.com', email: undefined }), null)
})
