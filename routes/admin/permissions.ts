import { atLeast } from '../../plugins/admin-guard/index.js'
import type { AdminRoles } from '../../plugins/admin-guard/index.js'
import type { Role } from '../../contracts/token-store/index.js'
import type { PermissionName } from '../../schemas/admin-keys.js'

/** Fields that set which events a source accepts. A change of `environment` also replaces the pipeline key. */
const TRUST_FIELDS = [
  'environment', 'require_signature', 'require_timestamp', 'allow_any_origin', 'allow_null_origin', 'daily_quota',
  'monthly_quota'
]

/** Fields with a key or a secret that is imported from another system. */
const IMPORT_FIELDS = ['pipeline_key', 'server_secret']

/** Fields that set how a provider's signature is verified. */
const WEBHOOK_TRUST_FIELDS = ['url', 'custom']

interface Allowed {
  /** Fields of body or query that only admins and owners may send. Default: none. */
  adminFields?: readonly string[]
  /** The permission that an API key needs. Default: none, and the routes refuse API keys. */
  permission?: PermissionName
  /** Requires a fresh second factor: for routes that destroy or give power. Default: `false`. */
  stepUp?: boolean | 'enrolled'
}

/** Allows a route for a role and the roles above it. */
function allowFrom (role: Role, { adminFields = [], permission, stepUp = false }: Allowed = {}) {
  const fields = Object.fromEntries(adminFields.map((field) => [field, atLeast('admin')]))
  const admin: AdminRoles = {
    roles: atLeast(role),
    ...adminFields.length > 0 ? { fields } : {},
    ...stepUp === false ? {} : { stepUp },
    ...permission === undefined ? {} : { permission }
  }
  return { config: { gatehouse: { admin } } }
}

/**
 * The permissions of the admin routes: owner > admin > editor > viewer, and each role includes the permissions of the
 * roles below it. docs/permissions.md is generated from the routes that use this table: `npm run docs`.
 */
export const PERMISSIONS = {
  readSources: allowFrom('viewer', { permission: 'sources:read' }),
  createSources: allowFrom('editor', {
    permission: 'sources:write', adminFields: [...TRUST_FIELDS, ...IMPORT_FIELDS]
  }),
  changeSources: allowFrom('editor', { permission: 'sources:write', adminFields: TRUST_FIELDS }),
  deleteSources: allowFrom('admin', { permission: 'sources:delete', stepUp: true }),
  rotateSources: allowFrom('admin', { permission: 'sources:rotate', stepUp: true }),
  readWebhooks: allowFrom('viewer', { permission: 'webhooks:read' }),
  createWebhooks: allowFrom('admin', { permission: 'webhooks:write' }),
  changeWebhooks: allowFrom('editor', { permission: 'webhooks:write', adminFields: WEBHOOK_TRUST_FIELDS }),
  testWebhooks: allowFrom('editor', { permission: 'webhooks:write' }),
  deleteWebhooks: allowFrom('admin', { permission: 'webhooks:delete', stepUp: true }),
  rotateWebhooks: allowFrom('admin', { permission: 'webhooks:rotate', stepUp: true }),
  readEvents: allowFrom('viewer', { permission: 'events:read' }),
  readStats: allowFrom('viewer', { permission: 'stats:read' }),
  /** Also deletes refused events. */
  replayEvents: allowFrom('editor', { permission: 'events:replay' }),
  /** Below admin, users are neither shown nor searchable. */
  readEmbeds: allowFrom('viewer', { permission: 'embeds:read', adminFields: ['user_id'] }),
  readRevocations: allowFrom('viewer', { permission: 'embeds:read' }),
  revokeEmbeds: allowFrom('admin', { permission: 'embeds:revoke' }),
  readAuditLogs: allowFrom('admin', { permission: 'audit:read' }),
  /** The notices contain names of API keys, which only admins see. */
  readNotices: allowFrom('admin', { permission: 'audit:read' }),
  readKeys: allowFrom('admin'),
  revokeKeys: allowFrom('admin'),
  manageKeys: allowFrom('admin', { stepUp: true }),
  readUsers: allowFrom('admin'),
  /** Only owners change owners or give the role owner, and nobody changes themselves: the routes check both. */
  changeUsers: allowFrom('admin', { stepUp: true }),
  withdrawInvitations: allowFrom('admin'),
  changeOwnEmail: allowFrom('viewer', { stepUp: true }),
  readFactors: allowFrom('viewer'),
  /** A user without a factor may set up the first, also if the organisation requires it. */
  changeFactors: allowFrom('viewer', { stepUp: 'enrolled' }),
  readSso: allowFrom('admin'),
  /** A provider can log in anybody of its domains, with any role. */
  changeSso: allowFrom('owner', { stepUp: true }),
  /** The routes of SCIM refuse users. The role of the key limits which members it may change. */
  manageScim: allowFrom('admin', { permission: 'scim:manage' }),
  readScim: allowFrom('admin'),
  /** The mapping gives roles, also the role owner. */
  changeScim: allowFrom('owner', { stepUp: true }),
  readOrganisation: allowFrom('viewer'),
  changeOrganisation: allowFrom('owner', { stepUp: true })
} as const
