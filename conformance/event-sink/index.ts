import type { EventSink } from '../../contracts/event-sink.js'
import { manualClock } from '../clocks.js'
import type { ContractClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { countingContract } from './counting.js'
import { expiryContract } from './expiry.js'
import { readContract } from './reading.js'
import { repeatContract } from './repeats.js'
import { searchContract } from './searching.js'
import { writeContract } from './writes.js'

export { anEvent } from './fixtures.js'

/**
 * Tests that every event sink must pass. Tests of reading run if the sink can be read; those of an optional method if
 * it has the method. `createSink` returns an empty sink that uses the clock for deleting old ids; it is called once per
 * test, sequentially, after the sink of the test before was closed. Pass `systemClock` for a sink without a clock
 * option. The 24 hours of deduplication follow the events' `receivedAt`.
 *
 * @example
 * await eventSinkContract(t, async () => memorySink())
 */
export async function eventSinkContract (
  t: ContractTest,
  createSink: (clock: ContractClock) => Promise<EventSink>,
  createClock: () => ContractClock = manualClock
): Promise<void> {
  let open: EventSink | undefined

  async function create () {
    // An open sink may still write counts, which the next sink on the same backend would read.
    await open?.close()
    const clock = createClock()
    open = await createSink(clock)
    return { sink: open, clock }
  }

  const parts = [writeContract, repeatContract, readContract, searchContract, expiryContract, countingContract]
  for (const part of parts) await part(t, create)
  await open?.close()
}
