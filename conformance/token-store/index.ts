import type { TokenStore } from '../../contracts/token-store/index.js'
import { manualClock } from '../clocks.js'
import type { ContractClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { accountLinkContract } from './account-links.js'
import { apiKeyContract } from './api-keys.js'
import { auditContract } from './audit.js'
import { claimContract } from './claims.js'
import { countContract } from './counts.js'
import { factorContract } from './factors.js'
import { guestTokenContract } from './guest-tokens.js'
import { identityContract } from './identities.js'
import { identityProviderContract } from './identity-providers.js'
import { invitationContract } from './invitations.js'
import { memberContract } from './members.js'
import { organisationContract } from './organisations.js'
import { provisionContract } from './provision.js'
import { quotaContract } from './quotas.js'
import { refusedEventContract } from './refused-events.js'
import { resolveContract } from './resolve.js'
import { revocationContract } from './revocations.js'
import { rotationContract } from './rotation.js'
import { scimGroupContract } from './scim-groups.js'
import { scimContract } from './scim.js'
import { sessionContract } from './sessions.js'
import { sourceKeyContract } from './source-keys.js'
import { sourceKeyRotationContract } from './source-key-rotation.js'
import { sourceContract } from './sources.js'
import { ssoDomainContract } from './sso-domains.js'
import { ssoSessionContract } from './sso-sessions.js'
import { userContract } from './users.js'
import { webhookContract } from './webhooks.js'

/**
 * Tests that every token store must pass. `createStore` returns an empty store that uses the clock; it is called once
 * per test, sequentially. Pass `systemClock` for a store without a clock option.
 *
 * @example
 * await tokenStoreContract(t, async ({ now }) => memoryStore({ now }))
 */
export async function tokenStoreContract (
  t: ContractTest,
  createStore: (clock: ContractClock) => Promise<TokenStore>,
  createClock: () => ContractClock = manualClock
): Promise<void> {
  async function create () {
    const clock = createClock()
    return { store: await createStore(clock), clock }
  }

  const parts = [
    guestTokenContract,
    sourceContract,
    resolveContract,
    sourceKeyContract,
    sourceKeyRotationContract,
    webhookContract,
    quotaContract,
    organisationContract,
    userContract,
    memberContract,
    invitationContract,
    accountLinkContract,
    sessionContract,
    rotationContract,
    factorContract,
    apiKeyContract,
    provisionContract,
    identityProviderContract,
    identityContract,
    ssoDomainContract,
    ssoSessionContract,
    scimContract,
    scimGroupContract,
    auditContract,
    refusedEventContract,
    countContract,
    revocationContract,
    claimContract
  ]
  for (const part of parts) await part(t, create)
}
