import type { FastifyRequest } from 'fastify'

import { FORBIDDEN } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import type { TokenStore, User, VerifiedDomain } from '../../../contracts/token-store/index.js'

/** Returns the domain of the host's configuration; `null` if it does not name the domain. */
export type ConfiguredDomains = (domain: string) => VerifiedDomain | null

/** Decides about logins without an identity provider. */
export interface SsoLoginPolicy {
  /**
   * Throws `FORBIDDEN` if the organisation requires its identity provider for the domain of the user's email. An owner
   * passes, so that a broken provider does not lock everybody out: `'break-glass'`.
   */
  check (request: FastifyRequest, user: User): Promise<'allowed' | 'break-glass'>
  /**
   * Returns the same error for a failed password login with an email, so that the response does not tell whether the
   * password was right; `null` if passwords of the domain work.
   */
  refusalOf (email: string, orgId: string | undefined): Promise<GatehouseError | null>
  /**
   * Throws `FORBIDDEN` for a user who may not change an email: as a member, no owner, of the organisation that requires
   * its provider for the domain. Otherwise passwords would work again with an email of another domain.
   */
  checkEmailChange (userId: string, email: string): Promise<void>
}

export function ssoLoginPolicy (
  { ssoDomains, members }: TokenStore,
  configured: () => ConfiguredDomains | null
): SsoLoginPolicy {
  async function requiringOrganisation (email: string): Promise<string | null> {
    const domain = domainOf(email)
    const found = configured()?.(domain) ?? await ssoDomains.findVerified(domain)
    return found?.sso === 'required' ? found.orgId : null
  }

  return {
    async check (request, { orgId, email, role }) {
      if (await requiringOrganisation(email) !== orgId) return 'allowed'
      if (role !== 'owner') throw refusal()
      request.log.warn({ orgId }, 'an owner logged in without the identity provider that the organisation requires')
      return 'break-glass'
    },

    async refusalOf (email, orgId) {
      const requiring = await requiringOrganisation(email)
      return requiring === null || (orgId !== undefined && orgId !== requiring) ? null : refusal()
    },

    async checkEmailChange (userId, email) {
      const requiring = await requiringOrganisation(email)
      const member = requiring === null ? null : await members.get(requiring, userId)
      if (member === null || member.role === 'owner') return
      throw new FORBIDDEN({
        message: 'Your organisation manages this email, because it requires its identity provider for the domain',
        reason: 'the organisation requires single sign-on for the domain of the email'
      })
    }
  }
}

/** Returns the domain of an email in lower case. */
export function domainOf (email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase()
}

function refusal (): GatehouseError {
  return new FORBIDDEN({
    message: "Log in through your organisation's identity provider",
    reason: 'the organisation requires single sign-on for the domain of the email'
  })
}
