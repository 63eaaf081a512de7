import type { Page, PageRequest } from '../page.js'

export type RevocationKind = 'user' | 'tenant' | 'dashboard'

/** A user, tenant or dashboard that may have been revoked. */
export interface RevocationSubject {
  readonly kind: RevocationKind
  /** The id of the user, tenant or dashboard. */
  readonly subject: string
}

/** A cut-off for one subject: what hangs on something issued before it is worth nothing any more. */
export interface Revocation {
  id: string
  orgId: string
  kind: RevocationKind
  /** The id of the user, tenant or dashboard. */
  subject: string
  /** The cut-off, epoch milliseconds; one that lies ahead is a block until then. */
  before: number
  /** When the cut-off was set, epoch milliseconds. */
  createdAt: number
  /** The id of the administrator who set it. */
  createdBy: string | null
}

/** The cut-off of one subject as caches keep it; `before` is 0 for a subject without one. */
export interface Cutoff { readonly before: number }

export type NewRevocation = Omit<Revocation, 'id' | 'createdAt'>

export interface RevocationFilter {
  kind?: RevocationKind | undefined
  subject?: string | undefined
}

/** Who gets no embed any more, by the organisation, the kind and the id: compared as they are, one entry each, kept until it is lifted. */
export interface Revocations {
  /**
   * Sets a cut-off or raises the one that is there; one that is as high or higher already stays as it is, and is what resolves. Rejects
   * with `INVALID_REQUEST` for a subject that is empty or over 256 characters.
   */
  revoke (revocation: NewRevocation): Promise<Revocation>
  /** Removes an entry, and resolves with it; `null` if the organisation has none of that id. */
  lift (orgId: string, id: string): Promise<Revocation | null>
  /** By when the cut-offs were set, newest first. */
  list (orgId: string, filter: RevocationFilter, page: PageRequest): Promise<Page<Revocation>>
  /** The cut-off of one subject, epoch milliseconds; 0: there is none. Cached as `sources.resolve` is. */
  cutoff (orgId: string, kind: RevocationKind, subject: string): number | Promise<number>
  /** The cut-offs of several subjects, in their order. Those that are not cached are looked up together: by one statement, in a database. */
  cutoffs (orgId: string, subjects: readonly RevocationSubject[]): readonly number[] | Promise<readonly number[]>
}
