import type { ColumnType, Generated, GeneratedAlways } from 'kysely'

import type { AuthMethod, EventType } from '../../contracts/event-sink.js'
import type {
  BotPolicy, CustomSignature, Environment, MfaPolicy, ProviderKind, RefusedReplay, RequireSignature, RevocationKind,
  Role, RoleRules, ScimSettings, SignedRepeats, SsoPolicy, WebhookMapping, WebhookProvider
} from '../../contracts/token-store/index.js'

/** Written as a JSON string, read as the parsed value. */
type Json<Value> = ColumnType<Value, string, string>
/** A bigint, which `pg` returns as a string. */
type Sequence = GeneratedAlways<string>

/** The tables, as Kysely types them; the migrations create them. Times are timestamptz with millisecond precision. */
export interface DatabaseSchema {
  sources: SourcesTable
  pipeline_keys: PipelineKeysTable
  server_secrets: ServerSecretsTable
  webhooks: WebhooksTable
  webhook_secrets: WebhookSecretsTable
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
  identity_providers: IdentityProvidersTable
  identity_provider_secrets: IdentityProviderSecretsTable
  identities: IdentitiesTable
  sso_domains: SsoDomainsTable
  sso_logins: SsoLoginsTable
  sso_logouts: SsoLogoutsTable
  scim_users: ScimUsersTable
  scim_groups: ScimGroupsTable
  scim_group_members: ScimGroupMembersTable
  scim_settings: ScimSettingsTable
  audit_log: AuditLogTable
  guest_tokens: GuestTokensTable
  guest_invalidations: GuestInvalidationsTable
  claims: ClaimsTable
  revocations: RevocationsTable
  events: EventsTable
  event_ids: EventIdsTable
  event_keys: EventKeysTable
  counts: CountsTable
  count_deltas: CountsTable
  refused_events: RefusedEventsTable
}

interface SourcesTable {
  id: string
  seq: Sequence
  org_id: string
  name: string
  environment: Environment
  server_secret_prefix: string
  domains: Json<string[]>
  allow_any_origin: boolean
  allow_null_origin: boolean
  require_signature: RequireSignature
  require_timestamp: boolean
  enabled: boolean
  rate_limit: number | null
  pixel_types: Json<string[]>
  bots: BotPolicy
  signed_repeats: SignedRepeats
  keep_refused: Generated<boolean>
  /** A bigint, which `pg` returns as a string. */
  daily_quota: string | number | null
  monthly_quota: string | number | null
  created_at: Date
  updated_at: Date
}

/** Every current and former pipeline key. None is deleted, so that a key stays with its organisation. */
export interface PipelineKeysTable {
  key: string
  org_id: string
  /** Null after the key expired or its source was deleted. */
  source_id: string | null
  /** When a rotated or named key expires; null for the current key of the source. */
  expires_at: Date | null
  /** Null for a key that was created before keys had ids. */
  id: string | null
  /** Null for the current key of the source and the keys that it replaced. */
  name: string | null
  /** Domains of this key alone; null: the domains of the source. */
  domains: Json<string[] | null> | null
  enabled: Generated<boolean>
  added_at: Date | null
  last_used_at: Date | null
}

/** Numbers of events, credentials or logins by hour. `count_deltas` has the same columns and no key. */
interface CountsTable {
  org_id: string
  subject: string
  outcome: string
  hour: Date
  events: string | number
  bytes: string | number
  last_at: Date
}

interface RefusedEventsTable {
  id: string
  seq: Sequence
  org_id: string
  source_id: string
  code: string
  reason: string
  origin: string | null
  ip: string
  user_agent: string | null
  path: string
  content_type: string | null
  signed: boolean
  type: string | null
  event: string | null
  message_id: string | null
  received_at: Date
  bytes: number
  payload: string
  truncated: Generated<boolean>
  replay: Json<RefusedReplay> | null
  replayed_at: Date | null
  claim: Generated<string | null>
  claimed_until: Generated<Date | null>
}

interface ServerSecretsTable {
  id: string
  seq: Sequence
  source_id: string
  /** Encrypted with SECRETS_KEY, bound to this row. */
  sealed: string
  /** When a rotated secret expires; null for the newest secret. */
  expires_at: Date | null
}

interface WebhooksTable {
  id: string
  seq: Sequence
  source_id: string
  name: string
  provider: WebhookProvider
  secret_prefix: string
  url: string | null
  custom: Json<CustomSignature | null> | null
  mapping: Json<WebhookMapping | null> | null
  enabled: boolean
  created_at: Date
  updated_at: Date
}

interface WebhookSecretsTable {
  id: string
  seq: Sequence
  webhook_id: string
  /** Encrypted with SECRETS_KEY, bound to this row. */
  sealed: string
  /** When a rotated secret expires; null for the newest secret. */
  expires_at: Date | null
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

interface IdentityProvidersTable {
  id: string
  seq: Sequence
  org_id: string
  kind: ProviderKind
  name: string
  enabled: boolean
  settings: Json<Record<string, unknown>>
  roles: Json<RoleRules>
  created_at: Date
  updated_at: Date
}

interface IdentityProviderSecretsTable {
  id: string
  seq: Sequence
  provider_id: string
  /** Encrypted with SECRETS_KEY, bound to this row. */
  sealed: string
  /** When a rotated secret expires; null for the newest secret. */
  expires_at: Date | null
}

/** The accounts of users at identity providers. A provider may be configured by the host: it then has no row. */
interface IdentitiesTable {
  provider_id: string
  subject: string
  seq: Sequence
  org_id: string
  user_id: string
  created_at: Date
  last_login_at: Date
}

interface SsoDomainsTable {
  id: string
  seq: Sequence
  org_id: string
  domain: string
  token: string
  verified_at: Date | null
  sso: Generated<SsoPolicy>
  created_at: Date
}

interface SsoLoginsTable {
  digest: string
  sealed: string
  expires_at: Date
}

/** The logouts at providers of the last minutes, for logins that have not started their session yet. */
interface SsoLogoutsTable {
  provider_id: string
  /** Null for all subjects. */
  subject: string | null
  /** Null for all sessions of the provider. */
  provider_session: string | null
  at: Date
}

interface ScimUsersTable {
  org_id: string
  user_id: string
  seq: Sequence
  user_name: string
  /** In lower case, like the other keys. */
  user_name_key: string
  external_id: string | null
  display_name_key: string | null
  given_name_key: string | null
  family_name_key: string | null
  attributes: Json<Record<string, unknown>>
  version: number
  created_at: Date
  updated_at: Date
}

interface ScimGroupsTable {
  id: string
  seq: Sequence
  org_id: string
  display_name: string
  display_name_key: string
  external_id: string | null
  created_at: Date
  updated_at: Date
}

interface ScimGroupMembersTable {
  group_id: string
  org_id: string
  user_id: string
}

interface ScimSettingsTable {
  org_id: string
  group_roles: Json<ScimSettings['groupRoles']>
  default_role: Role
}

interface LoginFailuresTable {
  subject: string
  count: number
  locked_until: Date | null
  last_at: Date
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

/**
 * Accepted events, one partition per UTC day of `received_at`. `event_ids` keeps duplicates out, as a unique index here
 * would cost a quarter of the throughput.
 */
interface EventsTable {
  seq: Generated<string>
  org_id: string
  source_id: string
  message_id: string
  type: EventType
  auth_method: AuthMethod
  received_at: Date
  timestamp: Date
  ip: string
  user_agent: string | null
  payload: Json<unknown>
  additions: Json<unknown>
  /** 16-bit hashes by which events are found; `null` if the event lacks the property, or before `event_keys.since`. */
  message_key: number | null
  event_key: number | null
  user_key: number | null
  anonymous_key: number | null
}

/** One row: from when on every event has its keys. */
interface EventKeysTable {
  since: Date
}

/** The ids of the events of the last 24 hours. */
interface EventIdsTable {
  /** The first 16 bytes of the SHA-256 of source, auth method and messageId. */
  id: string
  seen_at: Date
}
