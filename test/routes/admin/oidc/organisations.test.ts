import t from 'tap'
import type { Test } from 'tap'

import { hostileOidc } from '../../../helpers/hostile-oidc.js'
import type { HostileOidc } from '../../../helpers/hostile-oidc.js'
import { CLIENT_SECRET, oidcLogin, SSO, tokensOf, valueOf } from '../../../helpers/oidc-login.js'
import type { OidcLoginOptions } from '../../../helpers/oidc-login.js'
import { reply } from '../../../helpers/stub-upstream.js'

const PROVIDERS = '/v1/admin/identity-providers'

/** An app whose owner has a token and manages providers by the admin API. */
async function managed (t: Test, plugin: OidcLoginOptions['plugin'] = { allowPrivateProviders: true }) {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer, plugin })
  await login.addUser('owner@example.com', 'owner')
  const { access_token: token } = await login.login('owner@example.com')
  const body = (settings: object = {}) => ({
    kind: 'oidc',
    name: 'Managed',
    settings: { issuer: provider.issuer, client_id: 'gate', ...settings },
    secret: CLIENT_SECRET
  })
  const send = (method: 'POST' | 'PATCH', url: string, payload: object) =>
    login.app.inject({ method, url, payload, headers: { authorization: `Bearer ${token}` } })
  const create = async () => (await send('POST', PROVIDERS, body())).json<{ id: string, urls: Record<string, string> }>()
  return { provider, login, send, body, create }
}

async function fragmentOf (
  { login, provider }: { login: Awaited<ReturnType<typeof managed>>['login'], provider: HostileOidc },
  id: string
): Promise<{ code: string | null, error: string | null }> {
  const jar = { cookie: '' }
  const response = await login.callback(jar, provider.respond(await login.start(jar, id)))
  return { code: valueOf(response, 'sso'), error: valueOf(response, 'sso_error') }
}

t.test('a provider that an owner adds logs people in, at the URLs of the response', async (t) => {
  const site = await managed(t)
  const { id, urls } = await site.create()
  t.same(urls, {
    redirect_uri: `https://gate.example.com${SSO}/oidc/${id}/callback`,
    backchannel_logout_uri: `https://gate.example.com${SSO}/oidc/${id}/backchannel-logout`,
    post_logout_redirect_uri: 'https://gate.example.com/login'
  })
  t.ok((await fragmentOf(site, id)).code)
})

t.test('a provider of one organisation gives no access to another', async (t) => {
  const { provider, login } = await managed(t)
  await login.addUser('boss@example.org', 'owner', 'other')
  const own = await hostileOidc(t)
  const { id } = await login.store.identityProviders.create({
    orgId: 'other',
    kind: 'oidc',
    name: 'Other',
    enabled: true,
    settings: { issuer: own.issuer, client_id: 'gate' },
    roles: { claim: null, mapping: [], fallback: 'viewer' },
    secret: CLIENT_SECRET
  })
  const { error } = await fragmentOf({ login, provider: own }, id)
  t.equal(error, 'email_not_verified', 'the domain belongs to another organisation')
  const entries = await login.audited('auth.sso_failed', 'other')
  t.match(entries[0]?.changes, { reason: 'email_not_verified' })
  t.equal((await login.store.members.list('other', { limit: 10 })).data.length, 1)
  // The same person logs in at the organisation of the domain, and gets a session of it alone.
  const pair = await tokensOf(login, provider.respond)
  t.match((await login.get('me', pair.access_token)).json(), { org_id: 'default' })
})

t.test('owners cannot add a provider at a private address', async (t) => {
  const { send, body, provider } = await managed(t, {})
  for (const issuer of [provider.issuer, 'https://127.0.0.1', 'https://10.0.0.1', 'https://[::1]', 'http://idp.example']) {
    const response = await send('POST', PROVIDERS, body({ issuer }))
    t.equal(response.statusCode, 400, issuer)
    t.match(response.json(), { error: { code: 'INVALID_REQUEST', details: [{ path: '/settings/issuer' }] } })
  }
})

t.test('a provider whose name leads to a private address is not called', async (t) => {
  const { login, send, body, provider } = await managed(t, {})
  const { port } = new URL(provider.issuer)
  const before = provider.upstream.connections()
  const { id } = (await send('POST', PROVIDERS, body({ issuer: `https://localhost:${port}` }))).json<{ id: string }>()
  const response = await login.app.inject({ url: `${SSO}/oidc/${id}/start` })
  t.equal(valueOf(response, 'sso_error'), 'provider_unavailable')
  t.equal(provider.upstream.connections(), before)
  t.match((await login.audited('auth.sso_failed'))[0]?.changes, { reason: 'provider_unavailable' })
})

t.test('a client secret is rotated with an overlap and without a restart', async (t) => {
  const site = await managed(t)
  const { provider, login, send, create } = site
  const { id } = await create()
  let accepted = CLIENT_SECRET
  provider.answers.set('/token', async (call, response) => {
    const [, basic = ''] = call.headers.authorization?.split(' ') ?? []
    if (decodeURIComponent(Buffer.from(basic, 'base64').toString()) !== `gate:${accepted}`) {
      const refusal = reply({ error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic realm="token"' })
      return await refusal(call, response)
    }
    const usual = provider.answers.get('/token')
    provider.answers.delete('/token')
    try {
      await provider.upstream.answer(call, response)
    } finally {
      if (usual !== undefined) provider.answers.set('/token', usual)
    }
  })
  t.ok((await fragmentOf(site, id)).code)
  const next = 'the-next-client-secret-of-this-test'
  const rotated = await send('POST', `${PROVIDERS}/${id}/rotate-secret`, { secret: next, overlap_seconds: 600 })
  t.equal(rotated.statusCode, 200)
  t.ok((await fragmentOf(site, id)).code, 'the provider knows the previous secret')
  accepted = next
  t.ok((await fragmentOf(site, id)).code, 'the provider knows the new secret')
  accepted = CLIENT_SECRET
  login.clock.now += 601_000
  provider.claims = { iat: Math.floor(login.clock.now / 1_000), exp: Math.floor(login.clock.now / 1_000) + 60 }
  t.equal((await fragmentOf(site, id)).error, 'invalid_response', 'the overlap is over')
  t.notMatch(login.log.text(), new RegExp(`${CLIENT_SECRET}|${next}`))
})

t.test('a provider that is disabled or changed during a login finishes none', async (t) => {
  const { provider, login, send, create } = await managed(t)
  const { id } = await create()
  const jar = { cookie: '' }
  const url = provider.respond(await login.start(jar, id))
  await send('PATCH', `${PROVIDERS}/${id}`, { settings: { client_id: 'another' } })
  const changed = await login.refused(t, await login.callback(jar, url))
  t.equal(changed.error, 'expired')
  t.match(changed.entry.changes, { detail: 'the provider changed during the login' })
  await send('PATCH', `${PROVIDERS}/${id}`, { settings: { client_id: 'gate' } })
  const again = provider.respond(await login.start(jar, id))
  await send('PATCH', `${PROVIDERS}/${id}`, { enabled: false })
  const response = await login.callback(jar, again)
  t.equal(response.statusCode, 404)
  t.equal(response.json<{ error: { code: string } }>().error.code, 'NOT_FOUND')
  t.equal(provider.calls('/token'), 0)
})

t.test('a provider that is disabled after a login prevents the session', async (t) => {
  const { provider, login, send, create } = await managed(t)
  const { id } = await create()
  const jar = { cookie: '' }
  const response = await login.callback(jar, provider.respond(await login.start(jar, id)))
  await send('PATCH', `${PROVIDERS}/${id}`, { enabled: false })
  t.equal((await login.exchange(jar, response)).statusCode, 401)
})
