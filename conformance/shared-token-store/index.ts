import type { TokenStore } from '../../contracts/token-store/index.js'
import { assertKnownOptions } from '../../signing/known-options.js'
import type { KnownOptions } from '../../signing/known-options.js'
import type { ContractTest } from '../contract-test.js'
import { changeContract } from './changes.js'
import { raceContract } from './races.js'

/** Options of `sharedTokenStoreContract`. */
export interface SharedTokenStoreContractOptions {
  /** Milliseconds until a change on one instance takes effect on the other. Default: 1 000. */
  within?: number
  /** Number of races of 50 rotations of one token. Default: 5. */
  rounds?: number
}

const KNOWN: KnownOptions<SharedTokenStoreContractOptions> = { within: true, rounds: true }

/**
 * Tests that token stores must pass if several instances share one backend, in addition to `tokenStoreContract`.
 * `createTwo` returns two stores on an empty backend, on the system time; it is called once per test, sequentially.
 *
 * @example
 * await sharedTokenStoreContract(t, async () => [sqlStore(one, options), sqlStore(other, options)])
 */
export async function sharedTokenStoreContract (
  t: ContractTest, createTwo: () => Promise<[TokenStore, TokenStore]>, options: SharedTokenStoreContractOptions = {}
): Promise<void> {
  assertKnownOptions('sharedTokenStoreContract', options, KNOWN)
  const { within = 1_000, rounds = 5 } = options

  async function create () {
    const [a, b] = await createTwo()
    return { a, b }
  }

  await changeContract(t, create, within)
  await raceContract(t, create, rounds)
}
