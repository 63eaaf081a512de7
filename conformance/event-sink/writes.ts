import assert from 'node:assert/strict'

import { isReadable } from '../../contracts/event-sink.js'
import type { ContractTest } from '../contract-test.js'
import { anEvent, assertStored, stored } from './fixtures.js'
import type { CreateSink } from './fixtures.js'

const UNUSUAL_STRINGS = ['\u0000', 'a\u0000b', '\ud800', "'; DROP TABLE events; --", '\\', '\\u0000', '"', '{}',
  '{a,b}', 'NULL', '', ' ', '\n', 'é', '🙂', '\u202e', '%', '*']

export async function writeContract (t: ContractTest, create: CreateSink): Promise<void> {
  await t.test('written events are read back unchanged, newest first', async () => {
    const { sink } = await create()
    const events = [anEvent(),
      anEvent({ userAgent: null, authMethod: 'signature', type: 'page', additions: '{"context":{"bot":true}}' })]
    await sink.write(events)
    await sink.ready()
    await assertStored(sink, events.reverse())
  })

  await t.test('an empty write succeeds and stores no event', async () => {
    const { sink } = await create()
    await sink.write([])
    await assertStored(sink, [])
  })

  await t.test('unusual strings are read back unchanged', async () => {
    const { sink } = await create()
    const events = UNUSUAL_STRINGS.map((text, at) =>
      anEvent({
        messageId: `${text}${at}`,
        userAgent: text.replaceAll(/[^ -~]/g, ' '),
        payload: JSON.stringify({ event: text, [text]: { deep: [text] }, big: 1 }).replace(
          '"big":1',
          '"big":12345678901234567890123'
        )
      })
    )
    await sink.write(events)
    await assertStored(sink, events.reverse())
  })

  await t.test('past timestamps are stored, including the year 0 and earlier', async () => {
    const { sink } = await create()
    const events = ['2024-02-29T12:00:00.001Z', '0099-06-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z',
      '0000-12-31T23:59:59.999Z', '0000-03-01T00:00:00.000Z', '-000001-12-31T00:00:00.000Z']
      .map((iso) => anEvent({ timestamp: Date.parse(iso) }))
    await sink.write(events)
    await assertStored(sink, events.reverse())
  })

  await t.test('each of many concurrent writes is stored when it resolves', async () => {
    const { sink } = await create()
    await Promise.all(Array.from({ length: 50 }, async () => {
      const events = [anEvent(), anEvent()]
      await sink.write(events)
      if (!isReadable(sink)) return
      const ids = new Set((await stored(sink)).map(({ messageId }) => messageId))
      for (const { messageId } of events) assert.ok(ids.has(messageId))
    }))
    assert.equal((await stored(sink)).length, isReadable(sink) ? 100 : 0)
  })

  await t.test('an event that the backend refuses does not fail other writes', async () => {
    const { sink } = await create()
    const bad = anEvent({ payload: 'no JSON' })
    const good = Array.from({ length: 10 }, () => anEvent())
    const [, ...outcomes] = await Promise.allSettled([sink.write([bad]), ...good.map((event) => sink.write([event]))])
    const after = anEvent()
    await sink.write([after])
    assert.deepEqual(outcomes.map(({ status }) => status), good.map(() => 'fulfilled'))
    if (!isReadable(sink)) return
    const ids = (await stored(sink)).map(({ messageId }) => messageId).filter((id) => id !== bad.messageId)
    assert.deepEqual(new Set(ids), new Set([...good, after].map(({ messageId }) => messageId)))
  })

  await t.test('close flushes earlier writes and can be called again', async () => {
    const { sink } = await create()
    const writes = Array.from({ length: 50 }, () => sink.write([anEvent()]))
    await sink.close()
    await Promise.all(writes)
    assert.equal((await stored(sink)).length, isReadable(sink) ? 50 : 0)
    await sink.close()
  })

  await t.test('a write after close rejects with UNAVAILABLE, so that the client retries', async () => {
    const { sink } = await create()
    const before = anEvent()
    await sink.write([before])
    await sink.close()
    await assert.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
    await assertStored(sink, [before])
  })
}
