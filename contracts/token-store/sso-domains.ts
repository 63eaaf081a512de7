import type { Page, PageRequest } from '../page.js'

/** Whether passwords of the domain's users work in the organisation. Owners may always use theirs. */
export type SsoPolicy = 'optional' | 'required'

/** An email domain that an organisation claims. */
export interface SsoDomain {
  id: string
  orgId: string
  /** In lower case, international names in punycode. Subdomains are domains of their own. */
  domain: string
  /** The value that proves the domain in DNS. */
  token: string
  /** When the organisation proved the domain, epoch milliseconds; `null` while it has not. */
  verifiedAt: number | null
  sso: SsoPolicy
  /** Epoch milliseconds. */
  createdAt: number
}

/** The organisation that has proved a domain. */
export interface VerifiedDomain {
  orgId: string
  sso: SsoPolicy
}

/** Email domains. Several organisations may claim a domain, one can have proved it. */
export interface SsoDomains {
  /**
   * Adds a domain that is not proved yet. Rejects with `CONFLICT` if the organisation has it already, and where the
   * organisation has `quota` domains, concurrent calls included.
   */
  add (domain: { orgId: string, domain: string, token: string, quota?: number | undefined }): Promise<SsoDomain>
  get (orgId: string, id: string): Promise<SsoDomain | null>
  /** Lists the domains of an organisation by `createdAt`, newest first. */
  list (orgId: string, page: PageRequest): Promise<Page<SsoDomain>>
  /**
   * Marks a domain as proved. A proved domain keeps its time. Rejects with `CONFLICT`, and changes nothing, if another
   * organisation has proved the domain: exactly one of N concurrent calls of N organisations succeeds.
   */
  verify (orgId: string, id: string): Promise<SsoDomain | null>
  update (orgId: string, id: string, patch: { sso: SsoPolicy }): Promise<SsoDomain | null>
  /** Removes a domain and resolves with it. */
  remove (orgId: string, id: string): Promise<SsoDomain | null>
  /** Returns the organisation that has proved a domain. Never cached. */
  findVerified (domain: string): Promise<VerifiedDomain | null>
}
