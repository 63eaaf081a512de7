import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import type { Role } from '../../api/session.ts'
import { allPages } from '../../api/all-pages.ts'

export type Domain = Reply<'get', 'sso-domains/{id}'>
export type Kind = 'oidc' | 'saml'

export interface Roles {
  claim: string | null
  mapping: ReadonlyArray<{ value: string, role: Role }>
  /** `null`: no access. */
  fallback: Role | null
}

// The document of the API leaves these members open.
export type Provider = Omit<Reply<'get', 'identity-providers/{id}'>, 'roles'> & { roles: Roles }

export const PROTOCOLS: Readonly<Record<Kind, string>> = { oidc: 'OpenID Connect', saml: 'SAML 2.0' }

/** The email domains of the organisation: few, so that pages show all of them. */
export async function loadDomains (signal: AbortSignal): Promise<Domain[]> {
  return await allPages((page) => call('get', 'sso-domains', { query: page, signal }))
}

export function isProved ({ verified_at: verifiedAt }: Domain): boolean {
  return verifiedAt !== null
}
