import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import auditLog from '../../plugins/audit-log/index.js'
import { refuseRevoked } from '../../plugins/embed-revocation.js'
import type { EmbedSubjects } from '../../plugins/embed-revocation.js'
import { UNAVAILABLE } from '../../lib/errors.js'
import tokenStore, { memoryStore } from '../../plugins/token-store/index.js'
import type { Revocations, TokenStore } from '../../plugins/token-store/index.js'

const AT = Date.UTC(2026, 0, 15, 12)

async function embedding (
  t: Test,
  { orgId, store = memoryStore() }: { orgId?: string, store?: TokenStore } = {}
): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store, sweepEvery: 0 })
  await app.register(auditLog, orgId === undefined ? {} : { orgId })
  return app
}

/** A memory store that returns cut-offs as promises, as a store does without a cached value. */
function slowStore (cutoff: (given: number, kind: string) => Promise<number> = async (given) => given): TokenStore {
  const store = memoryStore()
  const { revocations: own } = store
  const slow: Revocations['cutoff'] = async (orgId, kind, subject) =>
    cutoff(await own.cutoff(orgId, kind, subject), kind)
  const revocations: Revocations = {
    revoke: (fresh) => own.revoke(fresh),
    lift: (orgId, id) => own.lift(orgId, id),
    list: (orgId, filter, page) => own.list(orgId, filter, page),
    cutoff: slow,
    cutoffs: async (orgId, subjects) =>
      await Promise.all(subjects.map(({ kind, subject }) => slow(orgId, kind, subject)))
  }
  return { ...store, revocations }
}

/** The outcome, and whether it was synchronous. */
async function outcome (
  app: FastifyInstance,
  subjects: EmbedSubjects,
  issuedAt = AT
): Promise<[outcome: string, how: 'at once' | 'later']> {
  let how: 'at once' | 'later' = 'at once'
  try {
    const result = refuseRevoked(app, subjects, issuedAt)
    if (result !== undefined) how = 'later'
    await result
    return ['allowed', how]
  } catch (error) {
    return [(error as { code: string }).code, how]
  }
}

t.test('a revocation refuses references issued before its cut-off and allows references issued later', async (t) => {
  for (const [how, store] of [['at once', memoryStore()], ['later', slowStore()]] as const) {
    const app = await embedding(t, { store })
    for (const kind of ['user', 'tenant', 'dashboard'] as const) {
      await store.revocations.revoke({ orgId: 'default', kind, subject: `the ${kind}`, before: AT, createdBy: null })
    }
    const revoked: EmbedSubjects[] = [
      { user: 'the user' },
      { tenant: 'the tenant' },
      { dashboards: ['the dashboard'] },
      { dashboards: ['another', 'the dashboard'] },
      { user: 'another', tenant: 'the tenant', dashboards: ['another'] }
    ]
    for (const subjects of revoked) {
      const title = `${JSON.stringify(subjects)}, ${how}`
      t.same(await outcome(app, subjects, AT - 1), ['FORBIDDEN', how], title)
      t.same(await outcome(app, subjects, Number.NaN), ['FORBIDDEN', how], `${title}: an invalid time`)
      t.same(await outcome(app, subjects, AT), ['allowed', how], title)
    }
    for (
      const subjects of [{ user: 'the tenant' }, { tenant: 'the user' }, { dashboards: ['the user'] }, {
        user: 'THE USER'
      }, { user: 'the user ' }]
    ) {
      t.same(await outcome(app, subjects, 0), ['allowed', how], JSON.stringify(subjects))
    }
  }
})

t.test('a dashboard is looked up as given and in its normalised spelling, and in no other spelling', async (t) => {
  const asked: string[] = []
  const store = memoryStore()
  const { revocations } = store
  const noted: Revocations = {
    cutoff: (...subject) => revocations.cutoff(...subject),
    cutoffs (orgId, subjects) {
      asked.push(...subjects.map(({ subject }) => subject))
      return revocations.cutoffs(orgId, subjects)
    },
    revoke: (fresh) => revocations.revoke(fresh),
    lift: (...id) => revocations.lift(...id),
    list: (...filter) => revocations.list(...filter)
  }
  const app = await embedding(t, { store: { ...store, revocations: noted } })
  const dashboards = ['{C5BAB2920EE64EE79DFAD6B3CFFED7FF}', 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff', 'sales', '/Sales/',
    '/Sales/', '//']
  await refuseRevoked(app, { dashboards }, AT)
  t.same(asked, ['{C5BAB2920EE64EE79DFAD6B3CFFED7FF}', 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff', 'sales', '/Sales/',
    '//'])
  for (const subject of ['c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff', 'sales', '/Sales/']) {
    const { id } = await revocations.revoke({
      orgId: 'default',
      kind: 'dashboard',
      subject,
      before: AT,
      createdBy: null
    })
    t.same(await outcome(app, { dashboards }, 0), ['FORBIDDEN', 'at once'], subject)
    await revocations.lift('default', id)
  }
})

t.test('a dashboard revoked in lower case is found in any letter case, a user or tenant only in ' +
  'the same case', async (t) => {
  for (const store of [memoryStore(), slowStore()]) {
    const app = await embedding(t, { store })
    for (const kind of ['user', 'tenant', 'dashboard'] as const) {
      await store.revocations.revoke({ orgId: 'default', kind, subject: 'sales/é', before: AT, createdBy: null })
    }
    for (const dashboard of ['sales/é', 'Sales/É', 'SALES/É']) {
      t.same((await outcome(app, { dashboards: [dashboard] }, 0))[0], 'FORBIDDEN', dashboard)
    }
    for (const subjects of [{ user: 'Sales/É' }, { tenant: 'Sales/É' }, { dashboards: ['Sales/E'] }]) {
      t.same((await outcome(app, subjects, 0))[0], 'allowed')
    }
  }
})

t.test('a revocation with a cut-off in the future refuses until that time', async (t) => {
  const app = await embedding(t)
  await app.tokenStore.revocations.revoke({
    orgId: 'default',
    kind: 'user',
    subject: 'u',
    before: AT + 60_000,
    createdBy: null
  })
  t.same(await outcome(app, { user: 'u' }, AT), ['FORBIDDEN', 'at once'])
  t.same(await outcome(app, { user: 'u' }, AT + 59_999), ['FORBIDDEN', 'at once'])
  t.same(await outcome(app, { user: 'u' }, AT + 60_000), ['allowed', 'at once'])
})

t.test('a request without user, tenant and dashboard causes no look-up', async (t) => {
  const app = await embedding(t, {
    store: slowStore(async () => {
      throw new UNAVAILABLE()
    })
  })
  for (const subjects of [{}, { user: null, tenant: undefined }, { dashboards: [] }]) {
    t.same(await outcome(app, subjects), ['allowed', 'at once'])
  }
})

t.test('the revocations of another organisation have no effect', async (t) => {
  for (const orgId of ['org-b', undefined]) {
    const app = await embedding(t, orgId === undefined ? {} : { orgId })
    t.equal(app.auditOrg, orgId ?? 'default')
    await app.tokenStore.revocations.revoke({ orgId: 'org-a', kind: 'user', subject: 'u', before: AT, createdBy: null })
    t.same(await outcome(app, { user: 'u' }, 0), ['allowed', 'at once'])
    await app.tokenStore.revocations.revoke({
      orgId: orgId ?? 'default',
      kind: 'user',
      subject: 'u',
      before: AT,
      createdBy: null
    })
    t.same(await outcome(app, { user: 'u' }, 0), ['FORBIDDEN', 'at once'])
  }
})

t.test('the revocations of the default organisation apply if the host has its own audit function', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: memoryStore(), sweepEvery: 0 })
  app.decorate('audit', () => {})
  await app.tokenStore.revocations.revoke({ orgId: 'default', kind: 'user', subject: 'u', before: AT, createdBy: null })
  t.same(await outcome(app, { user: 'u' }, 0), ['FORBIDDEN', 'at once'])
})

t.test('if the store fails the request is refused, without an unhandled rejection', async (t) => {
  const failures: unknown[] = []
  const note = (reason: unknown) => {
    failures.push(reason)
  }
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const app = await embedding(t, {
    store: slowStore(async () => {
      throw new UNAVAILABLE()
    })
  })
  t.same(await outcome(app, { user: 'u', tenant: 't', dashboards: ['d', 'e'] }), ['UNAVAILABLE', 'later'])
  await new Promise(setImmediate)
  t.same(failures, [])
})

t.test('the response does not name the revoked subject, and the log names only its kind', async (t) => {
  const app = await embedding(t)
  await app.tokenStore.revocations.revoke({
    orgId: 'default',
    kind: 'tenant',
    subject: 'a-name',
    before: AT,
    createdBy: null
  })
  try {
    await refuseRevoked(app, { tenant: 'a-name' }, 0)
    t.fail('was allowed')
  } catch (error) {
    t.match(error, {
      code: 'FORBIDDEN',
      statusCode: 403,
      message: 'This is not allowed',
      reason: 'the tenant was revoked'
    })
    t.notMatch(JSON.stringify(error), 'a-name')
  }
})
