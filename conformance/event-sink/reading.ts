import assert from 'node:assert/strict'

import type { AcceptedEvent } from '../../contracts/event-sink.js'
import { isReadable } from '../../contracts/event-sink.js'
import type { ContractTest } from '../contract-test.js'
import { NOW, anEvent, listed } from './fixtures.js'
import type { CreateSink } from './fixtures.js'

export async function readContract (t: ContractTest, create: CreateSink): Promise<void> {
  await t.test('a list contains only events of the organisation that match the filters', async () => {
    const { sink } = await create()
    if (!isReadable(sink)) return
    const events = Array.from(
      { length: 7 },
      (_, at) =>
        anEvent({ receivedAt: NOW + at, type: at % 2 === 0 ? 'track' : 'page', sourceId: at < 3 ? 'one' : 'two' })
    )
    await sink.write(events)
    await sink.write([anEvent({ orgId: 'org-b' })])
    const ids = async (filter: object) => (await listed(sink, 'org-a', filter)).map(({ messageId }) => messageId)
    const expected = (matches: (event: AcceptedEvent) => boolean) =>
      events.filter(matches).map(({ messageId }) => messageId).reverse()
    assert.deepEqual(await ids({}), expected(() => true))
    assert.deepEqual(await ids({ type: 'page' }), expected(({ type }) => type === 'page'))
    assert.deepEqual(await ids({ sourceId: 'one' }), expected(({ sourceId }) => sourceId === 'one'))
    assert.deepEqual(
      await ids({ sourceId: 'two', type: 'track' }),
      expected(({ sourceId, type }) => sourceId === 'two' && type === 'track')
    )
    assert.deepEqual(
      await ids({ from: NOW + 2, to: NOW + 4 }),
      expected(({ receivedAt }) => receivedAt >= NOW + 2 && receivedAt <= NOW + 4)
    )
    assert.equal((await listed(sink, 'org-b')).length, 1)
    assert.deepEqual(await listed(sink, 'org-c'), [])
    assert.deepEqual(await ids({ sourceId: 'no\0such\ud800' }), [])
  })

  await t.test('pages have no gaps, even while events arrive', async () => {
    const { sink } = await create()
    if (!isReadable(sink)) return
    const events = Array.from({ length: 7 }, () => anEvent())
    await sink.write(events)
    const joined: string[] = []
    let cursor: string | undefined
    do {
      const page = await sink.list('org-a', {}, { limit: 3, cursor })
      assert.ok(page.data.length <= 3)
      joined.push(...page.data.map(({ messageId }) => messageId))
      cursor = page.nextCursor ?? undefined
      await sink.write([anEvent(), anEvent({ orgId: 'org-b' })])
    } while (cursor !== undefined)
    assert.deepEqual(joined, events.map(({ messageId }) => messageId).reverse())
  })

  await t.test('large events end a page early, and the pages have no gaps', async () => {
    const { sink } = await create()
    if (!isReadable(sink)) return
    const payload = JSON.stringify({ event: 'Import', properties: { text: 'x'.repeat(60_000) } })
    const events = Array.from({ length: 40 }, () => anEvent({ payload }))
    await sink.write(events)
    const page = await sink.list('org-a', {}, { limit: 100 })
    assert.ok(page.data.length * payload.length < 2 * 1024 * 1024, `${page.data.length} events of 60 KB in one page`)
    assert.ok(page.nextCursor !== null)
    assert.deepEqual(
      (await listed(sink, 'org-a')).map(({ messageId }) => messageId),
      events.map(({ messageId }) => messageId).reverse()
    )
  })

  await t.test('a list with an aborted signal resolves or rejects', async () => {
    const { sink } = await create()
    if (!isReadable(sink)) return
    await sink.write([anEvent()])
    const page = sink.list('org-a', {}, { limit: 3, signal: AbortSignal.abort() })
    await page.then(({ data }) => assert.ok(data.length <= 1), () => {})
    assert.equal((await listed(sink, 'org-a')).length, 1)
  })

  await t.test('an invalid cursor rejects with INVALID_REQUEST', async () => {
    const { sink } = await create()
    if (!isReadable(sink)) return
    await sink.write([anEvent()])
    for (const bad of ['x', '-1', '1e3', '"', '9'.repeat(40)]) {
      await assert.rejects(sink.list('org-a', {}, { limit: 3, cursor: bad }), { code: 'INVALID_REQUEST' })
    }
  })
}
