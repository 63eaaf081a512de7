import assert from 'node:assert/strict'

import { isReadable } from '../../contracts/event-sink.js'
import type { EventSink } from '../../contracts/event-sink.js'
import type { ContractTest } from '../contract-test.js'
import { countedTogether } from './counting.js'
import { anEvent, assertCopies, stored } from './fixtures.js'

/**
 * Tests that event sinks must pass if several instances write to one backend. `createTwo` returns two sinks on an empty
 * backend; it is called once per test, sequentially, after the sinks of the test before were closed.
 *
 * @example
 * await sharedEventSinkContract(t, async () => [await sqlSink(one), await sqlSink(other)])
 */
export async function sharedEventSinkContract (
  t: ContractTest,
  createTwo: () => Promise<[EventSink, EventSink]>
): Promise<void> {
  let open: EventSink[] = []

  async function create (): Promise<[EventSink, EventSink]> {
    await closeOpen()
    const sinks = await createTwo()
    open = sinks
    return sinks
  }

  async function closeOpen (): Promise<void> {
    await Promise.all(open.map((sink) => sink.close()))
  }

  await t.test('ten concurrent copies of one event over two instances all succeed, and one copy ' +
    'is stored', async () => {
    const [a, b] = await create()
    for (let round = 0; round < 5; round++) {
      const event = anEvent()
      await Promise.all(Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? a : b).write([anEvent(), event])))
      await assertCopies(a, event, 1)
      await assertCopies(b, event, 1)
    }
    assert.equal((await stored(b)).length, isReadable(b) ? 55 : 0, 'no other event is lost')
  })

  await t.test('overlapping writes of many events in any order over two instances lose and duplicate ' +
    'no event', async () => {
    const [a, b] = await create()
    const events = Array.from({ length: 60 }, () => anEvent())
    await Promise.all([a.write(events.slice(0, 40)), b.write(events.slice(20).reverse()),
      a.write(events.slice(10, 50).reverse())])
    for (const sink of [a, b]) {
      if (isReadable(sink)) {
        assert.deepEqual(
          (await stored(sink)).map(({ messageId }) => messageId).sort(),
          events.map(({ messageId }) => messageId).sort()
        )
      }
    }
  })

  await t.test('an event that one instance has stored is known to the other at once, also after the first has ' +
    'closed', async () => {
    const [a, b] = await create()
    const [one, two] = [anEvent(), anEvent()]
    await a.write([one])
    await b.write([one])
    await a.write([two])
    await a.close()
    await b.write([two, one])
    await assertCopies(b, one, 1)
    await assertCopies(b, two, 1)
  })

  await countedTogether(t, create)
  await closeOpen()
}
