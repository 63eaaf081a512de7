import type { ColumnType, Generated } from 'kysely'

import type { MfaPolicy, Role } from '../../../contracts/token-store/index.js'
import type { Json, Sequence } from './column-types.js'

/** The tables of organisations, of their users and of what users log in with. */
export interface AccountTables {
  organisations: OrganisationsTable
  users: UsersTable
  memberships: MembershipsTable
  invitations: InvitationsTable
  password_resets: PasswordResetsTable
  email_changes: EmailChangesTable
  sessions: SessionsTable
  totp_factors: TotpFactorsTable
  passkeys: PasskeysTable
  recovery_codes: RecoveryCodesTable
  login_failures: LoginFailuresTable
  api_keys: ApiKeysTable
  api_key_digests: ApiKeyDigestsTable
}

interface OrganisationsTable {
  id: string
  seq: Sequence
  name: string
  mfa: Generated<MfaPolicy>
  max_users: number | null
  max_sources: number | null
  created_at: Date
}

interface UsersTable {
  id: string
  email: string
  password_hash: string
  epoch: number
  created_at: Date
}

interface MembershipsTable {
  org_id: string
  user_id: string
  seq: Sequence
  role: Role
  disabled: Generated<boolean>
  created_at: Date
  last_login_at: Date | null
}

/** Open invitations. An invitation that is accepted or withdrawn is deleted. */
interface InvitationsTable {
  id: string
  seq: Sequence
  org_id: string
  email: string
  role: Role
  invited_by: string
  digest: string
  created_at: Date
  expires_at: Date
}

/** One reset link of a user. */
export interface PasswordResetsTable {
  user_id: string
  digest: string
  /** Email and SHA-256 of the password hash when the link was sent. If either has changed, the link is not valid. */
  email: string
  password_digest: string
  expires_at: Date
}

/** One pending change of a user's email: `digest` was sent to the present address, `new_digest` to the new one. */
interface EmailChangesTable extends PasswordResetsTable {
  new_email: string
  new_digest: string
  confirmed: boolean
  new_confirmed: boolean
}

/** Live sessions. A session that ends is deleted. */
interface SessionsTable {
  id: string
  seq: Sequence
  user_id: string
  org_id: string
  mfa_at: Date | null
  /** The identity provider that started the session, and its ids of the user and of the session there. */
  provider_id: string | null
  provider_subject: string | null
  provider_session: string | null
  /** Data for a logout at the provider, encrypted. */
  provider_hint: string | null
  refresh_digest: string
  previous_digest: string | null
  /** Until when the previous token may be repeated; the response is then `sealed_successor`. */
  repeat_until: Date | null
  sealed_successor: string | null
  created_at: Date
  last_used_at: Date
  ends_at: Date
  ip: string
  user_agent: string
}

/** Authenticator apps. A row may have a confirmed secret, a proposed secret, or both. */
interface TotpFactorsTable {
  user_id: string
  /** The confirmed secret, encrypted with SECRETS_KEY, bound to the user. */
  sealed: string | null
  confirmed_at: Date | null
  /** The time step of the last accepted code. */
  last_step: number | null
  /** The secret that is not confirmed yet, encrypted in the same way. */
  proposed: string | null
}

interface PasskeysTable {
  id: string
  seq: Sequence
  user_id: string
  credential_id: string
  public_key: string
  /** A bigint, which `pg` returns as a string. */
  counter: ColumnType<string, number, number>
  transports: Json<string[]>
  name: string
  created_at: Date
  last_used_at: Date | null
}

/** Unused recovery codes. */
interface RecoveryCodesTable {
  user_id: string
  /** SHA-256 of the user id and the code. */
  digest: string
}

interface ApiKeysTable {
  id: string
  seq: Sequence
  org_id: string
  name: string
  prefix: string
  role: Role
  permissions: Json<string[] | null> | null
  expires_at: Date | null
  last_used_at: Date | null
  created_by: string
  created_at: Date
}

interface ApiKeyDigestsTable {
  /** Hex SHA-256 of the key. */
  digest: string
  key_id: string
  /** When a rotated key stops working; null for the current key. */
  expires_at: Date | null
}

interface LoginFailuresTable {
  subject: string
  count: number
  locked_until: Date | null
  last_at: Date
}
