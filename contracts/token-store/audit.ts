import type { Page, PageRequest } from '../page.js'

/** One entry of the audit log. */
export interface AuditEntry {
  /** Unique. The caller generates it, so that it can add repeats to the entry later. */
  id: string
  orgId: string
  /** `source.created`, `auth.login_failed`, … */
  action: string
  userId: string | null
  userEmail: string | null
  resourceType: string | null
  resourceId: string | null
  /** The changes of the action. JSON-serialisable; never contains a secret. */
  changes: Record<string, unknown> | null
  ipAddress: string | null
  userAgent: string | null
  /** Epoch milliseconds. */
  timestamp: number
}

/** Selects audit entries; a property that is left out matches every entry. */
export interface AuditFilter {
  action?: string | undefined
  /** Matches entries with any of these actions. */
  actions?: readonly string[] | undefined
  userId?: string | undefined
  resourceType?: string | undefined
  resourceId?: string | undefined
  /** Earliest `timestamp`, epoch milliseconds, inclusive. */
  from?: number | undefined
  /** Latest `timestamp`, epoch milliseconds, inclusive. */
  to?: number | undefined
}

/** The audit log, append-only. */
export interface AuditTrail {
  /** Adds entries. */
  append (entries: readonly AuditEntry[]): Promise<void>
  /** Sets `changes.repeats` of an entry: how many more equal actions happened within the same minute. */
  addRepeats (id: string, repeats: number): Promise<void>
  /** Lists the entries of an organisation, newest first. */
  list (orgId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>>
}
