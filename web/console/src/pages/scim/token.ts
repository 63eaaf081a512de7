import type { Reply } from '../../api/paths.ts'

export type Token = Reply<'get', 'keys/{id}'>

const PERMISSION = 'scim:manage'

/** Whether an API key was created for a directory: it has the one permission. */
export function isOfDirectory ({ permissions }: Token): boolean {
  return permissions?.length === 1 && permissions[0] === PERMISSION
}

/** Whether an API key may provision: a key without a list has all permissions of its role. */
export function mayProvision ({ permissions, role, expires_at: end }: Token): boolean {
  const isAlive = end === null || Date.parse(end) > Date.now()
  return isAlive && ['owner', 'admin'].includes(role) && (permissions === null || permissions.includes(PERMISSION))
}
