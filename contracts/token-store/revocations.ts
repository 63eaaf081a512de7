import type { Page, PageRequest } from '../page.js'

/** The kind of subject that a revocation applies to. */
export type RevocationKind = 'user' | 'tenant' | 'dashboard'

/** The user, tenant or dashboard that a revocation applies to. */
export interface RevocationSubject {
  readonly kind: RevocationKind
  /** The id of the user, tenant or dashboard. */
  readonly subject: string
}

/** Revokes the embeds of one subject: everything issued before the cut-off time is refused. */
export interface Revocation {
  id: string
  orgId: string
  kind: RevocationKind
  /** The id of the user, tenant or dashboard. */
  subject: string
  /** The cut-off, epoch milliseconds. A cut-off in the future blocks the subject until then. */
  before: number
  /** When the cut-off was set, epoch milliseconds. */
  createdAt: number
  /** The id of the administrator that set the cut-off; `null` if no administrator did. */
  createdBy: string | null
}

/** The cached cut-off of one subject; `before` is 0 for a subject without a cut-off. */
export interface Cutoff { readonly before: number }

/** The properties that `revoke` takes; the store adds the others. */
export type NewRevocation = Omit<Revocation, 'id' | 'createdAt'>

/** Selects revocations; a property that is left out matches every revocation. */
export interface RevocationFilter {
  kind?: RevocationKind | undefined
  subject?: string | undefined
}

/**
 * Cut-offs of users, tenants and dashboards that get no more embeds. An entry is identified by organisation, kind and
 * subject id (compared exactly), and is kept until it is lifted.
 */
export interface Revocations {
  /**
   * Sets the cut-off of a subject, or raises an existing lower one; resolves with the entry that applies. Rejects
   * with `INVALID_REQUEST` for a subject that is empty or longer than 256 characters.
   */
  revoke (revocation: NewRevocation): Promise<Revocation>
  /** Removes an entry and resolves with it; `null` if the organisation has no entry with this id. */
  lift (orgId: string, id: string): Promise<Revocation | null>
  /** Lists the entries of an organisation by `createdAt`, newest first. */
  list (orgId: string, filter: RevocationFilter, page: PageRequest): Promise<Page<Revocation>>
  /** Returns the cut-off of one subject, epoch milliseconds; 0 if it has none. Cached as `sources.resolve` is. */
  cutoff (orgId: string, kind: RevocationKind, subject: string): number | Promise<number>
  /** Returns the cut-offs of several subjects, in their order. A database looks up uncached ones in one statement. */
  cutoffs (orgId: string, subjects: readonly RevocationSubject[]): readonly number[] | Promise<readonly number[]>
}
