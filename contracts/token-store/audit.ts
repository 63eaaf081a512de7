import type { Page, PageRequest } from '../page.js'

export interface AuditEntry {
  /** Unique; made by the caller, so that repeats can be added to it. */
  id: string
  orgId: string
  /** `source.created`, `auth.login_failed`, … */
  action: string
  userId: string | null
  userEmail: string | null
  resourceType: string | null
  resourceId: string | null
  /** JSON-serialisable; never a secret. */
  changes: Record<string, unknown> | null
  ipAddress: string | null
  userAgent: string | null
  /** Epoch milliseconds. */
  timestamp: number
}

export interface AuditFilter {
  action?: string | undefined
  /** Any of these. */
  actions?: readonly string[] | undefined
  userId?: string | undefined
  resourceType?: string | undefined
  resourceId?: string | undefined
  /** Epoch milliseconds, inclusive. */
  from?: number | undefined
  to?: number | undefined
}

/** Append-only. */
export interface AuditTrail {
  append (entries: readonly AuditEntry[]): Promise<void>
  /** Says in `changes.repeats` of an entry how many more of the same came within its minute. */
  addRepeats (id: string, repeats: number): Promise<void>
  list (orgId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>>
}
