import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CONFLICT } from '../../../lib/errors.js'
import type { Member, User, VerifiedDomain } from '../../../contracts/token-store/index.js'
import { domainOf } from '../auth/sso-login-policy.js'
import { emailOf } from './domain-name.js'
import type { ProvenIdentity, SsoFailure, SsoProvider } from './protocol.js'
import { changedRole, roleOf } from './role.js'

/** Thrown for a person who gets no session. `detail` is for the log and the audit trail. */
export class SsoRefusal extends Error {
  readonly failure: SsoFailure

  constructor (failure: SsoFailure, detail: string) {
    super(detail)
    this.failure = failure
  }
}

interface AccountParts {
  /** Returns the organisation that may log in users of a domain; `null` for none. */
  findDomain: (domain: string) => Promise<VerifiedDomain | null>
}

/**
 * Finds, links or creates the account of a person. An account is linked or created only by an email that the provider
 * confirms and whose domain the provider's organisation has proved. Rejects with `SsoRefusal`.
 */
export function ssoAccounts (scope: FastifyInstance, { findDomain }: AccountParts) {
  const { identities, members, users } = scope.tokenStore

  return async function accountOf (
    request: FastifyRequest,
    provider: SsoProvider,
    identity: ProvenIdentity
  ): Promise<User> {
    const { orgId } = provider
    const email = await confirmedEmail(provider, identity)
    const role = roleOf(provider.roles, identity.roleValues)
    if (role === null) throw new SsoRefusal('not_allowed', 'no value of the role claim gives access')
    const known = await identities.find(provider.id, identity.subject)
    // The provider may have renamed a known person; the account keeps its own email.
    const account = known === null ? null : await users.get(known.userId)
    if (account !== null) await assertMayJoin(provider, account)
    const { member, created } = await provision(orgId, account?.email ?? email, role)
    if (known !== null && member.userId !== known.userId) {
      throw new SsoRefusal('not_allowed', 'the email of the account belongs to another user')
    }
    if (member.disabled) throw new SsoRefusal('not_allowed', 'disabled')
    await link(provider, identity.subject, member)
    const record = { request, orgId, userId: member.userId, userEmail: member.email, resourceType: 'user' }
    const changes = { provider_id: provider.id, role: member.role }
    if (created !== null) {
      scope.audit({ ...record, action: 'user.provisioned', resourceId: member.userId, changes })
    } else if (known === null) {
      scope.audit({ ...record, action: 'user.identity_linked', resourceId: member.userId, changes })
    }
    if (created === null) await updateRole(request, provider, member, role)
    const user = await users.get(member.userId, orgId)
    if (user === null || user.disabled) throw new SsoRefusal('not_allowed', 'removed during the login')
    return user
  }

  async function confirmedEmail ({ orgId }: SsoProvider, identity: ProvenIdentity): Promise<string> {
    const address = emailOf(identity.email)
    if (address === null) throw new SsoRefusal('email_not_verified', 'the provider sent no usable email')
    if (!identity.isEmailVerified) throw new SsoRefusal('email_not_verified', 'the provider does not confirm the email')
    const proved = await findDomain(address.domain)
    if (proved?.orgId === orgId) return address.email
    throw new SsoRefusal('email_not_verified', 'the organisation has not proved the domain of the email')
  }

  /** A former member who has moved to an email of another domain does not become a member again. */
  async function assertMayJoin ({ orgId }: SsoProvider, { id, email }: User): Promise<void> {
    if (await members.get(orgId, id) !== null || (await findDomain(domainOf(email)))?.orgId === orgId) return
    throw new SsoRefusal('not_allowed', 'a former member whose email has another domain')
  }

  async function provision (orgId: string, email: string, role: Member['role']) {
    try {
      return await members.provision({ orgId, email, role })
    } catch (error) {
      if (error instanceof CONFLICT) throw new SsoRefusal('not_allowed', error.message)
      throw error
    }
  }

  async function link ({ id, orgId }: SsoProvider, subject: string, { userId }: Member): Promise<void> {
    try {
      await identities.link({ providerId: id, subject, orgId, userId })
    } catch (error) {
      if (error instanceof CONFLICT) throw new SsoRefusal('not_allowed', 'the account is linked to another identity')
      throw error
    }
  }

  async function updateRole (
    request: FastifyRequest,
    { id, orgId, roles }: SsoProvider,
    { userId, email, role: from }: Member,
    mapped: Member['role']
  ): Promise<void> {
    const to = changedRole(roles, from, mapped)
    if (to === from) return
    try {
      await members.update(orgId, userId, { role: to })
    } catch (error) {
      // The last owner stays owner, whatever the provider says.
      if (!(error instanceof CONFLICT)) throw error
      request.log.warn({ orgId, userId, from, to }, 'the role from the identity provider was not applied')
      return
    }
    scope.audit({
      action: 'user.updated',
      request,
      orgId,
      userId,
      userEmail: email,
      resourceType: 'user',
      resourceId: userId,
      changes: { role: { from, to }, provider_id: id }
    })
  }
}

export type AccountOf = ReturnType<typeof ssoAccounts>
