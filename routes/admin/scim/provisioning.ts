import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CONFLICT } from '../../../lib/errors.js'
import type { Role, ScimUser } from '../../../contracts/token-store/index.js'
import { changeableBy } from '../users/members.js'
import { assertNotAbove, assertProved, keyOf, orNotFound } from './context.js'
import { documentOf, emailOf, flatten } from './documents.js'
import type { UserDocument } from './documents.js'
import { conflictsAs, invalid } from './errors.js'
import type { Attributes } from './values.js'

/** The changes of provisioned users. They belong to the organisation of the API key that sends the request. */
export interface Provisioning {
  /** Creates a user, or provisions a member who was not provisioned before. */
  create (request: FastifyRequest, document: UserDocument): Promise<ScimUser>
  /** Changes a user to what `edit` returns. */
  change (request: FastifyRequest, id: string, edit: (present: UserDocument) => UserDocument): Promise<ScimUser>
  /** Removes the user from the organisation. */
  remove (request: FastifyRequest, id: string): Promise<void>
}

/** How often a change is repeated that another change has overtaken. */
const MAX_TRIES = 5

export function provisioning (scope: FastifyInstance): Provisioning {
  const { scim, members, users } = scope.tokenStore

  async function assertNameIsFree (orgId: string, userName: string): Promise<void> {
    const query = { filter: [{ field: 'userName', operator: 'eq', value: userName } as const], offset: 0, limit: 0 }
    const { total } = await scim.listUsers(orgId, query)
    if (total > 0) {
      await conflictsAs('uniqueness', Promise.reject(new CONFLICT({ message: 'Another user has this userName' })))
    }
  }

  async function setActive (orgId: string, userId: string, active: boolean, role: Role): Promise<void> {
    const change = members.update(orgId, userId, { disabled: !active }, changeableBy(role))
    orNotFound(await conflictsAs('mutability', change))
  }

  /** Replaces the email of the account; resolves with `false` if it has changed in between. */
  async function replaceEmail (orgId: string, { userId, email: from }: ScimUser, to: string): Promise<boolean> {
    await assertProved(scope, orgId, from)
    await assertProved(scope, orgId, to)
    return await conflictsAs('uniqueness', users.replaceEmail(userId, { from, to }))
  }

  return {
    async create (request, document) {
      const { orgId, role: keyRole } = keyOf(request)
      const { userName, externalId, attributes, active } = document
      const email = emailOf(document)
      if (email === null) throw invalid('invalidValue', 'A user needs a work email, or a userName that is an email')
      await assertProved(scope, orgId, email)
      const { defaultRole } = await scim.settings(orgId)
      assertNotAbove(defaultRole, keyRole)
      await assertNameIsFree(orgId, userName)
      const { member, created } = await members.provision({ orgId, email, role: defaultRole })
      const { userId, role, disabled } = member
      if (created === null) assertNotAbove(role, keyRole)
      try {
        await conflictsAs('uniqueness', scim.createUser({ orgId, userId, userName, externalId, attributes }))
      } catch (error) {
        // A concurrent request may have provisioned the same member.
        if (created !== null && await scim.getUser(orgId, userId) === null) await members.remove(orgId, userId)
        throw error
      }
      if (active === disabled) await setActive(orgId, userId, active, keyRole)
      scope.audit({
        action: 'user.provisioned',
        request,
        resourceType: 'user',
        resourceId: userId,
        changes: { email, user_name: userName, role, active, adopted: created === null }
      })
      return orNotFound(await scim.getUser(orgId, userId))
    },

    async change (request, id, edit) {
      const { orgId, role: keyRole } = keyOf(request)
      const changes: Record<string, unknown> = {}
      try {
        for (let tries = 0; tries < MAX_TRIES; tries++) {
          const user = orNotFound(await scim.getUser(orgId, id))
          assertNotAbove(user.role, keyRole)
          const before = documentOf(user)
          const after = edit(before)
          const { active, ...fields } = after
          if (fields.userName.toLowerCase() !== user.userName.toLowerCase()) {
            await assertNameIsFree(orgId, fields.userName)
          }
          const email = emailOf(after)
          if (email !== null && email !== emailOf(before) && email !== user.email) {
            if (!await replaceEmail(orgId, user, email)) continue
            changes.email = { from: user.email, to: email }
          }
          if (active !== before.active) {
            await setActive(orgId, id, active, keyRole)
            changes.disabled = { from: user.disabled, to: !active }
          }
          const names = changedNames(before, after)
          if (names.length === 0) return orNotFound(await scim.getUser(orgId, id))
          const change = scim.updateUser(orgId, id, { ...fields, version: user.version })
          const changed = orNotFound(await conflictsAs('uniqueness', change))
          if (changed === 'stale') continue
          changes.attributes = names
          return changed
        }
        throw new CONFLICT({ message: 'The user is being changed by other requests; try again' })
      } finally {
        if (Object.keys(changes).length > 0) {
          const isDisabled = 'disabled' in changes && (changes.disabled as { to: boolean }).to
          const action = isDisabled ? 'user.disabled' : 'user.updated'
          scope.audit({ action, request, resourceType: 'user', resourceId: id, changes })
        }
      }
    },

    async remove (request, id) {
      const { orgId, role: keyRole } = keyOf(request)
      const user = orNotFound(await scim.getUser(orgId, id))
      assertNotAbove(user.role, keyRole)
      const { email, role } = orNotFound(
        await conflictsAs('mutability', members.remove(orgId, id, changeableBy(keyRole)))
      )
      scope.audit({ action: 'user.deleted', request, resourceType: 'user', resourceId: id, changes: { email, role } })
    }
  }
}

/** Returns the names of the stored attributes that differ. */
function changedNames (before: UserDocument, after: UserDocument): string[] {
  const [one, other] = [{ ...flatten(before), active: null }, { ...flatten(after), active: null }] as const
  const names = new Set(Object.keys({ ...one, ...other }))
  const valueOf = (document: Attributes, name: string) => JSON.stringify(document[name])
  return Array.from(names).filter((name) => valueOf(one, name) !== valueOf(other, name))
}
