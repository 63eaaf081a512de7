import t from 'tap'

import { decode } from '../../../helpers/admin.js'
import { hostileOidc } from '../../../helpers/hostile-oidc.js'
import { oidcLogin } from '../../../helpers/oidc-login.js'

t.test('a second factor at the provider replaces the one that the organisation requires, if it is trusted', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer, settings: { trust_mfa: ['mfa'] }, mfa: {} })
  await login.store.organisations.update('default', { mfa: 'required' })
  const exchanged = async (claims: object) => {
    provider.claims = { ...claims }
    const jar = { cookie: '' }
    const response = await login.exchange(jar, await login.callback(jar, provider.respond(await login.start(jar))))
    t.equal(response.statusCode, 200)
    return response.json<{ access_token?: string, mfa_required?: boolean }>()
  }
  const now = Math.floor(login.clock.now / 1_000)
  t.match(await exchanged({ amr: ['pwd'], auth_time: now }), { mfa_required: true })
  t.match(await exchanged({}), { mfa_required: true })
  const sessionOf = async (claims: object) => {
    const { access_token: token = '' } = await exchanged(claims)
    return await login.store.sessions.access(String(decode(token).claims['sid']))
  }
  t.equal((await sessionOf({ amr: ['pwd', 'mfa'], auth_time: now - 60 }))?.mfaAt, (now - 60) * 1_000)
  t.equal((await sessionOf({ amr: ['mfa'] }))?.mfaAt, 0, 'without auth_time it is not fresh')
})
