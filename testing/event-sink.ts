import assert from 'node:assert/strict'

import type { AcceptedEvent, EventSink } from '../plugins/event-sink/sink.js'
import { DEDUPLICATION_WINDOW, isReadable } from '../plugins/event-sink/sink.js'
import type { ContractTest } from './contract-test.js'

const NOW = Date.UTC(2026, 0, 15, 12)

let minted = 0

/** An event as the gateway makes one. */
export function anEvent (fields: Partial<AcceptedEvent> = {}): AcceptedEvent {
  return {
    orgId: 'org-a',
    sourceId: 'source-a',
    messageId: `message-${++minted}`,
    type: 'track',
    authMethod: 'key',
    receivedAt: NOW,
    timestamp: NOW - 1_000,
    ip: '203.0.113.7',
    userAgent: 'tests',
    payload: '{"event":"Order Completed"}',
    additions: '{}',
    ...fields
  }
}

/** What every event sink must hold; the parts that read run where the sink can be read. */
export async function eventSinkContract (t: ContractTest, makeSink: () => Promise<EventSink>): Promise<void> {
  async function stored (sink: EventSink, orgId = 'org-a'): Promise<AcceptedEvent[]> {
    return isReadable(sink) ? (await sink.list(orgId, {}, { limit: 100 })).data : []
  }

  await t.test('what was written is read back as it was, newest first', async () => {
    const sink = await makeSink()
    const events = [anEvent(), anEvent({ userAgent: null, authMethod: 'signature', type: 'page', additions: '{"context":{"bot":true}}' })]
    await sink.write(events)
    await sink.write([])
    await sink.ready()
    assert.deepEqual(await stored(sink), events.reverse())
  })

  await t.test('text that is awkward to store comes back unchanged', async () => {
    const sink = await makeSink()
    const awkward = ['\u0000', 'a\u0000b', '\ud800', "'; DROP TABLE events; --", '\\', '\\u0000', '"', '{}', '{a,b}', 'NULL', '', ' ', '\n', 'é', '🙂', '\u202e', '%', '*']
    const events = awkward.map((text, at) => anEvent({
      messageId: `${text}${at}`,
      userAgent: text.replaceAll(/[^ -~]/g, ' '),
      payload: JSON.stringify({ event: text, [text]: { deep: [text] }, big: 1 }).replace('"big":1', '"big":12345678901234567890123')
    }))
    await sink.write(events)
    assert.deepEqual(await stored(sink), events.reverse())
  })

  await t.test('J17: any past is fine, the year 0 and those before it too', async () => {
    const sink = await makeSink()
    const events = ['2024-02-29T12:00:00.001Z', '0099-06-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z', '0000-12-31T23:59:59.999Z', '0000-03-01T00:00:00.000Z', '-000001-12-31T00:00:00.000Z']
      .map((iso) => anEvent({ timestamp: Date.parse(iso) }))
    await sink.write(events)
    assert.deepEqual(await stored(sink), events.reverse())
  })

  await t.test('an event that comes again within 24 hours is stored once, and the write succeeds', async () => {
    const sink = await makeSink()
    const event = anEvent()
    await sink.write([event])
    await sink.write([{ ...event, payload: '{"event":"second"}' }])
    await sink.write([anEvent({ messageId: 'twice' }), anEvent({ messageId: 'twice', payload: '{"event":"second"}' })])
    const last = { ...event, receivedAt: NOW + DEDUPLICATION_WINDOW - 1 }
    await sink.write([last])
    assert.deepEqual((await stored(sink)).map(({ payload }) => payload), Array(2).fill('{"event":"Order Completed"}'))
  })

  await t.test('D14: after 24 hours the same messageId is a new event', async () => {
    const sink = await makeSink()
    const event = anEvent()
    await sink.write([event])
    await sink.write([{ ...event, receivedAt: NOW + DEDUPLICATION_WINDOW }])
    assert.equal((await stored(sink)).length, isReadable(sink) ? 2 : 0)
  })

  await t.test('the same messageId of another source, or by the other auth method, is another event', async () => {
    const sink = await makeSink()
    const event = anEvent()
    await sink.write([event, { ...event, sourceId: 'source-b' }, { ...event, authMethod: 'signature' }])
    assert.equal((await stored(sink)).length, isReadable(sink) ? 3 : 0)
  })

  await t.test('D13: ten parallel writes of one event store one', async () => {
    const sink = await makeSink()
    const event = anEvent()
    await Promise.all(Array.from({ length: 10 }, () => sink.write([anEvent(), event])))
    assert.equal((await stored(sink)).filter(({ messageId }) => messageId === event.messageId).length, isReadable(sink) ? 1 : 0)
  })

  await t.test('lists keep to the organisation and the filters, and pages join without a gap', async () => {
    const sink = await makeSink()
    if (!isReadable(sink)) return
    const events = Array.from({ length: 7 }, (_, at) => anEvent({ receivedAt: NOW + at, type: at % 2 === 0 ? 'track' : 'page', sourceId: at < 3 ? 'one' : 'two' }))
    await sink.write(events)
    await sink.write([anEvent({ orgId: 'org-b' })])
    const ids = async (filter: object) => (await sink.list('org-a', filter, { limit: 100 })).data.map(({ messageId }) => messageId)
    const expected = (keep: (event: AcceptedEvent) => boolean) => events.filter(keep).map(({ messageId }) => messageId).reverse()
    assert.deepEqual(await ids({}), expected(() => true))
    assert.deepEqual(await ids({ type: 'page' }), expected(({ type }) => type === 'page'))
    assert.deepEqual(await ids({ sourceId: 'one' }), expected(({ sourceId }) => sourceId === 'one'))
    assert.deepEqual(await ids({ from: NOW + 2, to: NOW + 4 }), expected(({ receivedAt }) => receivedAt >= NOW + 2 && receivedAt <= NOW + 4))
    assert.equal((await sink.list('org-b', {}, { limit: 100 })).data.length, 1)
    assert.deepEqual(await ids({ sourceId: 'no\0such\ud800' }), [])

    const joined: string[] = []
    let cursor: string | undefined
    do {
      const page = await sink.list('org-a', {}, { limit: 3, cursor })
      joined.push(...page.data.map(({ messageId }) => messageId))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    assert.deepEqual(joined, expected(() => true))
    for (const bad of ['x', '-1', '1e3', '"', '9'.repeat(40)]) {
      await assert.rejects(sink.list('org-a', {}, { limit: 3, cursor: bad }), { code: 'INVALID_REQUEST' })
    }
  })

  await t.test('expire deletes what was received before a time, of every organisation, and nothing else', async () => {
    const sink = await makeSink()
    if (sink.expire === undefined) return
    const at = (receivedAt: number, orgId: string) => anEvent({ receivedAt, orgId })
    const kept = [at(NOW, 'org-a'), at(NOW + 1, 'org-b'), at(NOW, 'org-d')]
    // In the order of time, as a server writes; what an event says of its own time is nothing to go by.
    await sink.write([at(NOW - 2, 'org-a'), at(NOW - 2, 'org-b'), at(NOW - 1, 'org-c'), at(NOW - 1, 'org-a'), ...kept.map((event) => ({ ...event, timestamp: 0 }))])
    await sink.expire(NOW - 10)
    assert.equal((await stored(sink)).length, isReadable(sink) ? 3 : 0, 'not before it is time')
    await Promise.all([sink.expire(NOW), sink.expire(NOW)])
    const left = await Promise.all(['org-a', 'org-b', 'org-c', 'org-d'].map((orgId) => stored(sink, orgId)))
    assert.deepEqual(left.flat().map(({ messageId }) => messageId), isReadable(sink) ? kept.map(({ messageId }) => messageId) : [])

    await sink.write(kept.map((event) => ({ ...event, receivedAt: NOW + 5 })))
    const later = anEvent({ receivedAt: NOW + 6 })
    await sink.write([later])
    assert.deepEqual((await stored(sink)).map(({ messageId }) => messageId), isReadable(sink) ? [later.messageId, kept[0]?.messageId] : [], 'and ids are known as before')
    await sink.expire(NOW + 100)
    await sink.expire(NOW + 100)
    assert.deepEqual(await stored(sink), [])
  })

  await t.test('close flushes what was written before it', async () => {
    const sink = await makeSink()
    const writes = Array.from({ length: 50 }, () => sink.write([anEvent()]))
    await sink.close()
    await Promise.all(writes)
    assert.equal((await stored(sink)).length, isReadable(sink) ? 50 : 0)
  })
}
