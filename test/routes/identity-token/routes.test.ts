import type { FastifyInstance } from 'fastify'
import t from 'tap'

import identityToken from '../../../plugins/identity-token/index.js'
import type { IdentityTokenOptions } from '../../../plugins/identity-token/index.js'
import databrainProxy from '../../../routes/databrain/proxy/index.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import { auditEntries } from '../../helpers/audit-entries.js'
import { KEY, PREFIX, proxyApp } from '../../helpers/databrain-proxy.js'
import { DASHBOARD, embedApp, embedQuery, readCall } from '../../helpers/embed.js'
import { AUDIENCE, identityProvider } from '../../helpers/identity-provider.js'
import type { IdentityProviderStub } from '../../helpers/identity-provider.js'

const registering = ({ issuer }: IdentityProviderStub, options: Partial<IdentityTokenOptions> = {}) =>
  async (app: FastifyInstance) => {
    await app.register(identityToken, { providers: [{ issuer, audience: AUDIENCE }], ...options })
  }

t.test('the Bold BI route embeds for the user of the token, by name or by verified email', async (t) => {
  const provider = await identityProvider(t)
  const authorize = embedAuthorize.identityGrant({
    user: ({ claims, sub }) => claims['email_verified'] === true ? String(claims['email']) : sub,
    grant: ({ claims }) => ({ customAttributes: { plan: String(claims['plan']) } })
  })
  const { app, bi, post } = await embedApp(t, { authorize }, {}, registering(provider))
  const call = async (claims: Record<string, unknown>) =>
    (await post(embedQuery(), {}, { authorization: `Bearer ${await provider.token({ claims })}` })).statusCode
  t.equal(await call({ plan: 'pro' }), 200)
  t.equal(await call({ plan: 'pro', email: 'ann@example.com', email_verified: true }), 200)
  const [byName, byEmail] = bi.calls.map((each) => readCall(each).fields)
  t.match(byName?.get('embed_user_email') ?? byName?.get('embed_username'), 'ann')
  t.equal(byEmail?.get('embed_user_email'), 'ann@example.com')
  t.equal((await post(embedQuery())).statusCode, 401, 'no token')
  t.equal((await post(embedQuery(), {}, { authorization: 'Bearer x.y.z' })).statusCode, 401)
  t.equal(bi.calls.length, 2)
  const [entry] = await auditEntries(app, 1)
  t.equal(entry?.userId, 'ann')
})

t.test('"grant" of the Bold BI route can refuse a dashboard', async (t) => {
  const provider = await identityProvider(t)
  const authorize = embedAuthorize.identityGrant({
    grant: (_user, { dashboards }) => dashboards.every((dashboard) => dashboard === DASHBOARD) ? {} : null
  })
  const { bi, post } = await embedApp(t, { authorize }, {}, registering(provider))
  const headers = { authorization: `Bearer ${await provider.token()}` }
  t.equal((await post(embedQuery(), {}, headers)).statusCode, 200)
  t.equal((await post(embedQuery({ embed_dashboard_id: 'another' }), {}, headers)).statusCode, 403)
  t.equal(bi.calls.length, 1)
})

t.test('an identity that "grant" names replaces the default one', async (t) => {
  const provider = await identityProvider(t)
  const authorize = embedAuthorize.identityGrant({ grant: () => ({ email: 'shared@example.com' }) })
  const { bi, post } = await embedApp(t, { authorize }, {}, registering(provider))
  const headers = { authorization: `Bearer ${await provider.token()}` }
  t.equal((await post(embedQuery(), {}, headers)).statusCode, 200)
  t.equal(readCall(bi.calls[0]).fields.get('embed_user_email'), 'shared@example.com')
})

t.test('the DataBrain proxy reads the token, and forwards neither the token nor its header', async (t) => {
  const provider = await identityProvider(t)
  const cookie = { name: '__session' }
  const { app, api, upstream } = await proxyApp(
    t,
    { authorize: databrainProxy.identityGrant({ tenant: 'org' }) },
    {},
    registering(provider, { header: 'X-Identity-Token', cookie })
  )
  const token = await provider.token({ claims: { org: 'acme' } })
  const call = async (headers: Record<string, string>) =>
    (await app.inject({ url: `${PREFIX}/api/v2/dashboard`, headers: { ...KEY, ...headers } })).statusCode
  t.equal(await call({ authorization: `Bearer ${token}` }), 200)
  t.equal(await call({ 'x-identity-token': token }), 200)
  t.equal(await call({ cookie: `__session=${token}` }), 200)
  t.equal(await call({}), 401)
  t.equal(upstream.calls.length, 3)
  t.notOk(upstream.rawBytes().includes(token))
  t.notMatch(upstream.rawBytes(), /x-identity-token/i)
  t.same(api.calls.map(({ body }) => JSON.parse(body.toString()).clientId), ['acme'], 'the tenant is the client')
  const [entry] = await auditEntries(app, 1)
  t.match(entry, { userId: 'ann', changes: { clientId: 'acme' } })
})

t.test('a provider that is away is 503 on an embedding route, and nothing is sent upstream', async (t) => {
  const provider = await identityProvider(t)
  const token = await provider.token()
  await provider.upstream.close()
  const authorize = embedAuthorize.identityGrant()
  const { bi, post } = await embedApp(t, { authorize, errors: 'sdk' }, {}, registering(provider))
  const response = await post(embedQuery(), {}, { authorization: `Bearer ${token}` })
  t.equal(response.statusCode, 503)
  t.equal(response.json().error.code, 'UNAVAILABLE')
  t.equal(bi.connections(), 0)
})
