import t from 'tap'
import type { Test } from 'tap'

import eventSink from '../../../../plugins/event-sink/index.js'
import type { ReadableEventSink } from '../../../../contracts/event-sink.js'
import type { TokenStore } from '../../../../contracts/token-store/index.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { anEntry, aRefusedEvent } from '../../../../conformance/token-store/fixtures.js'
import { adminApp, SECRET } from '../../../helpers/admin.js'
import { backend } from '../../../helpers/backend.js'
import { caller } from '../../../helpers/admin-caller.js'
import type { Caller } from '../../../helpers/admin-caller.js'

const NEXT_SECRET = 'Zr4-uW8nq1_TbC6yXe3Lk0Vh5Ms9Pd2G'

/** Every list with a cursor, and a query that selects other items. */
const LISTS = [
  ['/sources', null],
  ['/sources/:id/webhooks', null],
  ['/events', 'type=track'],
  ['/refused-events', 'code=INVALID_JSON'],
  ['/embeds', 'product=boldbi'],
  ['/embeds/revocations', 'kind=user'],
  ['/audit-logs', 'action=embed.refused']
] as const

interface Lists {
  owner: Caller
  stranger: Caller
  /** The path of a list, with `:id` filled in. */
  at(path: string): string
  /** How many times a list of the store or the sink was read. */
  reads: { count: number }
  store: TokenStore
}

/** Three items in each list of `default` and of `other`. */
async function withLists (t: Test): Promise<Lists> {
  const reads = { count: 0 }
  const { store, sink } = await backend(t)
  const counted = <Part extends { list: (...parameters: never[]) => unknown }>(part: Part): Part =>
    new Proxy(part, {
      get (target, name) {
        const member = target[name as keyof Part] as unknown
        if (typeof member !== 'function') return member
        return (...parameters: unknown[]) => {
          if (name === 'list') reads.count++
          return Reflect.apply(member, target, parameters) as unknown
        }
      }
    })
  const { sources, webhooks, audit, refusedEvents, revocations } = store
  const watched = {
    ...store,
    sources: counted(sources),
    webhooks: counted(webhooks),
    audit: counted(audit),
    refusedEvents: counted(refusedEvents),
    revocations: counted(revocations)
  }
  const admin = await adminApp(t, {
    store: watched,
    before: async (app) => {
      await app.register(eventSink, { sink: counted<ReadableEventSink>(sink) })
    }
  })
  const owner = await caller(admin)
  const stranger = await caller(admin, 'owner', 'other')
  let id = ''
  for (const [who, orgId] of [[stranger, 'other'], [owner, 'default']] as const) {
    for (const name of ['a', 'b', 'c']) id = (await who.send('POST', '/sources', { name })).json().id
    for (const name of ['a', 'b', 'c']) {
      await who.send('POST', `/sources/${id}/webhooks`, { name, provider: 'stripe', secret: `whsec_${'x'.repeat(32)}` })
    }
    for (const tenant_id of ['a', 'b', 'c']) await who.send('POST', '/embeds/revoke', { tenant_id })
    await store.audit.append([1, 2, 3].map((timestamp) => anEntry({ orgId, action: 'embed.refused', timestamp })))
    await sink.write([1, 2, 3].map(() => anEvent({ orgId })))
    const source = (await who.get('/sources')).json().data[0].id
    await store.refusedEvents.append(
      [1, 2, 3].map(() => aRefusedEvent({ orgId, sourceId: source })),
      { maxRows: 10, maxBytes: 100_000 }
    )
  }
  reads.count = 0
  return { owner, stranger, at: (path) => path.replace(':id', id), reads, store }
}

async function nextOf (who: Caller, url: string): Promise<string> {
  const page = (await who.get(`${url}?limit=1`)).json()
  if (page.has_more !== true) throw new Error(`${url} has no next page: ${JSON.stringify(page)}`)
  return page.next_cursor
}

t.test('the table of lists contains every route that accepts a cursor', async (t) => {
  const routes: string[] = []
  await adminApp(t, {
    before: async (app) => {
      app.addHook('onRoute', ({ method, url, schema }) => {
        const query = schema?.querystring as { properties?: object } | undefined
        // Exports have their own cursors and tests.
        if (url.endsWith('/export')) return
        if (method === 'GET' && 'cursor' in (query?.properties ?? {})) routes.push(url.replace('/v1/admin', ''))
      })
    }
  })
  t.same(routes.sort(), LISTS.map(([path]) => path).sort())
})

t.test('a cursor works with any limit, but only for the list, the filter and the organisation of its ' +
  'page', async (t) => {
  const { owner, stranger, at, reads } = await withLists(t)
  const cursors = new Map<string, string>()
  for (const [path] of LISTS) cursors.set(path, await nextOf(owner, at(path)))
  for (const [path, filter] of LISTS) {
    const cursor = cursors.get(path) ?? ''
    const all = (await owner.get(at(path))).json().data
    const rest = (await owner.get(`${at(path)}?limit=100&cursor=${cursor}`)).json()
    t.same([rest.data, rest.has_more], [all.slice(1), false], path)
    reads.count = 0
    const foreign = path.includes(':id') ? [] : [await stranger.get(`${path}?cursor=${cursor}`)]
    const filtered = filter === null ? [] : [await owner.get(`${path}?${filter}&cursor=${cursor}`)]
    const elsewhere = await Promise.all(
      LISTS.filter(([other]) => other !== path).map(([other]) => owner.get(`${at(other)}?cursor=${cursor}`))
    )
    for (const reply of [...foreign, ...filtered, ...elsewhere]) {
      t.equal(reply.statusCode, 400, path)
      t.match(reply.json(), { error: { code: 'INVALID_REQUEST', message: /^The cursor is not valid/ } })
    }
    t.equal(reads.count, 0, 'no list was read')
  }
})

t.test('a forged or altered cursor, or a plain cursor of the store, is 400 before any list is read', async (t) => {
  const { owner, at, reads, store } = await withLists(t)
  const plain = (await store.sources.list('default', { limit: 1 })).nextCursor ?? ''
  for (const [path] of LISTS) {
    const cursor = await nextOf(owner, at(path))
    reads.count = 0
    const altered = [...cursor].map((letter, index) =>
      cursor.slice(0, index) + (letter === 'A' ? 'B' : 'A') + cursor.slice(index + 1)
    ).filter((_, index) => index % 7 === 0)
    const wrong = [...altered, plain, '1', 'x', '999999999999999999.-999999.999999', cursor.slice(0, -1), `${cursor}A`,
      `${cursor}.`, 'v1....', 'A'.repeat(1024), 'A'.repeat(1025)]
    for (const text of wrong) {
      const reply = await owner.get(`${at(path)}?cursor=${encodeURIComponent(text)}`)
      t.match([reply.statusCode, reply.json().error.code], [400, 'INVALID_REQUEST'], `${path} ${text}`)
    }
    t.equal(reads.count, 0)
  }
})

t.test('a cursor stays valid after a rotation of the secret while "jwtSecrets" contains the old secret', async (t) => {
  const { owner, store } = await withLists(t)
  const cursor = await nextOf(owner, '/sources')
  for (const [jwtSecrets, status] of [[[NEXT_SECRET, SECRET], 200], [[NEXT_SECRET], 400]] as const) {
    const admin = await adminApp(t, {
      store: { ...store, close: async () => {} },
      auth: { jwtSecrets },
      api: { jwtSecrets }
    })
    const { access_token: token } = await admin.login('owner@default.example.com')
    t.equal(
      (await admin.get(`/v1/admin/sources?cursor=${cursor}`, token)).statusCode,
      status,
      `${jwtSecrets.length} secrets`
    )
  }
})
