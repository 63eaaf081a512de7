import Fastify from 'fastify'
import t from 'tap'

import userReference from '../../../plugins/user-reference/index.js'
import type { RevocationKind } from '../../../contracts/token-store/index.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import type { EmbedAuthorizeOptions } from '../../../routes/embed-authorize/index.js'
import { canonicalDashboard } from '../../../signing/boldbi/dashboard-name.js'
import { auditEntries } from '../../helpers/audit-entries.js'
import { DASHBOARD, GRANTED, SECRET, embedApp, embedQuery, injectJson, readCall } from '../../helpers/embed.js'
import { reply } from '../../helpers/stub-upstream.js'

type Grant = Awaited<ReturnType<EmbedAuthorizeOptions['authorize']>>

/** An app whose user and clock a test can set, and which can revoke. */
async function revocableApp (t: Parameters<typeof embedApp>[0], options: Partial<EmbedAuthorizeOptions> = {}) {
  const state: { grant: Grant, now: number } = { grant: { email: 'viewer@example.com' }, now: Date.now() }
  const embed = await embedApp(t, { authorize: () => state.grant, now: () => state.now, pinboard: true, ...options })
  // Like the admin API.
  const revoke = (kind: RevocationKind, name: string, before = state.now) => {
    const subject = kind === 'dashboard' ? canonicalDashboard(name) : name
    return embed.app.tokenStore.revocations.revoke({ orgId: 'default', kind, subject, before, createdBy: null })
  }
  const status = async (members: Record<string, string> = {}) =>
    (await embed.post(embedQuery({ embed_timestamp: String(Math.floor(state.now / 1000)), ...members }))).statusCode
  return { ...embed, state, revoke, status }
}

t.test('a revoked user is 403 with a session from before the revocation, and 200 with a later session', async (t) => {
  for (const grant of [{ email: 'viewer@example.com' }, { username: 'viewer@example.com' }]) {
    const { state, revoke, status, bi, post } = await revocableApp(t)
    const { now } = state
    state.grant = { ...grant, issuedAt: now - 1 }
    t.equal(await status(), 200)
    await revoke('user', 'viewer@example.com')
    const refused = await post(embedQuery())
    t.equal(refused.statusCode, 403)
    t.equal(refused.json().error.code, 'FORBIDDEN')
    t.notMatch(refused.payload, /revoked/)
    state.grant = { ...grant, issuedAt: now }
    t.equal(await status(), 200)
    state.grant = grant
    t.equal(await status(), 200, 'without issuedAt the session counts as new')
    await revoke('user', 'viewer@example.com', now + 60_000)
    t.equal(await status(), 403, 'a later revocation time refuses until then')
    state.now += 60_000
    t.equal(await status(), 200)
    t.equal(bi.calls.length, 4, 'no query is sent for a refused user')
  }
})

t.test('a refusal by a revocation uses up no nonce, is shown by the SDK, and is audited with the user', async (t) => {
  const { app, state, revoke, post } = await revocableApp(t, { errors: 'sdk' })
  const query = embedQuery()
  await revoke('user', 'viewer@example.com', state.now + 1)
  const refused = await post(query)
  t.equal(refused.statusCode, 200)
  t.same(refused.json(), { ApiStatus: false, Status: false, Message: 'This is not allowed' })
  const [entry] = await auditEntries(app, 1)
  t.match(entry, {
    action: 'embed.refused',
    userEmail: 'viewer@example.com',
    resourceId: DASHBOARD,
    changes: { outcome: 'FORBIDDEN' }
  })
  state.now += 1
  t.match((await post(query)).json(), { ApiStatus: true })
})

t.test('a revoked tenant refuses all users of only that tenant', async (t) => {
  const { state, revoke, status } = await revocableApp(t)
  await revoke('tenant', 'acme', state.now + 1)
  for (const [tenant, expected] of [['acme', 403], ['other', 200], [null, 200]] as const) {
    state.grant = { email: 'viewer@example.com', tenant }
    t.equal(await status(), expected, String(tenant))
  }
})

t.test('a revocation applies to the subject and the issue time of the user reference too', async (t) => {
  const { apiUrl } = await embedApp(t)
  const app = Fastify()
  t.teardown(() => app.close())
  const start = Date.now()
  let now = start
  await app.register(userReference, { keys: ['0123456789abcdefghijklmnopqrstuvwxyz'], now: () => now })
  const authorize: EmbedAuthorizeOptions['authorize'] = ({ userReference }) =>
    userReference && { email: `${userReference.sub}@example.com` }
  await app.register(embedAuthorize, { servers: [{ apiUrl, embedSecret: SECRET }], authorize, errors: 'http' })
  const status = async (reference: string) =>
    (await injectJson(app, { embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl }, {
      'x-user-reference': reference
    })).statusCode
  const revoke = (subject: string) =>
    app.tokenStore.revocations.revoke({
      orgId: 'default',
      kind: 'user',
      subject,
      before: start + 1_000,
      createdBy: null
    })
  const [ann, bob] = [app.userReference.sign({ sub: 'ann' }), app.userReference.sign({ sub: 'bob' })]
  now = start + 2_000
  t.equal(await status(ann), 200)
  await revoke('ann')
  await revoke('bob@example.com')
  t.equal(await status(ann), 403, 'the subject is revoked')
  t.equal(await status(bob), 403, 'the email is revoked')
  t.equal(await status(app.userReference.sign({ sub: 'ann' })), 200, 'a later reference is valid')
})

t.test('a revoked dashboard is 403 in every parameter and spelling of the query', async (t) => {
  const { state, revoke, status, bi } = await revocableApp(t)
  await revoke('dashboard', DASHBOARD, state.now + 1)
  await revoke('dashboard', '/sales/secret', state.now + 1)
  const compact = DASHBOARD.replaceAll('-', '')
  for (
    const id of [DASHBOARD, DASHBOARD.toUpperCase(), compact, `%7B${DASHBOARD}%7D`, `(${DASHBOARD})`,
      `%7B${compact}%7D`, compact.toUpperCase(), compact.replace(/.{4}(?=.)/g, '$&-')]
  ) {
    t.equal(await status({ embed_dashboard_id: id }), 403, id)
    t.equal(await status({ embed_dashboard_id: 'mine', embed_dashboard_ids: `mine,${id}` }), 403, `${id} in a list`)
    t.equal(await status({ embed_dashboard_id: 'mine', pinDashbooardId: id }), 403, `${id} to be pinned`)
  }
  for (
    const path of ['/sales/secret', '/Sales/Secret', 'Sales/secret', '/sales/secret/', '//sales//secret',
      '/sales/secret%20', '/sales%20/%20secret', '/%73ales/secret', '/%EF%BC%B3ales/secret']
  ) {
    t.equal(await status({ embed_dashboard_id: '', embed_dashboard_path: path }), 403, path)
    t.equal(await status({ embed_dashboard_id: '', embed_dashboard_paths: `/mine,${path}` }), 403, `${path} in a list`)
  }
  t.equal(bi.connections(), 0)
  const other = DASHBOARD.replace('c', 'd')
  for (
    const members of [{ embed_dashboard_id: other }, { embed_dashboard_id: '', embed_dashboard_path: '/sales/secret2' },
      { embed_dashboard_id: '' }]
  ) {
    t.equal(await status(members), 200, JSON.stringify(members))
  }
})

t.test('a revoked dashboard is found among 300 dashboards of one query', async (t) => {
  const { state, revoke, status } = await revocableApp(t, { maxDashboards: 500 })
  await revoke('dashboard', DASHBOARD, state.now + 1)
  const many = Array.from({ length: 300 }, (_none, at) => `d${at}`)
  t.equal(await status({ embed_dashboard_id: '', embed_dashboard_ids: many.join(',') }), 200)
  t.equal(await status({ embed_dashboard_id: '', embed_dashboard_ids: [...many, DASHBOARD].join(',') }), 403)
})

t.test('an invalid tenant or time from authorize is 403, and valid tenants and times are not part of the ' +
  'query', async (t) => {
  const { state, status, bi } = await revocableApp(t)
  const email = 'viewer@example.com'
  const wrong: unknown[] = [{ email, tenant: '' }, { email, tenant: 5 }, { email, issuedAt: '1' }, {
    email,
    issuedAt: NaN
  }, { email, issuedAt: null }, { email, issuedAt: 1_756_891_690 }]
  for (const grant of wrong) {
    state.grant = grant as Grant
    t.equal(await status(), 403, JSON.stringify(grant))
  }
  t.equal(bi.connections(), 0)
  state.grant = { email, tenant: 'acme-tenant', issuedAt: state.now }
  t.equal(await status(), 200)
  t.notMatch(readCall(bi.calls[0]).text, /acme|tenant|issued/i)
})

t.test('a user, tenant or dashboard that is revoked during the call to Bold BI gets no token', async (t) => {
  const cases = [['user', 'viewer@example.com'], ['tenant', 'acme'], ['dashboard', DASHBOARD]] as const
  for (const [kind, subject] of cases) {
    const { app, bi, state, revoke, post } = await revocableApp(t)
    state.grant = { email: 'viewer@example.com', tenant: 'acme' }
    bi.answer = async (call, response) => {
      await revoke(kind, subject, state.now + 1)
      await reply(GRANTED)(call, response)
    }
    const refused = await post(embedQuery())
    t.equal(refused.statusCode, 403, kind)
    t.equal(refused.json().error.code, 'FORBIDDEN')
    t.notMatch(refused.payload, /token/)
    t.equal(bi.calls.length, 1)
    const [entry] = await auditEntries(app, 1)
    t.match(entry, {
      action: 'embed.refused',
      userEmail: 'viewer@example.com',
      resourceId: DASHBOARD,
      changes: { outcome: 'FORBIDDEN' }
    })
  }
})
