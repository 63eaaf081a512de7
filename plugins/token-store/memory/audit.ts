import { newestFirst } from './newest-first.js'
import type { AuditEntry, AuditFilter, AuditTrail, Page, PageRequest } from '../store.js'

const MAX_ENTRIES = 10_000

/** Its changes as JSON: a copy that nobody else can alter, and that is made for each entry but seldom read. */
type KeptEntry = Omit<AuditEntry, 'changes'> & { changes: string | null }

/** Keeps the newest 10 000 entries. */
export class MemoryAudit implements AuditTrail {
  #entries = new Map<string, { sequence: number, item: KeptEntry }>()
  #sequence = 0

  async append (entries: readonly AuditEntry[]): Promise<void> {
    for (const entry of entries) {
      if (!this.#entries.has(entry.id)) this.#entries.set(entry.id, { sequence: ++this.#sequence, item: kept(entry) })
    }
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES) break
      this.#entries.delete(id)
    }
  }

  async addRepeats (id: string, repeats: number): Promise<void> {
    const entry = this.#entries.get(id)?.item
    if (entry !== undefined) entry.changes = JSON.stringify({ ...changesOf(entry), repeats })
  }

  async list (orgId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>> {
    const placed = Array.from(this.#entries.values())
      .filter(({ item }) => item.orgId === orgId && matches(item, filter))
      .map(({ sequence, item }) => ({ at: { timestamp: item.timestamp, sequence }, item }))
    return newestFirst(placed, page, (entry) => ({ ...entry, changes: changesOf(entry) }))
  }

  sweep (olderThan: number): void {
    for (const [id, { item }] of this.#entries) {
      if (item.timestamp < olderThan) this.#entries.delete(id)
    }
  }
}

function kept (entry: AuditEntry): KeptEntry {
  return { ...entry, changes: entry.changes === null ? null : JSON.stringify(entry.changes) }
}

function changesOf ({ changes }: KeptEntry): AuditEntry['changes'] {
  return changes === null ? null : JSON.parse(changes) as Record<string, unknown>
}

function matches (entry: KeptEntry, { action, actions, userId, resourceType, resourceId, from, to }: AuditFilter): boolean {
  return (action === undefined || entry.action === action) &&
    (actions === undefined || actions.includes(entry.action)) &&
    (userId === undefined || entry.userId === userId) &&
    (resourceType === undefined || entry.resourceType === resourceType) &&
    (resourceId === undefined || entry.resourceId === resourceId) &&
    (from === undefined || entry.timestamp >= from) &&
    (to === undefined || entry.timestamp <= to)
}
