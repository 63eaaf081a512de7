import t from 'tap'
import type { Test } from 'tap'

import identityToken from '../../../../plugins/identity-token/index.js'
import guestToken from '../../../../routes/databrain/guest-token/index.js'
import type { GuestTokenIdentityOptions } from '../../../../routes/databrain/guest-token/index.js'
import { guestTokenApp, PROXY_KEY } from '../../../helpers/guest-token.js'
import { AUDIENCE, identityProvider } from '../../../helpers/identity-provider.js'

const URL_OF_ROUTE = 'https://gate.example.com/api/databrain/guest-token'

async function withIdentity (t: Test, options: Partial<GuestTokenIdentityOptions> = {}) {
  const provider = await identityProvider(t)
  const made = await guestTokenApp(
    t,
    guestToken.identityGrants({ url: URL_OF_ROUTE, tenant: 'org', ...options }),
    {},
    async (app) => {
      await app.register(identityToken, { providers: [{ issuer: provider.issuer, audience: AUDIENCE }], global: true })
    }
  )
  const { app } = made
  /** Fetches the `proxyAuthUrl` as the page does. */
  const renew = async (claims: Record<string, unknown> = { org: 'acme' }) =>
    await app.inject({
      url: '/api/databrain/proxy-auth-url',
      headers: { authorization: `Bearer ${await provider.token({ claims })}` }
    })
  /** Fetches the guest token as DataBrain's servers do. */
  const fetchToken = async (proxyAuthUrl: string) => {
    const { pathname, search } = new URL(proxyAuthUrl)
    return await app.inject({ url: pathname + search, headers: { authorization: `Bearer ${PROXY_KEY}` } })
  }
  const revoke = (kind: 'user' | 'tenant', subject: string, before = Date.now()) =>
    app.tokenStore.revocations.revoke({ orgId: 'default', kind, subject, before, createdBy: null })
  return { ...made, provider, renew, fetchToken, revoke }
}

t.test('a page with an identity token gets a proxyAuthUrl, with which DataBrain gets the guest token', async (t) => {
  const { databrain, renew, fetchToken } = await withIdentity(t, {
    grant: ({ claims }) => ({ params: { region: claims['region'] } })
  })
  const renewed = await renew({ org: 'acme', region: 'eu' })
  t.equal(renewed.statusCode, 200)
  t.equal((await fetchToken(renewed.json().proxyAuthUrl)).statusCode, 200)
  t.match(JSON.parse(databrain.calls[0]?.body.toString() ?? ''), { clientId: 'acme', params: { region: 'eu' } })
})

t.test('the endpoint requires a token, and the guest-token route accepts none in place of the proxy key', async (t) => {
  const { app, provider, databrain } = await withIdentity(t)
  t.equal((await app.inject('/api/databrain/proxy-auth-url')).statusCode, 401)
  t.equal(
    (await app.inject({ url: '/api/databrain/proxy-auth-url', headers: { authorization: `Bearer ${PROXY_KEY}` } }))
      .statusCode,
    401
  )
  const headers = { authorization: `Bearer ${await provider.token({ claims: { org: 'acme' } })}` }
  const refused = await app.inject({ url: '/api/databrain/guest-token', headers })
  t.equal(refused.statusCode, 401)
  t.equal(refused.json().error.message, 'Invalid authentication key')
  t.equal(databrain.connections(), 0)
})

t.test('a reference that was not issued for an identity token is 401', async (t) => {
  const { ask } = await withIdentity(t)
  const response = await ask('ann')
  t.equal(response.statusCode, 401)
  t.equal(response.json().error.message, 'User not authenticated')
})

t.test('a revocation refuses the renewal with an earlier token, and the references issued before it', async (t) => {
  for (const [kind, subject] of [['user', 'ann'], ['tenant', 'acme']] as const) {
    const { renew, fetchToken, revoke } = await withIdentity(t)
    const now = Math.floor(Date.now() / 1_000)
    const { proxyAuthUrl } = (await renew({ org: 'acme', iat: now - 20 })).json()
    t.equal((await fetchToken(proxyAuthUrl)).statusCode, 200)
    await revoke(kind, subject, (now - 10) * 1_000)
    t.equal((await fetchToken(proxyAuthUrl)).statusCode, 403, `the reference of the ${kind}`)
    t.equal((await renew({ org: 'acme', iat: now - 20 })).statusCode, 403)
    t.equal((await renew({ org: 'acme', iat: now })).statusCode, 200, 'a token that was issued later')
  }
})

t.test('without the identityToken plugin the start fails', async (t) => {
  await t.rejects(guestTokenApp(t, guestToken.identityGrants({ url: URL_OF_ROUTE })), {
    message: /register fastify-gatehouse\/identity-token/
  })
})
