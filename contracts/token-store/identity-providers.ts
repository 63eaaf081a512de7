import type { Page, PageRequest } from '../page.js'
import type { Role } from './users.js'

/** The protocol of an identity provider. */
export type ProviderKind = 'oidc' | 'saml'

/** How the claims or attributes of a login become a role. */
export interface RoleRules {
  /** Name of the claim or attribute whose values are looked up in `mapping`; `null` for none. */
  claim: string | null
  /** The highest role of all matching values applies. */
  mapping: ReadonlyArray<{ value: string, role: Role }>
  /** The role of a user without a matching value; `null` refuses the login. */
  fallback: Role | null
}

/** An identity provider of one organisation, without its secrets. */
export interface IdentityProvider {
  id: string
  orgId: string
  kind: ProviderKind
  name: string
  enabled: boolean
  /** Settings of the protocol, such as the issuer; validated by the plugin of the protocol. */
  settings: Record<string, unknown>
  roles: RoleRules
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  updatedAt: number
}

/** The properties of an identity provider that can be changed. */
export type IdentityProviderPatch = Partial<Pick<IdentityProvider, 'name' | 'enabled' | 'settings' | 'roles'>>

/** An identity provider to create. */
export interface NewIdentityProvider
  extends Pick<IdentityProvider, 'orgId' | 'kind' | 'name' | 'enabled' | 'settings' | 'roles'> {
  /** The client secret or private key. Default: none. */
  secret?: string | null | undefined
  /** Maximum number of providers of the organisation, the new one included. Default: no limit. */
  quota?: number | undefined
}

/** A provider with its secrets, as a login needs it. */
export interface ResolvedProvider extends IdentityProvider {
  /** The valid secrets, newest first. */
  secrets: string[]
}

/** The identity providers of organisations. Changes take effect at once on every instance: nothing is cached. */
export interface IdentityProviders {
  /** Rejects with `CONFLICT` where the organisation has `quota` providers, concurrent calls included. */
  create (provider: NewIdentityProvider): Promise<IdentityProvider>
  get (orgId: string, id: string): Promise<IdentityProvider | null>
  /** Lists the providers of an organisation by `createdAt`, newest first. */
  list (orgId: string, page: PageRequest): Promise<Page<IdentityProvider>>
  update (orgId: string, id: string, patch: IdentityProviderPatch): Promise<IdentityProvider | null>
  /**
   * Adds a secret. The previous one stays valid until `overlapUntil`, epoch milliseconds; older ones end now. Resolves
   * with `null` if the provider does not exist.
   */
  rotateSecret (
    orgId: string,
    id: string,
    next: { secret: string, overlapUntil: number }
  ): Promise<IdentityProvider | null>
  /** Deletes a provider with its secrets and linked identities, ends its sessions, and resolves with it. */
  delete (orgId: string, id: string): Promise<IdentityProvider | null>
  /** Returns a provider of any organisation with its secrets, for a login. */
  resolve (id: string): Promise<ResolvedProvider | null>
}
