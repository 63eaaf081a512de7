import type { Generated } from 'kysely'

import type { ProviderKind, Role, RoleRules, ScimSettings, SsoPolicy } from '../../../contracts/token-store/index.js'
import type { Json, Sequence } from './column-types.js'

/** The tables of single sign-on and provisioning. */
export interface SsoTables {
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
