import type { EmbedIdentity } from '../../signing/boldbi/identity.js'

/** The user whom the host allows to embed. `tenant` and `issuedAt` are for revocations and are not sent to Bold BI. */
export interface EmbedGrant extends EmbedIdentity {
  /** Tenant id of the user, for revocations. Default: none. */
  tenant?: string | null
  /**
   * Start of the user's session, in epoch milliseconds. A later revocation refuses the grant. Default: the time at
   * which the user reference was signed, else the current time.
   */
  issuedAt?: number
}
