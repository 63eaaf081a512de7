import type { EmbedIdentity } from '../../signing/boldbi/identity.js'

/** Whom the host lets embed. `tenant` and `issuedAt` decide whether that was revoked since, and go nowhere. */
export interface EmbedGrant extends EmbedIdentity {
  /** The customer whom the user belongs to, as an administrator would cut it off. Default: none. */
  tenant?: string | null
  /** When the session or whatever else vouches for the user was issued, epoch milliseconds. Default: when the user reference was made, else now. */
  issuedAt?: number
}
