import type { TokenStore } from '../../contracts/token-store/index.js'
import { manualClock } from '../clocks.js'
import type { ContractClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { auditContract } from './audit.js'
import { claimContract } from './claims.js'
import { guestTokenContract } from './guest-tokens.js'
import { quotaContract } from './quotas.js'
import { resolveContract } from './resolve.js'
import { revocationContract } from './revocations.js'
import { rotationContract } from './rotation.js'
import { sessionContract } from './sessions.js'
import { sourceContract } from './sources.js'
import { userContract } from './users.js'
import { webhookContract } from './webhooks.js'

/**
 * What every token store must hold. `makeStore` gives an empty store that goes by the clock; it is called once a test, one at a
 * time. A store that cannot be given a clock is run with `systemClock()`.
 */
export async function tokenStoreContract (
  t: ContractTest, makeStore: (clock: ContractClock) => Promise<TokenStore>, makeClock: () => ContractClock = manualClock
): Promise<void> {
  async function make () {
    const clock = makeClock()
    return { store: await makeStore(clock), clock }
  }

  const parts = [
    guestTokenContract, sourceContract, resolveContract, webhookContract, quotaContract, userContract, sessionContract, rotationContract, auditContract,
    revocationContract, claimContract
  ]
  for (const part of parts) await part(t, make)
}
