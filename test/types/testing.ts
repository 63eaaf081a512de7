// Compiled by `npm run typecheck`, never run: the suites take the tests of any runner, and what is no store they do
// not.
import { test } from 'node:test'

import t from 'tap'

import { memorySink } from '../../plugins/event-sink/index.js'
import { memoryStore } from '../../plugins/token-store/index.js'
import {
  eventSinkContract, manualClock, sharedEventSinkContract, sharedTokenStoreContract, systemClock,
  tokenStoreContract
} from '../../conformance/index.js'
import type { ContractTest } from '../../conformance/index.js'

const ofVitest = { test: (_name: string, _run: () => Promise<void>): void => {} }

for (const runner of [t, { test }, ofVitest] satisfies ContractTest[]) {
  tokenStoreContract(runner, async (clock) => memoryStore(clock))
  eventSinkContract(runner, async () => memorySink(), systemClock)
}
test('a context of node:test', async (context) => {
  await tokenStoreContract(context, async () => memoryStore(), systemClock)
  await sharedTokenStoreContract(context, async () => [memoryStore(), memoryStore()], { within: 5_000, rounds: 200 })
  await sharedEventSinkContract(context, async () => [memorySink(), memorySink()])
})

// @ts-expect-error a store is made anew for each test
tokenStoreContract(t, memoryStore())
// @ts-expect-error a sink is no store
tokenStoreContract(t, async () => memorySink(), () => manualClock())
// @ts-expect-error two instances, not one
sharedTokenStoreContract(t, async () => memoryStore())
// @ts-expect-error a list of benchmarks has no tests
tokenStoreContract([], async () => memoryStore())
