import { atLeast } from '../../plugins/admin-guard/index.js'
import type { Role } from '../../contracts/token-store/index.js'

/** Fields that set which events a source accepts. A change of `environment` also replaces the pipeline key. */
const TRUST_FIELDS = ['environment', 'require_signature', 'require_timestamp', 'allow_any_origin', 'allow_null_origin']

/** Fields with a key or a secret that is imported from another system. */
const IMPORT_FIELDS = ['pipeline_key', 'server_secret']

/** Fields that set how a provider's signature is verified. */
const WEBHOOK_TRUST_FIELDS = ['url', 'custom']

/**
 * Allows a route for a role and the roles above it. Only admins and owners may send `adminFields`, in body or query.
 */
function allowFrom (role: Role, adminFields: readonly string[] = []) {
  const fields = Object.fromEntries(adminFields.map((field) => [field, atLeast('admin')]))
  return { config: { gatehouse: { admin: { roles: atLeast(role), ...adminFields.length > 0 ? { fields } : {} } } } }
}

/** Allows a route for a role and the roles above it, with a fresh second factor: for what destroys or gives power. */
function allowWithStepUp (role: Role) {
  return { config: { gatehouse: { admin: { roles: atLeast(role), stepUp: true } } } } as const
}

/**
 * The permissions of the admin API: owner > admin > editor > viewer, and each role includes the permissions of the
 * roles below it. docs/permissions.md is generated from the routes that use this table: `node
 * --import=@tapjs/typescript/import scripts/permissions.mjs`.
 */
export const PERMISSIONS = {
  readSources: allowFrom('viewer'),
  readEvents: allowFrom('viewer'),
  createSources: allowFrom('editor', [...TRUST_FIELDS, ...IMPORT_FIELDS]),
  changeSources: allowFrom('editor', TRUST_FIELDS),
  deleteSources: allowWithStepUp('admin'),
  rotateSources: allowWithStepUp('admin'),
  createWebhooks: allowFrom('admin'),
  changeWebhooks: allowFrom('editor', WEBHOOK_TRUST_FIELDS),
  /** Below admin, users are neither shown nor searchable. */
  readEmbeds: allowFrom('viewer', ['user_id']),
  readRevocations: allowFrom('viewer'),
  revokeEmbeds: allowFrom('admin'),
  readAuditLogs: allowFrom('admin')
} as const
