import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import { anEntry } from '../../../../conformance/token-store/fixtures.js'
import { ROLES } from '../../../../contracts/token-store/index.js'
import type { AuditEntry } from '../../../../contracts/token-store/index.js'
import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'

const BASE = Date.UTC(2026, 0, 1)

const ACTIONS = [
  'guest_token.minted',
  'guest_token.refused',
  'databrain_proxy.forwarded',
  'databrain_proxy.refused',
  'embed.authorized',
  'embed.refused',
  'widget_token.minted',
  'widget_token.refused'
]

/** One decision per second, of two users in turn. */
function decisions (): AuditEntry[] {
  return ACTIONS.map((action, at) =>
    anEntry({
      orgId: 'default',
      action,
      userId: at % 2 === 0 ? 'ann' : 'bob',
      timestamp: BASE + at * 1_000,
      changes: { outcome: action.endsWith('refused') ? 'FORBIDDEN' : 'granted' }
    })
  )
}

async function withDecisions (t: Test, entries = decisions()) {
  const admin = await adminApp(t)
  const viewer = await caller(admin, 'viewer')
  await admin.store.audit.append([
    ...entries,
    ...['embed.revoked', 'embed.revocation_lifted', 'auth.login', 'source.created'].map((action, at) =>
      anEntry({ orgId: 'default', action, timestamp: BASE + at * 1_000 })
    )
  ])
  const listed = async (query: string, who = viewer) =>
    (await who.get(`/embeds?${query}`)).json().data
      .map(({ product, outcome, timestamp }: Record<string, string>) =>
        `${product} ${outcome} ${timestamp?.slice(17, 19)}`
      )
  return { admin, viewer, listed }
}

t.test('the list of embeds contains only the decisions of the embedding routes, newest first', async (t) => {
  const { listed } = await withDecisions(t)
  t.same(await listed(''), [
    'dxfeed refused 07',
    'dxfeed granted 06',
    'boldbi refused 05',
    'boldbi granted 04',
    'databrain refused 03',
    'databrain granted 02',
    'databrain refused 01',
    'databrain granted 00'
  ])
})

t.test('an item contains user, product, resource, address, outcome and the other details of the ' +
  'decision', async (t) => {
  const common = { orgId: 'default', ipAddress: '203.0.113.9', userAgent: 'Browser' }
  const refused = anEntry({
    ...common,
    action: 'embed.refused',
    userId: 'ann',
    userEmail: 'ann@example.com',
    resourceId: 'sales',
    timestamp: BASE + 1,
    changes: { server: 'https://bi.test', mode: 'view', outcome: 'CONFLICT', repeats: 3 }
  })
  const minted = anEntry({
    ...common,
    action: 'widget_token.minted',
    userId: null,
    userEmail: null,
    resourceId: null,
    timestamp: BASE,
    changes: null
  })
  const { admin } = await withDecisions(t, [refused, minted])
  t.same((await (await caller(admin, 'admin')).get('/embeds')).json(), {
    data: [
      {
        id: refused.id,
        product: 'boldbi',
        outcome: 'refused',
        error: 'CONFLICT',
        user_id: 'ann',
        user_email: 'ann@example.com',
        resource_id: 'sales',
        ip_address: '203.0.113.9',
        user_agent: 'Browser',
        timestamp: '2026-01-01T00:00:00.001Z',
        details: { server: 'https://bi.test', mode: 'view', repeats: 3 }
      },
      {
        id: minted.id,
        product: 'dxfeed',
        outcome: 'granted',
        error: null,
        user_id: null,
        user_email: null,
        resource_id: null,
        ip_address: '203.0.113.9',
        user_agent: 'Browser',
        timestamp: '2026-01-01T00:00:00.000Z',
        details: {}
      }
    ],
    next_cursor: null,
    has_more: false
  })
})

t.test('only admins and owners read the user and the address of a decision; other roles read product, outcome and ' +
  'resource', async (t) => {
  const entry = anEntry({
    orgId: 'default',
    action: 'embed.refused',
    userId: 'ann',
    userEmail: 'ann@example.com',
    resourceId: 'sales',
    ipAddress: '203.0.113.9',
    userAgent: 'Browser',
    changes: { server: 'https://bi.test', outcome: 'FORBIDDEN' }
  })
  const byAddress = anEntry({ ...entry, id: randomUUID(), userId: 'ann@example.com' })
  const { admin, viewer } = await withDecisions(t, [entry, byAddress])
  for (const role of ROLES) {
    const { data } = (await (role === 'viewer' ? viewer : await caller(admin, role)).get('/embeds')).json()
    const [one, other] = [entry, byAddress].map(({ id }) => data.find((item: { id: string }) => item.id === id))
    t.match(one, { product: 'boldbi', outcome: 'refused', error: 'FORBIDDEN', resource_id: 'sales' }, role)
    const may = role === 'owner' || role === 'admin'
    t.match(
      one,
      may
        ? {
            user_id: 'ann',
            user_email: 'ann@example.com',
            ip_address: '203.0.113.9',
            user_agent: 'Browser',
            details: { server: 'https://bi.test' }
          }
        : { user_id: null, user_email: null, ip_address: null, user_agent: null, details: null },
      role
    )
    t.equal(other.user_id, may ? 'ann@example.com' : null, role)
    if (!may) t.notMatch(JSON.stringify(data), /ann|@example|203\.0|Browser|bi\.test/)
  }
})

t.test('decisions are filtered by user, product, outcome and period, and paged', async (t) => {
  const { admin, viewer, listed } = await withDecisions(t)
  const owner = await caller(admin)
  const of = async (query: string) => await listed(query, owner)
  t.same(await listed('product=databrain'), ['databrain refused 03', 'databrain granted 02', 'databrain refused 01',
    'databrain granted 00'])
  t.same(await listed('outcome=refused'), ['dxfeed refused 07', 'boldbi refused 05', 'databrain refused 03',
    'databrain refused 01'])
  t.same(await listed('product=boldbi&outcome=granted'), ['boldbi granted 04'])
  t.same(await of('user_id=ann'), ['dxfeed granted 06', 'boldbi granted 04', 'databrain granted 02',
    'databrain granted 00'])
  t.same(await of('user_id=ann&outcome=refused'), [])
  t.same(await of('user_id=bob&product=dxfeed'), ['dxfeed refused 07'])
  t.same(await of('user_id=nobody'), [])
  t.same(await listed('from=2026-01-01T00:00:06Z'), ['dxfeed refused 07', 'dxfeed granted 06'])
  t.same(await listed('from=2026-01-01T00:00:04Z&to=2026-01-01T01:00:05%2B01:00'), ['boldbi refused 05',
    'boldbi granted 04'])
  const first = (await viewer.get('/embeds?limit=5&product=databrain')).json()
  t.same([first.has_more, first.next_cursor], [false, null])
  const page = (await viewer.get('/embeds?limit=5')).json()
  t.equal(page.has_more, true)
  t.same(await listed(`limit=5&cursor=${page.next_cursor}`), ['databrain granted 02', 'databrain refused 01',
    'databrain granted 00'])
  for (
    const query of [
      'product=all',
      'outcome=error',
      'product=',
      'user_id=',
      'user_id=a%00b',
      'from=yesterday',
      'to=2026-13-01T00:00:00Z',
      'limit=0',
      'limit=101',
      'cursor=x',
      'action=auth.login'
    ]
  ) {
    const reply = await owner.get(`/embeds?${query}`)
    t.equal(reply.statusCode, 400, query)
    t.equal(reply.json().error.code, 'INVALID_REQUEST', query)
  }
})

t.test('a filter by user is 403 for roles below admin, whether the user exists or not', async (t) => {
  const { admin, viewer } = await withDecisions(t)
  for (const role of ROLES) {
    const who = role === 'viewer' ? viewer : await caller(admin, role)
    const may = role === 'owner' || role === 'admin'
    for (const query of ['user_id=ann', 'user_id=nobody', 'user_id=ann&product=dxfeed']) {
      const reply = await who.get(`/embeds?${query}`)
      t.equal(reply.statusCode, may ? 200 : 403, `${role} ${query}`)
      if (!may) t.equal(reply.json().error.code, 'FORBIDDEN')
    }
  }
})
