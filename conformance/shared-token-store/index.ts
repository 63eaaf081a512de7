import type { TokenStore } from '../../contracts/token-store/index.js'
import { assertKnownOptions } from '../../signing/known-options.js'
import type { OptionNames } from '../../signing/known-options.js'
import type { ContractTest } from '../contract-test.js'
import { changeContract } from './changes.js'
import { raceContract } from './races.js'

export interface SharedTokenStoreContractOptions {
  /** By when a change that one instance has confirmed acts at the other, milliseconds. Default: 1 000. */
  within?: number
  /** How often 50 rotations of one token race. Default: 5. */
  rounds?: number
}

const KNOWN: OptionNames<SharedTokenStoreContractOptions> = { within: true, rounds: true }

/**
 * What token stores must hold where several instances share one backend, beside `tokenStoreContract`. `makeTwo` gives two of them on an
 * empty one, by the machine's clock; it is called once a test, one at a time.
 */
export async function sharedTokenStoreContract (
  t: ContractTest, makeTwo: () => Promise<[TokenStore, TokenStore]>, options: SharedTokenStoreContractOptions = {}
): Promise<void> {
  assertKnownOptions('sharedTokenStoreContract', options, KNOWN)
  const { within = 1_000, rounds = 5 } = options

  async function make () {
    const [a, b] = await makeTwo()
    return { a, b }
  }

  await changeContract(t, make, within)
  await raceContract(t, make, rounds)
}
