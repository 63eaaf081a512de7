import type { RevocationKind } from '../../../contracts/token-store/index.js'
import type { Json, Sequence } from './column-types.js'

/** The tables of embeds and of the audit log. */
export interface EmbedTables {
  audit_log: AuditLogTable
  guest_tokens: GuestTokensTable
  guest_invalidations: GuestInvalidationsTable
  claims: ClaimsTable
  revocations: RevocationsTable
}

interface AuditLogTable {
  id: string
  seq: Sequence
  org_id: string
  action: string
  user_id: string | null
  user_email: string | null
  resource_type: string | null
  resource_id: string | null
  changes: Json<Record<string, unknown> | null> | null
  ip_address: string | null
  user_agent: string | null
  timestamp: Date
}

interface GuestTokensTable {
  key: string
  client_id: string
  /** Encrypted with SECRETS_KEY, bound to the key. */
  sealed: string
  minted_at: Date
  expires_at: Date
}

/** When a client's tokens were last invalidated: tokens minted before are not valid. */
interface GuestInvalidationsTable {
  client_id: string
  invalidated_at: Date
}

interface ClaimsTable {
  /** SHA-256 of the claimed key. */
  digest: string
  expires_at: Date
}

/** One row for each subject of an organisation. */
interface RevocationsTable {
  id: string
  seq: Sequence
  org_id: string
  kind: RevocationKind
  subject: string
  cutoff: Date
  created_at: Date
  created_by: string | null
}
