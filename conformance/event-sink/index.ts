import type { EventSink } from '../../contracts/event-sink.js'
import { manualClock } from '../clocks.js'
import type { ContractClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { expiryContract } from './expiry.js'
import { readContract } from './reading.js'
import { repeatContract } from './repeats.js'
import { writeContract } from './writes.js'

export { anEvent } from './fixtures.js'

/**
 * What every event sink must hold; the parts that read run where the sink can be read, those of an optional method where it has one.
 * `makeSink` gives an empty sink that forgets ids by the clock; it is called once a test, one at a time. A sink that cannot be given a
 * clock is run with `systemClock`; the 24 hours themselves are those of the events' `receivedAt`.
 */
export async function eventSinkContract (
  t: ContractTest, makeSink: (clock: ContractClock) => Promise<EventSink>, makeClock: () => ContractClock = manualClock
): Promise<void> {
  async function make () {
    const clock = makeClock()
    return { sink: await makeSink(clock), clock }
  }

  for (const part of [writeContract, repeatContract, readContract, expiryContract]) await part(t, make)
}
