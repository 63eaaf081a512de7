import { atLeast } from '../../plugins/admin-guard/index.js'
import type { Role } from '../../contracts/token-store/index.js'

/** Fields that decide whose events a source takes, and with what proof. A change of `environment` also replaces the pipeline key. */
const TRUST = ['environment', 'require_signature', 'require_timestamp', 'allow_any_origin', 'allow_null_origin']

/** Keys and secrets that a new source brings from another system. */
const IMPORTED = ['pipeline_key', 'server_secret']

/** Fields that decide which deliveries of a provider count as signed. */
const WEBHOOK_TRUST = ['url', 'custom']

/** From this role on; `adminFields`: members of the body or query that only admins and owners may send. */
function only (role: Role, adminFields: readonly string[] = []) {
  const fields = Object.fromEntries(adminFields.map((field) => [field, atLeast('admin')]))
  return { config: { gatehouse: { admin: { roles: atLeast(role), ...adminFields.length > 0 ? { fields } : {} } } } }
}

/**
 * Who may do what: owner > admin > editor > viewer, and each may what those below may. docs/permissions.md is written from the routes that
 * use it: `node --import=@tapjs/typescript/import scripts/permissions.mjs`.
 */
export const MAY = {
  readSources: only('viewer'),
  readEvents: only('viewer'),
  createSources: only('editor', [...TRUST, ...IMPORTED]),
  changeSources: only('editor', TRUST),
  deleteSources: only('admin'),
  rotateSources: only('admin'),
  createWebhooks: only('admin'),
  changeWebhooks: only('editor', WEBHOOK_TRUST),
  /** A person is neither shown nor found below admin. */
  readEmbeds: only('viewer', ['user_id']),
  readRevocations: only('viewer'),
  revokeEmbeds: only('admin'),
  readAuditLogs: only('admin')
} as const
