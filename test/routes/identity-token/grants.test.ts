import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import identityToken from '../../../plugins/identity-token/index.js'
import type { IdentityProviderOptions } from '../../../plugins/identity-token/index.js'
import widgetToken from '../../../routes/widget-token/index.js'
import { verifyWidgetToken } from '../../../signing/index.js'
import { AUDIENCE, identityProvider } from '../../helpers/identity-provider.js'
import { SECRET, widgetTokenApp } from '../../helpers/widget-token.js'

const { identityGrant } = widgetToken

type Grant = Parameters<typeof identityGrant>[0]

/** The widget-token route with a grant, and a call with claims that returns the user of the signed token. */
async function granting (t: Test, grant?: Grant, options: Partial<IdentityProviderOptions> = {}) {
  const provider = await identityProvider(t)
  const { app, ask } = await widgetTokenApp(t, { authorize: identityGrant(grant), filters: ['all'] }, {}, async (app) => {
    await app.register(identityToken, { providers: [{ issuer: provider.issuer, audience: AUDIENCE, ...options }] })
  })
  const call = async (claims: Record<string, unknown> = {}) => {
    const response = await ask({ headers: { authorization: `Bearer ${await provider.token({ claims })}` } })
    if (response.statusCode !== 200) return response.json().error.code as string
    const verified = verifyWidgetToken(response.json().token, { secret: SECRET })
    return verified.valid ? [verified.payload.user, ...verified.payload.filters].join() : 'the token is not valid'
  }
  return { app, ask, call, provider }
}

const revoke = (app: FastifyInstance, kind: 'user' | 'tenant', subject: string, before = Date.now()) =>
  app.tokenStore.revocations.revoke({ orgId: 'default', kind, subject, before, createdBy: null })

t.test('by default "sub" is the user, and a request without a token is 401', async (t) => {
  const { call, ask } = await granting(t)
  t.equal(await call(), 'ann,all')
  t.equal((await ask()).statusCode, 401)
  t.equal((await ask({ headers: { authorization: 'Bearer x.y.z' } })).statusCode, 401)
})

t.test('another claim, a path of claims, a number or a function identifies the user', async (t) => {
  t.equal(await (await granting(t, { user: 'oid' })).call({ oid: 'o-1' }), 'o-1,all')
  t.equal(await (await granting(t, { user: 'o.id' })).call({ o: { id: 'org' } }), 'org,all')
  const url = 'https://acme.example/id'
  t.equal(await (await granting(t, { user: url })).call({ [url]: 42 }), '42,all')
  const custom = await granting(t, { user: ({ claims, sub }) => `${String(claims['org'])}/${sub}` })
  t.equal(await custom.call({ org: 'acme' }), 'acme/ann,all')
})

t.test('a missing, empty, too long or structured claim is 403', async (t) => {
  const { call } = await granting(t, { user: 'uid', tenant: 'org' })
  t.equal(await call({ uid: 'u', org: 'acme' }), 'u,all')
  for (const uid of [undefined, null, '', {}, ['u'], true, 1.5, 'x'.repeat(257)]) {
    t.equal(await call({ uid, org: 'acme' }), 'FORBIDDEN', JSON.stringify(uid))
  }
  t.equal(await call({ uid: 'u' }), 'FORBIDDEN', 'without a tenant')
  const { call: byPath } = await granting(t, { user: 'constructor.name' })
  t.equal(await byPath(), 'FORBIDDEN', 'inherited properties are no claims')
})

t.test('an email address identifies a user only if the provider has verified it', async (t) => {
  const { call } = await granting(t, { user: 'email' })
  t.equal(await call({ email: 'ann@example.com', email_verified: true }), 'ann@example.com,all')
  t.equal(await call({ email: 'ann@example.com', email_verified: false }), 'FORBIDDEN')
  t.equal(await call({ email: 'ann@example.com', email_verified: 'true' }), 'FORBIDDEN')
  t.equal(await call({ email: 'ann@example.com' }), 'FORBIDDEN')
})

t.test('"grant" sets further properties by the claims, or refuses the user', async (t) => {
  const { call } = await granting(t, {
    tenant: 'org',
    async grant ({ user, tenant, claims }) {
      if (claims['plan'] === 'none') return null
      return claims['plan'] === 'pro' ? {} : { filters: [`${String(tenant)}:${user}`] }
    }
  })
  t.equal(await call({ org: 'acme', plan: 'pro' }), 'ann,all')
  t.equal(await call({ org: 'acme' }), 'ann,acme:ann')
  t.equal(await call({ org: 'acme', plan: 'none' }), 'FORBIDDEN')
})

t.test('the ids of a named provider begin with its name', async (t) => {
  const { call, app } = await granting(t, { tenant: 'org' }, { name: 'okta' })
  t.equal(await call({ org: 'acme' }), 'okta:ann,all')
  await revoke(app, 'tenant', 'acme')
  t.equal(await call({ org: 'acme', iat: Math.floor(Date.now() / 1_000) - 10 }), 'okta:ann,all', 'of another provider')
  await revoke(app, 'tenant', 'okta:acme')
  t.equal(await call({ org: 'acme', iat: Math.floor(Date.now() / 1_000) - 10 }), 'FORBIDDEN')
})

for (const [kind, subject] of [['user', 'u-1'], ['user', 'ann'], ['tenant', 'acme']] as const) {
  t.test(`a revocation of the ${kind} ${subject} refuses the tokens issued before it, and no others`, async (t) => {
    const { app, call } = await granting(t, { user: 'uid', tenant: 'org' })
    const now = Math.floor(Date.now() / 1_000)
    const claims = { uid: 'u-1', org: 'acme' }
    await revoke(app, kind, subject, (now - 10) * 1_000)
    t.equal(await call({ ...claims, iat: now - 11 }), 'FORBIDDEN')
    t.equal(await call({ ...claims, iat: now - 10 }), 'u-1,all')
    t.equal(await call({ ...claims, sub: 'bob', uid: 'u-2', org: 'other', iat: now - 11 }), 'u-2,all')
  })
}

t.test('with "issuedAt: auth_time" a revocation also refuses tokens that are issued later in the session', async (t) => {
  const { app, call } = await granting(t, { issuedAt: 'auth_time' })
  const now = Math.floor(Date.now() / 1_000)
  await revoke(app, 'user', 'ann', (now - 10) * 1_000)
  t.equal(await call({ iat: now, auth_time: now - 3_600 }), 'FORBIDDEN')
  t.equal(await call({ iat: now, auth_time: now - 5 }), 'ann,all', 'a new login')
  t.equal(await call({ iat: now - 11, auth_time: now }), 'FORBIDDEN', 'a login after the token was issued')
  t.equal(await call({ iat: now }), 'FORBIDDEN', 'without the claim')
  t.equal(await call({ iat: now, auth_time: `${now}` }), 'FORBIDDEN')
})

t.test('a host\'s own "authorize" reads the token, and a revocation applies to its "sub" and "iat"', async (t) => {
  const provider = await identityProvider(t)
  const { app, ask } = await widgetTokenApp(
    t,
    { authorize: ({ identityToken }) => identityToken && 'someone' },
    {},
    async (app) => {
      await app.register(identityToken, { providers: [{ issuer: provider.issuer, audience: AUDIENCE }] })
    }
  )
  const now = Math.floor(Date.now() / 1_000)
  const call = async (iat: number) => {
    const token = await provider.token({ claims: { iat } })
    return (await ask({ headers: { authorization: `Bearer ${token}` } })).statusCode
  }
  t.equal(await call(now - 20), 200)
  await revoke(app, 'user', 'ann', (now - 10) * 1_000)
  t.equal(await call(now - 20), 403)
  t.equal(await call(now), 200)
})

t.test('without the plugin a grant is 500, and the log says what to register', async (t) => {
  const { ask } = await widgetTokenApp(t, { authorize: identityGrant() })
  const response = await ask({ headers: { authorization: 'Bearer x.y.z' } })
  t.equal(response.statusCode, 500)
  t.equal(response.json().error.code, 'INTERNAL_ERROR')
})

t.test('wrong options of a grant throw', async (t) => {
  for (const [options, message] of [
    [{ usr: 'sub' }, /unknown option "usr"/],
    [{ user: '' }, /"user" must be the name of a claim/],
    [{ tenant: 5 }, /"tenant" must be the name of a claim/],
    [{ issuedAt: null }, /"issuedAt" must be the name of a claim/],
    [{ grant: {} }, /"grant" must be a function/]
  ] as const) t.throws(() => identityGrant(options as never), { code: 'INVALID_OPTIONS', message })
})
