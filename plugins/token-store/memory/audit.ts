import { newestFirst } from './newest-first.js'
import type { AuditEntry, AuditFilter, AuditTrail, Page, PageRequest } from '../../../contracts/token-store/index.js'

const MAX_ENTRIES = 10_000

/** An entry with its changes as JSON: a copy that callers cannot modify, cheap to create and rarely read. */
type StoredEntry = Omit<AuditEntry, 'changes'> & { changes: string, sequence: number }

/** The audit log in memory: the newest 10 000 entries. */
export class MemoryAudit implements AuditTrail {
  readonly #entries = new Map<string, StoredEntry>()
  #sequence = 0

  async append (entries: readonly AuditEntry[]): Promise<void> {
    for (const entry of entries) {
      if (!this.#entries.has(entry.id)) {
        this.#entries.set(entry.id, {
          ...entry,
          changes: JSON.stringify(entry.changes ?? null),
          sequence: ++this.#sequence
        })
      }
    }
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES) break
      this.#entries.delete(id)
    }
  }

  async addRepeats (id: string, repeats: number): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.changes = JSON.stringify({ ...parseChanges(entry.changes), repeats })
  }

  async list (orgId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>> {
    const positioned = Array.from(this.#entries.values())
      .filter((entry) => entry.orgId === orgId && matches(entry, filter))
      .map((item) => ({ position: item, item }))
    return newestFirst(
      positioned,
      page,
      ({ sequence, ...entry }) => ({ ...entry, changes: parseChanges(entry.changes) })
    )
  }

  sweep (olderThan: number): void {
    for (const [id, { timestamp }] of this.#entries) {
      if (timestamp < olderThan) this.#entries.delete(id)
    }
  }
}

function parseChanges (changes: string): AuditEntry['changes'] {
  return JSON.parse(changes) as AuditEntry['changes']
}

function matches (
  entry: StoredEntry,
  { action, actions, userId, resourceType, resourceId, from, to }: AuditFilter
): boolean {
  return (action === undefined || entry.action === action) &&
    (actions === undefined || actions.includes(entry.action)) &&
    (userId === undefined || entry.userId === userId) &&
    (resourceType === undefined || entry.resourceType === resourceType) &&
    (resourceId === undefined || entry.resourceId === resourceId) &&
    (from === undefined || entry.timestamp >= from) &&
    (to === undefined || entry.timestamp <= to)
}
