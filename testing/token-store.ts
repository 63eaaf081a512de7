import type { TokenStore } from '../plugins/token-store/store.js'
import { manualClock } from './clocks.js'
import type { ContractClock } from './clocks.js'
import type { ContractTest } from './contract-test.js'
import { auditContract } from './token-store/audit.js'
import { claimContract } from './token-store/claims.js'
import { guestTokenContract } from './token-store/guest-tokens.js'
import { quotaContract } from './token-store/quotas.js'
import { resolveContract } from './token-store/resolve.js'
import { revocationContract } from './token-store/revocations.js'
import { rotationContract } from './token-store/rotation.js'
import { sessionContract } from './token-store/sessions.js'
import { sourceContract } from './token-store/sources.js'
import { userContract } from './token-store/users.js'
import { webhookContract } from './token-store/webhooks.js'

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
