import assert from 'node:assert/strict'

import type { AcceptedEvent, EventFilter } from '../../contracts/event-sink.js'
import { isReadable } from '../../contracts/event-sink.js'
import type { ContractTest } from '../contract-test.js'
import { NOW, anEvent, listed } from './fixtures.js'
import type { CreateSink } from './fixtures.js'

/** Strings that a client may send and that a sink could confuse with each other. */
const STRINGS = ['a', 'A', 'a ', ' a', '%', '_', '*', 'a%', "'", '"', '\\', '\\u0000', '\u0000', '\ud800', '\ufffd', '\n',
  'é', 'e\u0301', '💡', 'null', '1', '01', '{}', 'x'.repeat(512)]
const SEARCHED = ['event', 'userId', 'anonymousId'] as const

/** Rules of the filters by which an event is found. */
export async function searchContract (t: ContractTest, create: CreateSink): Promise<void> {
  await t.test('an event is found by each of its ids and its name, which are compared exactly', async () => {
    const { sink } = await create()
    if (!isReadable(sink)) return
    const events = STRINGS.flatMap((text) =>
      SEARCHED.map((name) => anEvent({ payload: JSON.stringify({ [name]: text }) }))
    )
    const byMessage = STRINGS.map((messageId) => anEvent({ messageId: `${messageId.slice(0, 99)}.`, payload: '{}' }))
    const foreign = events.map((event) => ({ ...event, orgId: 'org-b', sourceId: 'source-b' }))
    await sink.write([...events, ...byMessage])
    await sink.write(foreign)
    const found = async (filter: EventFilter) =>
      (await listed(sink, 'org-a', filter)).map(({ messageId }) => messageId)
    for (const [at, text] of STRINGS.entries()) {
      for (const [of, name] of SEARCHED.entries()) {
        assert.deepEqual(
          await found({ [name]: text }),
          [events[at * SEARCHED.length + of]?.messageId],
          `${name} ${JSON.stringify(text.slice(0, 20))}`
        )
      }
      const { messageId = '' } = byMessage[at] ?? {}
      assert.deepEqual(await found({ messageId }), [messageId])
    }
    assert.deepEqual(await found({ userId: 'b' }), [])
    assert.deepEqual(await found({ userId: 'x'.repeat(511) }), [])
  })

  await t.test('an event is found by the properties that the server adds or replaces, in either spelling', async () => {
    const { sink } = await create()
    if (!isReadable(sink)) return
    const replaced = anEvent({ payload: '{"userId":7,"anonymousId":null}', additions: '{"userId":"7","anonymousId":"s"}' })
    const escaped = anEvent({ payload: '{"userId":"\\u0061\\u002Fb","event":"\\ud83d\\udca1"}' })
    const nested = anEvent({ payload: '{"properties":{"userId":"a/b"},"event":null,"userId":{"event":"x"}}' })
    await sink.write([replaced, escaped, nested])
    const found = async (filter: EventFilter) =>
      (await listed(sink, 'org-a', filter)).map(({ messageId }) => messageId)
    assert.deepEqual(await found({ userId: '7' }), [replaced.messageId])
    assert.deepEqual(await found({ anonymousId: 's' }), [replaced.messageId])
    assert.deepEqual(await found({ userId: 'a/b' }), [escaped.messageId])
    assert.deepEqual(await found({ event: '💡' }), [escaped.messageId])
    for (const nothing of ['null', '[object Object]', 'x']) assert.deepEqual(await found({ event: nothing }), [])
  })

  await t.test('filters combine, and timestampFrom and timestampTo select by the time of the event', async () => {
    const { sink } = await create()
    if (!isReadable(sink)) return
    const events = Array.from({ length: 60 }, (_, at) =>
      anEvent({
        receivedAt: NOW + at,
        // Another order than that of the receipt.
        timestamp: NOW - (at * 7 % 60) * 3_600_000,
        sourceId: at % 2 === 0 ? 'one' : 'two',
        type: at % 3 === 0 ? 'page' : 'track',
        payload: JSON.stringify({ event: `event ${at % 4}`, userId: `user ${at % 5}` })
      }))
    await sink.write(events)
    const check = async (filter: EventFilter, matches: (event: AcceptedEvent, at: number) => boolean) => {
      const expected = events.filter(matches).map(({ messageId }) => messageId).reverse()
      for (const limit of [1, 7, 100]) {
        const found = await listed(sink, 'org-a', filter, limit)
        assert.deepEqual(found.map(({ messageId }) => messageId), expected, JSON.stringify(filter))
      }
    }
    const [from, to] = [NOW - 40 * 3_600_000, NOW - 9 * 3_600_000]
    await check({ timestampFrom: from }, ({ timestamp }) => timestamp >= from)
    await check({ timestampTo: to }, ({ timestamp }) => timestamp <= to)
    await check({ timestampFrom: from, timestampTo: to }, ({ timestamp }) => timestamp >= from && timestamp <= to)
    await check({ timestampFrom: NOW + 1 }, () => false)
    await check({ event: 'event 1', userId: 'user 2' }, (_event, at) => at % 4 === 1 && at % 5 === 2)
    await check({ event: 'event 1', sourceId: 'two' }, (_event, at) => at % 4 === 1 && at % 2 === 1)
    await check({ userId: 'user 3', type: 'page', from: NOW + 5, to: NOW + 50, timestampTo: to }, (event, at) =>
      at % 5 === 3 && at % 3 === 0 && at >= 5 && at <= 50 && event.timestamp <= to)
    await check({ messageId: events[9]?.messageId ?? '', userId: 'user 4' }, (_event, at) => at === 9)
    await check({ messageId: events[9]?.messageId ?? '', userId: 'user 3' }, () => false)
  })
}
