import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { FORBIDDEN } from '../../../../lib/errors.js'
import type { GuestTokenOptions, RenewalGrant, RenewalOptions } from '../../../../routes/databrain/guest-token/index.js'
import { signUserReference } from '../../../../signing/user-reference.js'
import { auditEntries } from '../../../helpers/audit-entries.js'
import { guestTokenApp, PROXY_KEY, REFERENCE_KEY } from '../../../helpers/guest-token.js'

const URL_OF_ROUTE = 'https://app.example.com/api/databrain/guest-token'
const PATH = '/api/databrain/proxy-auth-url'
const SIGNED_IN = { cookie: 'user=ann' }

/** The session of the host: a cookie and its start. */
function sessionOf ({ headers }: FastifyRequest): RenewalGrant | null {
  const user = /^user=(\w+)$/.exec(headers.cookie ?? '')?.[1]
  return user === undefined
    ? null
    : { claims: { sub: user, company: 'acme' }, issuedAt: Date.now() - 1_000, tenant: 'acme' }
}

async function renewing (t: Test, options: Partial<RenewalOptions> = {}, more: object = {}) {
  const made = await guestTokenApp(t, { renewal: { url: URL_OF_ROUTE, authorize: sessionOf, ...options }, ...more })
  const renew = (headers: Record<string, string> = SIGNED_IN, url = PATH) => made.app.inject({ url, headers })
  return { ...made, renew }
}

t.test('an open page gets its next proxyAuthUrl, with which DataBrain gets a token of the same user', async (t) => {
  const { app, renew, ask } = await renewing(t)
  const response = await renew()
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  const { proxyAuthUrl, issuedAt, refreshAfter, expiresAt } = response.json() as Record<string, string>
  const url = new URL(String(proxyAuthUrl))
  t.equal(url.origin + url.pathname, URL_OF_ROUTE)
  const claims = app.userReference.verify(url.searchParams.get('ref') ?? '')
  t.match(claims, { sub: 'ann', company: 'acme' })
  const [from, refresh, end] = [issuedAt, refreshAfter, expiresAt].map((text) => Date.parse(String(text)))
  t.same([from, end], [claims?.iat, claims?.exp])
  t.same(
    [Number(refresh) - Number(from), Number(end) - Number(from)],
    [34_560_000, 43_200_000],
    'refresh after 9.6 of 12 hours'
  )
  t.equal((await ask('ann', { url: url.pathname + url.search })).statusCode, 200)
  const [entry] = await auditEntries(app, 1)
  t.match(entry, {
    action: 'user_reference.renewed',
    userId: 'ann',
    resourceType: 'user_reference',
    changes: { tenant: 'acme', outcome: 'granted' }
  })
})

t.test('a valid, expired or forged user reference does not authenticate a renewal', async (t) => {
  const { app, renew } = await renewing(t)
  const sign = (now: number) =>
    signUserReference({ sub: 'ann' }, { key: REFERENCE_KEY, audience: 'gatehouse-embed', now })
  for (const reference of [sign(Date.now()), sign(Date.now() - 43_300_000), 'forged']) {
    const requests = [renew({}, `${PATH}?ref=${reference}`), renew({ 'x-user-reference': reference }),
      renew({ authorization: `Bearer ${PROXY_KEY}` })]
    for (const response of await Promise.all(requests)) {
      t.equal(response.statusCode, 401)
      t.same(response.json(), { error: { code: 'UNAUTHORIZED', message: 'User not authenticated' } })
    }
  }
  t.match((await auditEntries(app, 1))[0], { action: 'user_reference.refused', changes: { outcome: 'UNAUTHORIZED' } })
})

t.test('request.userReference is null in renewal.authorize, so that no reference renews itself', async (t) => {
  const { app, renew } = await renewing(t, {
    authorize: ({ userReference }) =>
      userReference && { claims: { sub: userReference.sub }, issuedAt: userReference.iat }
  })
  t.equal((await renew({ 'x-user-reference': app.userReference.sign({ sub: 'ann' }) })).statusCode, 401)
})

t.test('a user or tenant that was revoked after the session began is refused a new reference', async (t) => {
  const { app, renew } = await renewing(t)
  const revoke = (kind: 'user' | 'tenant', subject: string) =>
    app.tokenStore.revocations.revoke({ orgId: 'default', kind, subject, before: Date.now(), createdBy: null })
  await revoke('user', 'ann')
  t.same([(await renew()).statusCode, (await renew({ cookie: 'user=bob' })).statusCode], [403, 200])
  await revoke('tenant', 'acme')
  t.equal((await renew({ cookie: 'user=bob' })).statusCode, 403)
})

t.test('a revocation that refuses the references of a user also refuses their renewal, under each name of the ' +
  'user', async (t) => {
  const issuedAt = Date.now() - 1_000
  const revoke = ({ app }: Awaited<ReturnType<typeof renewing>>, kind: 'user' | 'tenant') =>
    app.tokenStore.revocations.revoke({ orgId: 'default', kind, subject: 'ann', before: Date.now(), createdBy: null })
  // Without "authorize" the `sub` is the client, and so the tenant.
  const bySub = await renewing(t, { authorize: () => ({ claims: { sub: 'ann' }, issuedAt }) })
  t.equal((await bySub.renew()).statusCode, 200)
  await revoke(bySub, 'tenant')
  t.equal((await bySub.renew()).statusCode, 403, 'the tenant that the guest-token route uses')
  const renamed = await renewing(t, { authorize: () => ({ claims: { sub: 'ann' }, issuedAt, userId: '42' }) })
  t.equal((await renamed.renew()).statusCode, 200)
  await revoke(renamed, 'user')
  t.equal((await renamed.renew()).statusCode, 403, 'the subject of the reference')
  const authorize: GuestTokenOptions['authorize'] = () => ({ clientId: 'acme' })
  const byHost = await renewing(t, { authorize: () => ({ claims: { sub: 'ann' }, issuedAt }) }, { authorize })
  await revoke(byHost, 'tenant')
  t.equal((await byHost.renew()).statusCode, 200, 'a tenant with the name of the user')
})

t.test('a result or error of renewal.authorize becomes 401, 403 or 500, and an incomplete result is 500', async (t) => {
  const issuedAt = Date.now()
  const cases: Array<[string, () => unknown, number, string]> = [
    ['null', () => null, 401, 'UNAUTHORIZED'],
    ['FORBIDDEN', async () => {
      throw new FORBIDDEN()
    }, 403, 'FORBIDDEN'],
    ['an error', () => {
      throw new Error('s3cret')
    }, 500, 'INTERNAL_ERROR'],
    ['no time', () => ({ claims: { sub: 'ann' } }), 500, 'INTERNAL_ERROR'],
    ['a time of another type', () => ({ claims: { sub: 'ann' }, issuedAt: new Date() }), 500, 'INTERNAL_ERROR'],
    ['a time in seconds', () => ({ claims: { sub: 'ann' }, issuedAt: 1_700_000_000 }), 500, 'INTERNAL_ERROR'],
    ['no claims', () => ({ issuedAt }), 500, 'INTERNAL_ERROR'],
    ['no user', () => ({ claims: {}, issuedAt }), 500, 'INTERNAL_ERROR'],
    ['no sub', () => ({ claims: {}, issuedAt, userId: 'ann' }), 500, 'INTERNAL_ERROR'],
    ['an empty tenant', () => ({ claims: { sub: 'ann' }, issuedAt, tenant: '' }), 500, 'INTERNAL_ERROR'],
    ['a misspelt member', () => ({ claims: { sub: 'ann' }, issuedAt, tennant: 'acme' }), 500, 'INTERNAL_ERROR'],
    ['too many claims', () => ({ claims: { sub: 'ann', more: 'x'.repeat(2_000) }, issuedAt }), 500, 'INTERNAL_ERROR']
  ]
  for (const [name, authorize, status, code] of cases) {
    const { renew } = await renewing(t, { authorize: authorize as RenewalOptions['authorize'] })
    const response = await renew()
    t.equal(response.statusCode, status, name)
    t.equal(response.json().error.code, code, name)
    t.notMatch(response.body, /s3cret|proxyAuthUrl/)
  }
})

t.test('calls are limited per address and per user', async (t) => {
  const byAddress = await renewing(t, { rateLimit: { max: 2 } })
  const statuses = async ({ renew }: typeof byAddress, users: string[]) => {
    const found: number[] = []
    for (const user of users) found.push((await renew({ cookie: `user=${user}` })).statusCode)
    return found
  }
  t.same(await statuses(byAddress, ['ann', 'bob', 'cid']), [200, 200, 429])
  const byUser = await renewing(t, { userRateLimit: { max: 1 } })
  t.same(await statuses(byUser, ['ann', 'ann', 'bob']), [200, 429, 200])
})

t.test('only pages of the listed origins can read the renewal, and by default no page of another origin', async (t) => {
  const own = await renewing(t)
  const page = (origin: string) => ({ ...SIGNED_IN, origin })
  t.notOk((await own.renew(page('https://evil.test'))).headers['access-control-allow-origin'])
  const { renew, app } = await renewing(t, { cors: { origins: ['https://app.example.com'] } })
  t.match((await renew(page('https://app.example.com'))).headers, {
    'access-control-allow-origin': 'https://app.example.com',
    'access-control-allow-credentials': 'true'
  })
  const evil = await renew(page('https://evil.test'))
  t.same([evil.statusCode, evil.json().error.code, evil.headers['access-control-allow-origin']], [403,
    'ORIGIN_NOT_ALLOWED', undefined])
  const headers = {
    origin: 'https://app.example.com',
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'x-csrf-token'
  }
  t.equal((await app.inject({ method: 'OPTIONS', url: PATH, headers })).statusCode, 204)
  for (const method of ['HEAD', 'POST'] as const) {
    t.equal((await app.inject({ method, url: PATH, headers: SIGNED_IN })).statusCode, 404, method)
  }
})

t.test('the renewal follows prefix and path, and does not exist by default', async (t) => {
  const { renew } = await renewing(t, { path: '/next' }, { prefix: '/embed' })
  t.equal((await renew(SIGNED_IN, '/embed/next')).statusCode, 200)
  const { app } = await guestTokenApp(t)
  t.equal((await app.inject({ url: PATH, headers: SIGNED_IN })).statusCode, 404)
})

t.test('invalid options of the renewal stop the start with the name of the option', async (t) => {
  const good = { url: URL_OF_ROUTE, authorize: sessionOf }
  const bad: Array<[object, string]> = [
    [{ ...good, url: '/api' }, 'renewal.url'],
    [{ ...good, authorize: undefined }, 'renewal.authorize'],
    [{ ...good, path: 'x' }, 'renewal.path'],
    [{ ...good, guards: { userReference: 'optional' } }, 'renewal.guards.userReference'],
    [{ ...good, guards: { proxyKey: true } }, 'renewal.guards.proxyKey'],
    [{ ...good, guards: 5 }, 'renewal.guards'],
    [{ ...good, autorize: sessionOf }, 'renewal.autorize']
  ]
  for (const [renewal, name] of bad) {
    await t.rejects(guestTokenApp(t, { renewal: renewal as RenewalOptions }), {
      code: 'INVALID_OPTIONS',
      message: new RegExp(`"${name}"`)
    }, name)
  }
  const noReferences = { renewal: good, userReferenceKeys: undefined, authorize: () => ({ clientId: 'ann' }) }
  await t.rejects(guestTokenApp(t, noReferences as object), {
    code: 'INVALID_OPTIONS',
    message: /"renewal" needs "userReferenceKeys"/
  })
})
