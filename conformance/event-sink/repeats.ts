import assert from 'node:assert/strict'

import { DEDUPLICATION_WINDOW, isReadable } from '../../contracts/event-sink.js'
import type { ContractTest } from '../contract-test.js'
import { NOW, anEvent, assertCopies, stored } from './fixtures.js'
import type { CreateSink } from './fixtures.js'

export async function repeatContract (t: ContractTest, create: CreateSink): Promise<void> {
  await t.test('a duplicate event is stored once, in its first version, and its write succeeds', async () => {
    const { sink } = await create()
    const event = anEvent()
    await sink.write([event])
    await sink.write([{ ...event, payload: '{"event":"second"}' }])
    await sink.write([anEvent({ messageId: 'twice' }), anEvent({ messageId: 'twice', payload: '{"event":"second"}' })])
    const fresh = anEvent()
    await sink.write([event, fresh, event])
    assert.deepEqual(
      (await stored(sink)).map(({ payload }) => payload),
      isReadable(sink) ? Array(3).fill('{"event":"Order Completed"}') : []
    )
    await assertCopies(sink, fresh, 1, 'a new event beside a duplicate is stored')
  })

  await t.test('the sink does not set `repeat` of a new event or of an event without the property', async () => {
    const { sink } = await create()
    const [marked, unmarked] = [anEvent({ repeat: false }), anEvent()]
    await sink.write([marked, unmarked])
    assert.equal(marked.repeat, false)
    const [again, unmarkedAgain, fresh] = [{ ...marked }, { ...unmarked }, anEvent({ repeat: false })]
    await sink.write([again, unmarkedAgain, fresh])
    assert.equal(fresh.repeat, false)
    assert.equal(unmarkedAgain.repeat, undefined)
    assert.equal(typeof again.repeat, 'boolean')
  })

  await t.test('the same messageId of another source or auth method is another event', async () => {
    const { sink } = await create()
    const event = anEvent()
    const others = [{ ...event, sourceId: 'source-b' }, { ...event, authMethod: 'signature' as const }]
    await sink.write([event, ...others])
    await assertCopies(sink, event, 3)
    await Promise.all([event, ...others].map((repeat) => sink.write([repeat])))
    await assertCopies(sink, event, 3)
  })

  await t.test('messageIds are compared exactly', async () => {
    const { sink } = await create()
    const ids = ['Id', 'id', 'id ', ' id', 'é', 'e\u0301', 'a:b', 'a', '%', '*', '\u0000', '\ud800', '\ufffd']
    for (let time = 0; time < 2; time++) await sink.write(ids.map((messageId) => anEvent({ messageId })))
    assert.deepEqual(
      (await stored(sink)).map(({ messageId }) => messageId).sort(),
      isReadable(sink) ? [...ids].sort() : []
    )
  })

  await t.test('ten concurrent writes of one event all succeed, and one copy is stored', async () => {
    const { sink } = await create()
    const event = anEvent()
    await Promise.all(Array.from({ length: 10 }, () => sink.write([anEvent(), event])))
    await assertCopies(sink, event, 1)
    assert.equal((await stored(sink)).length, isReadable(sink) ? 11 : 0)
  })

  await t.test('an event is a duplicate for 24 hours after its first copy, then a new event', async () => {
    const { sink } = await create()
    const event = anEvent()
    const after = async (milliseconds: number) => await sink.write([{ ...event, receivedAt: NOW + milliseconds }])
    for (
      const [milliseconds, copies] of [
        [0, 1],
        [1, 1],
        [DEDUPLICATION_WINDOW - 1, 1],
        [DEDUPLICATION_WINDOW, 2],
        [2 * DEDUPLICATION_WINDOW - 1, 2],
        [2 * DEDUPLICATION_WINDOW, 3]
      ] as const
    ) {
      await after(milliseconds)
      await assertCopies(sink, event, copies, `after ${milliseconds} ms`)
    }
  })

  await t.test('a sweep deletes no id of the last 24 hours', async () => {
    const { sink, clock } = await create()
    const event = anEvent({ receivedAt: clock.now() })
    await sink.write([event])
    await sink.sweep?.()
    await sink.write([event])
    await assertCopies(sink, event, 1)
  })

  await t.test('an event that a failed write did not store is not a duplicate when it is sent again', async () => {
    const { sink } = await create()
    const event = anEvent()
    await sink.write([event, anEvent({ payload: 'no JSON' })]).catch(() => {})
    await sink.write([event])
    await assertCopies(sink, event, 1)
  })
}
