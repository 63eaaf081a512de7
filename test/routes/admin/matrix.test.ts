import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import eventSink from '../../../plugins/event-sink/index.js'
import { ROLES } from '../../../contracts/token-store/index.js'
import type { NewApiKey, Role } from '../../../contracts/token-store/index.js'
import { PERMISSION_NAMES } from '../../../schemas/admin-keys.js'
import adminOidc from '../../../routes/admin/oidc/index.js'
import adminSaml from '../../../routes/admin/saml/index.js'
import { describeRoutes } from '../../../server/docs/index.js'
import { generateApiKey } from '../../../signing/api-key.js'
import { sha256Hex } from '../../../signing/digest.js'
import { anApiKey } from '../../../conformance/token-store/fixtures.js'
import { decode, SECRET } from '../../helpers/admin.js'
import type { AdminApp } from '../../helpers/admin.js'
import { DECISIONS } from '../../helpers/admin-matrix.js'
import type { Decision, RequestParts, Subject } from '../../helpers/admin-matrix.js'
import { collectAdminRoutes, rolesFor } from '../../helpers/admin-routes.js'
import type { AdminRoute } from '../../helpers/admin-routes.js'
import { usersApp } from '../../helpers/admin-users.js'
import { demoApp } from '../../helpers/server-app.js'

const OWN = 'org-a'
const FOREIGN = 'org-b'

interface Document {
  paths: Record<string, Record<string, unknown>>
}

/** All admin plugins. Sessions and keys need only the store, so all requests are injected. */
async function setUp (t: Test) {
  let collected: AdminRoute[] = []
  const admin = await usersApp(t, {
    mfa: { passkeys: { rpId: 'example.com', origins: ['https://example.com'] } },
    keys: { quota: 100_000 },
    scim: {},
    api: { quotas: { sources: 100_000, webhooks: 100_000 } },
    before: async (app, sink) => {
      await describeRoutes(app, '0.0.0')
      await app.register(eventSink, { sink })
      collected = collectAdminRoutes(app)
    }
  })
  const sso = {
    jwtSecrets: [SECRET],
    now: () => admin.clock.now,
    publicUrl: 'https://gate.example.com',
    loginPage: '/sign-in',
    providerQuota: 100_000,
    domainQuota: 100_000,
    loginRateLimit: false,
    userRateLimit: false,
    tokenRateLimit: false
  } as const
  await admin.app.register(adminOidc, sso)
  await admin.app.register(adminSaml, sso)
  await admin.app.ready()
  const documented = routesOf(admin.app.swagger() as unknown as Document)
  return { admin, collected, documented }
}

/** The routes of administrators in an OpenAPI document, as `GET /sources/:id`. */
function routesOf ({ paths }: Document): string[] {
  return Object.entries(paths).filter(([path]) => path.startsWith('/v1/admin/')).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) =>
      `${method.toUpperCase()} ${path.replace('/v1/admin', '').replaceAll(/\{(\w+)\}/g, ':$1')}`
    )
  ).sort()
}

/** A new user of the organisation with a session. */
async function subjectOf (admin: AdminApp, role: Role, orgId: string): Promise<Subject & { token: string }> {
  const email = `${randomUUID()}@example.com`
  const { id: userId } = await admin.addUser(email, role, orgId)
  const { access_token: token, refresh_token: refreshToken } = await admin.login(email)
  const { sid } = decode(token).claims
  return { admin, store: admin.store, orgId, userId, email, token, refreshToken, sessionId: String(sid) }
}

async function keyOf ({ store }: AdminApp, role: Role, fields: Partial<NewApiKey> = {}) {
  const key = generateApiKey()
  const { id } = await store.apiKeys.create(anApiKey({ orgId: OWN, role, digest: sha256Hex(key), ...fields }))
  return { id, key }
}

function send ({ app }: AdminApp, route: string, { params = {}, body }: RequestParts, credential: string | null) {
  const [method = '', path = ''] = route.split(' ')
  return app.inject({
    method: method as 'GET',
    url: `/v1/admin${path.replaceAll(/:(\w+)/g, (_all, name: string) => params[name] ?? 'missing')}`,
    headers: credential === null ? {} : { authorization: `Bearer ${credential}` },
    ...body === undefined ? {} : { payload: body }
  })
}

type Response = Awaited<ReturnType<typeof send>>

/** The status, with the code of an error. */
function outcomeOf ({ statusCode, body }: Response): string {
  const { error } = (statusCode >= 400 && body.startsWith('{') ? JSON.parse(body) : {}) as { error?: { code: string } }
  return error === undefined ? String(statusCode) : `${statusCode} ${error.code}`
}

const make = async ({ make }: Decision, subject: Subject): Promise<RequestParts> => await make?.(subject) ?? {}
const guarded = Object.entries(DECISIONS).filter(([, { least }]) => least !== null)
const namesObject = ([, { make: create, named }]: [string, Decision], route: string) =>
  named ?? (create !== undefined && route.includes(':'))
const FORBIDDEN = '403 FORBIDDEN'

t.test('each route of administrators has a decision, and the decision is the demand of the route', async (t) => {
  const { collected, documented } = await setUp(t)
  t.same(documented, Object.keys(DECISIONS).sort(), 'the OpenAPI document')
  t.same(collected.map(({ method, path }) => `${method} ${path}`).sort(), documented, 'the router')
  for (const route of collected) {
    const decision = DECISIONS[`${route.method} ${route.path}`]
    const { demand } = route
    const least = demand === false ? null : rolesFor(route).at(-1)
    const permission = typeof demand === 'object' ? demand.permission : undefined
    const fresh = typeof demand === 'object' && demand.stepUp !== undefined && demand.stepUp !== false
    t.same(
      [decision?.least, decision?.permission, decision?.fresh === true],
      [least, permission, fresh],
      `${route.method} ${route.path}`
    )
  }
})

t.test('the built-in server has no other routes of administrators', async (t) => {
  const { app } = await demoApp(t, { DOCS: 'on' })
  await app.ready()
  const routes = routesOf(app.swagger() as unknown as Document)
  t.ok(routes.length > 20)
  t.same(routes.filter((route) => !Object.hasOwn(DECISIONS, route)), [])
})

t.test('a session calls each route that its role may call, on objects of its organisation only', async (t) => {
  const { admin } = await setUp(t)
  const foreigner = await subjectOf(admin, 'owner', FOREIGN)
  for (const [route, decision] of guarded) {
    for (const role of ROLES) {
      const may = ROLES.indexOf(role) <= ROLES.indexOf(decision.least ?? 'owner')
      const user = await subjectOf(admin, role, OWN)
      if (namesObject([route, decision], route)) {
        const foreign = await send(admin, route, await make(decision, foreigner), user.token)
        t.equal(outcomeOf(foreign), may ? '404 NOT_FOUND' : FORBIDDEN, `${role}: ${route}, foreign`)
      }
      const own = await send(admin, route, await make(decision, user), user.token)
      t.equal(own.statusCode, may ? decision.ok : 403, `${role}: ${route}, own: ${own.body}`)
      if (!may) t.equal(outcomeOf(own), FORBIDDEN)
    }
  }
})

t.test('a user with a second factor needs it to be fresh on each route that is marked so', async (t) => {
  const { admin } = await setUp(t)
  for (const [route, decision] of guarded) {
    const user = await subjectOf(admin, 'owner', OWN)
    const parts = await make(decision, user)
    const passkey = { credentialId: randomUUID(), publicKey: 'cHVibGlj', counter: 0, transports: [], name: 'Key' }
    await admin.store.factors.addPasskey({ ...passkey, userId: user.userId }, [])
    await admin.store.sessions.confirm(user.sessionId, admin.clock.now - 300_001)
    const response = await send(admin, route, parts, user.token)
    t.equal(outcomeOf(response) === '401 UNAUTHORIZED', decision.fresh === true, `${route}: ${response.body}`)
    if (decision.fresh === true) {
      t.match(response.headers['www-authenticate'], /error="insufficient_user_authentication"/, route)
      await admin.store.sessions.confirm(user.sessionId, admin.clock.now)
      t.not((await send(admin, route, parts, user.token)).statusCode, 401, `${route} with a fresh factor`)
    }
  }
})

t.test('an API key calls each route whose permission it has, within its role and its organisation', async (t) => {
  const { admin } = await setUp(t)
  const foreigner = await subjectOf(admin, 'owner', FOREIGN)
  const owner = await subjectOf(admin, 'owner', OWN)
  for (const role of ROLES) {
    const unlimited = await keyOf(admin, role)
    for (const [route, decision] of guarded) {
      const { permission } = decision
      const hasRole = ROLES.indexOf(role) <= ROLES.indexOf(decision.least ?? 'owner')
      const may = hasRole && permission !== undefined
      const keys: Array<[string, string, boolean]> = [['all permissions', unlimited.key, may]]
      if (permission !== undefined) {
        const others = PERMISSION_NAMES.filter((name) => name !== permission)
        keys.push(
          ['its permission', (await keyOf(admin, role, { permissions: [permission] })).key, may],
          ['the other permissions', (await keyOf(admin, role, { permissions: others })).key, false]
        )
      }
      for (const [title, key, allowed] of keys) {
        const name = `${role} with ${title}: ${route}`
        if (namesObject([route, decision], route)) {
          const foreign = await send(admin, route, await make(decision, foreigner), key)
          t.equal(outcomeOf(foreign), allowed ? '404 NOT_FOUND' : FORBIDDEN, `${name}, foreign`)
        }
        const own = await send(admin, route, await make(decision, owner), key)
        t.equal(own.statusCode, allowed ? decision.ok : 403, `${name}, own: ${own.body}`)
        if (!allowed) t.equal(outcomeOf(own), FORBIDDEN, name)
      }
    }
  }
})

t.test('without a valid credential each guarded route is 401, whatever the role was', async (t) => {
  const { admin } = await setUp(t)
  const { store, clock } = admin
  // Each organisation keeps another owner.
  const owner = await subjectOf(admin, 'owner', OWN)
  const credentials: Array<[string, string | null, string]> = [['no credential', null, '401 UNAUTHORIZED']]
  for (const role of ROLES) {
    const [loggedOut, removed, disabled, changed] = [await subjectOf(admin, role, OWN),
      await subjectOf(admin, role, OWN), await subjectOf(admin, role, OWN), await subjectOf(admin, role, OWN)]
    await admin.post('logout', { refresh_token: loggedOut.refreshToken })
    await store.members.remove(OWN, removed.userId)
    await store.members.update(OWN, disabled.userId, { disabled: true })
    await store.sessions.endAll(changed.userId)
    const [revoked, rotated, ended] = [await keyOf(admin, role), await keyOf(admin, role),
      await keyOf(admin, role, { expiresAt: clock.now })]
    await store.apiKeys.revoke(OWN, revoked.id)
    await store.apiKeys.rotate(OWN, rotated.id, { digest: sha256Hex(generateApiKey()), prefix: '', overlapUntil: 0 })
    for (const [title, credential] of [
      ['a session that was logged out', loggedOut.token],
      ['a session of a removed member', removed.token],
      ['a session of a disabled member', disabled.token],
      ['a session before the end of all sessions', changed.token],
      ['a refresh token', owner.refreshToken],
      ['a revoked key', revoked.key],
      ['a rotated key', rotated.key],
      ['an expired key', ended.key],
      ['an unknown key', generateApiKey()]
    ] as const) credentials.push([`${role}: ${title}`, credential, '401 INVALID_TOKEN'])
  }
  for (const [route, decision] of guarded) {
    const parts = await make(decision, owner)
    for (const [title, credential, outcome] of credentials) {
      t.equal(outcomeOf(await send(admin, route, parts, credential)), outcome, `${route}: ${title}`)
    }
  }
  const sessions = await Promise.all(ROLES.map((role) => subjectOf(admin, role, OWN)))
  clock.now += 900_000
  for (const [route] of guarded) {
    for (const { token } of sessions) {
      t.equal(outcomeOf(await send(admin, route, {}, token)), '401 EXPIRED_TOKEN', `${route}: an expired session`)
    }
  }
})

t.test('a route without a guard works without a credential and with any credential', async (t) => {
  const { admin } = await setUp(t)
  for (const [route, decision] of Object.entries(DECISIONS)) {
    if (decision.least !== null) continue
    for (const credential of [null, 'wrong', generateApiKey(), (await keyOf(admin, 'owner')).key]) {
      const user = await subjectOf(admin, 'viewer', OWN)
      const response = await send(admin, route, await make(decision, user), credential)
      t.equal(response.statusCode, decision.ok, `${route}: ${response.body}`)
    }
  }
})
