import type { Page, PageRequest } from '../page.js'
import type { Role } from './users.js'

/** An API key, as the admin API shows it. */
export interface ApiKey {
  id: string
  orgId: string
  name: string
  /** The first characters of the current key. */
  prefix: string
  role: Role
  /** The permissions that limit the role; `null` for all permissions of the role. */
  permissions: string[] | null
  /** When the key expires, epoch milliseconds; `null` for never. */
  expiresAt: number | null
  /** When the key was last used, epoch milliseconds, with the precision of `touch`; `null` for never. */
  lastUsedAt: number | null
  /** Id of the user who created the key. */
  createdBy: string
  /** Epoch milliseconds. */
  createdAt: number
}

/** An API key to create. */
export interface NewApiKey extends Omit<ApiKey, 'id' | 'lastUsedAt' | 'createdAt'> {
  /** Hex SHA-256 of the key. The key itself is never stored. */
  digest: string
  /** Maximum number of keys of the organisation that have not expired, the new key included. Default: no limit. */
  quota?: number | undefined
}

/** The data that a request with an API key needs. Frozen and shared by all requests. */
export interface ApiKeyAccess {
  readonly id: string
  readonly orgId: string
  readonly role: Role
  readonly permissions: readonly string[] | null
  /** When the presented key stops working: at its expiry or the end of its overlap; `null` for never. */
  readonly endsAt: number | null
}

/** The API keys of programs. */
export interface ApiKeys {
  /**
   * Creates a key. Rejects with `CONFLICT` if the digest is taken, and where the organisation has `quota` keys or more
   * that have not expired, concurrent calls included.
   */
  create (key: NewApiKey): Promise<ApiKey>
  get (orgId: string, id: string): Promise<ApiKey | null>
  /** Lists the keys of an organisation by `createdAt`, newest first. Expired keys are listed for 30 more days. */
  list (orgId: string, page: PageRequest): Promise<Page<ApiKey>>
  rename (orgId: string, id: string, name: string): Promise<ApiKey | null>
  /**
   * Replaces the digest. The previous digest resolves until `overlapUntil`, epoch milliseconds; older digests end now.
   * Resolves with `null` for an expired key. Rejects with `CONFLICT` if the digest is taken.
   */
  rotate (
    orgId: string,
    id: string,
    next: { digest: string, prefix: string, overlapUntil: number }
  ): Promise<ApiKey | null>
  /** Deletes a key and resolves with it. */
  revoke (orgId: string, id: string): Promise<ApiKey | null>
  /**
   * Returns the access data of a key by its digest; `null` for an unknown or expired key. Cached as `sources.resolve`
   * is.
   */
  resolve (digest: string): ApiKeyAccess | null | Promise<ApiKeyAccess | null>
  /** Sets `lastUsedAt` of keys, unless it is later already. Ignores unknown ids. */
  touch (uses: ReadonlyArray<{ id: string, at: number }>): Promise<void>
}
