import type { Role } from './session.ts'

/** Something that the admin API allows from a role on. */
export interface Permission {
  /** The permission that an API key needs; `null`: API keys cannot have it. */
  name: string | null
  /** The actions that the permission allows, for people. */
  label: string
  /** The lowest role. A test compares it with the routes. */
  from: Role
}

/** The permissions of the admin API, by subject. */
export const PERMISSION_GROUPS: ReadonlyArray<readonly [title: string, Permission[]]> = [
  ['Sources', [
    { name: 'sources:read', label: 'Read sources', from: 'viewer' },
    { name: 'sources:write', label: 'Create and change sources', from: 'editor' },
    { name: 'sources:rotate', label: 'Rotate keys and secrets', from: 'admin' },
    { name: 'sources:delete', label: 'Delete sources', from: 'admin' }
  ]],
  ['Webhooks', [
    { name: 'webhooks:read', label: 'Read webhooks', from: 'viewer' },
    { name: 'webhooks:write', label: 'Change webhooks', from: 'editor' },
    { name: 'webhooks:rotate', label: 'Rotate secrets', from: 'admin' },
    { name: 'webhooks:delete', label: 'Delete webhooks', from: 'admin' }
  ]],
  ['Events', [
    { name: 'events:read', label: 'Read and export events', from: 'viewer' },
    { name: 'stats:read', label: 'Read statistics', from: 'viewer' },
    { name: 'events:replay', label: 'Replay and delete refused events', from: 'editor' }
  ]],
  ['Embeds', [
    { name: 'embeds:read', label: 'Read embeds', from: 'viewer' },
    { name: 'embeds:revoke', label: 'Revoke embeds', from: 'admin' }
  ]],
  ['Administration', [
    { name: 'audit:read', label: 'Read the audit log and notices', from: 'admin' },
    { name: 'scim:manage', label: 'Provision users by SCIM', from: 'admin' },
    { name: null, label: 'Manage users and invitations', from: 'admin' },
    { name: null, label: 'Manage API keys', from: 'admin' },
    { name: null, label: 'Change or invite owners', from: 'owner' },
    { name: null, label: 'Change single sign-on and SCIM settings', from: 'owner' },
    { name: null, label: 'Change the organisation', from: 'owner' }
  ]]
]

const RANKS: readonly Role[] = ['viewer', 'editor', 'admin', 'owner']

/** Returns whether a role includes the permissions of another one. */
export function includes (role: Role, lowest: Role): boolean {
  return RANKS.indexOf(role) >= RANKS.indexOf(lowest)
}
