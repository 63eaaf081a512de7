import { CONFLICT } from '../../../lib/errors.js'
import { EXPIRED_KEYS_KEPT_FOR, newApiKeyId, overQuota } from '../limits.js'
import type {
  ApiKey, ApiKeyAccess, ApiKeys, NewApiKey, Page,
  PageRequest
} from '../../../contracts/token-store/index.js'
import { newestFirst } from './newest-first.js'

interface Digest {
  id: string
  /** When a rotated key stops working, epoch milliseconds; `null` for the current key. */
  overlapUntil: number | null
}

export class MemoryApiKeys implements ApiKeys {
  readonly #now: () => number
  readonly #keys = new Map<string, { key: ApiKey, sequence: number }>()
  readonly #digests = new Map<string, Digest>()
  #sequence = 0

  constructor (now: () => number) {
    this.#now = now
  }

  async create ({ digest, quota, ...fields }: NewApiKey): Promise<ApiKey> {
    if (this.#digests.has(digest)) throw new CONFLICT()
    if (quota !== undefined && this.#countLive(fields.orgId) >= quota) throw overQuota('API keys', quota)
    const { orgId, name, prefix, role, permissions, expiresAt, createdBy } = fields
    const key: ApiKey = {
      id: newApiKeyId(),
      orgId,
      name,
      prefix,
      role,
      permissions: permissions === null ? null : [...permissions],
      expiresAt,
      lastUsedAt: null,
      createdBy,
      createdAt: this.#now()
    }
    this.#keys.set(key.id, { key, sequence: ++this.#sequence })
    this.#digests.set(digest, { id: key.id, overlapUntil: null })
    return structuredClone(key)
  }

  async get (orgId: string, id: string): Promise<ApiKey | null> {
    const key = this.#find(orgId, id)
    return key === null ? null : structuredClone(key)
  }

  async list (orgId: string, page: PageRequest): Promise<Page<ApiKey>> {
    const own = Array.from(this.#keys.values()).filter(({ key }) => key.orgId === orgId)
    const positioned = own.map(({ key, sequence }) => ({ position: { timestamp: key.createdAt, sequence }, item: key }))
    return newestFirst(positioned, page, (key) => structuredClone(key))
  }

  async rename (orgId: string, id: string, name: string): Promise<ApiKey | null> {
    const key = this.#find(orgId, id)
    if (key === null) return null
    key.name = name
    return structuredClone(key)
  }

  async rotate (
    orgId: string,
    id: string,
    { digest, prefix, overlapUntil }: { digest: string, prefix: string, overlapUntil: number }
  ): Promise<ApiKey | null> {
    const key = this.#find(orgId, id)
    if (key === null || !this.#isLive(key)) return null
    if (this.#digests.has(digest)) throw new CONFLICT()
    for (const [old, record] of this.#digests) {
      if (record.id !== id) continue
      if (record.overlapUntil === null && overlapUntil > this.#now()) record.overlapUntil = overlapUntil
      else this.#digests.delete(old)
    }
    this.#digests.set(digest, { id, overlapUntil: null })
    key.prefix = prefix
    return structuredClone(key)
  }

  async revoke (orgId: string, id: string): Promise<ApiKey | null> {
    const key = this.#find(orgId, id)
    if (key !== null) this.#delete(id)
    return key
  }

  resolve (digest: string): ApiKeyAccess | null {
    const record = this.#digests.get(digest)
    const key = record === undefined ? undefined : this.#keys.get(record.id)?.key
    if (record === undefined || key === undefined) return null
    const endsAt = earliest(key.expiresAt, record.overlapUntil)
    if (endsAt !== null && endsAt <= this.#now()) return null
    const { id, orgId, role, permissions } = key
    return Object.freeze({
      id,
      orgId,
      role,
      permissions: permissions === null ? null : Object.freeze([...permissions]),
      endsAt
    })
  }

  async touch (uses: ReadonlyArray<{ id: string, at: number }>): Promise<void> {
    for (const { id, at } of uses) {
      const key = this.#keys.get(id)?.key
      if (key !== undefined) key.lastUsedAt = Math.max(key.lastUsedAt ?? at, at)
    }
  }

  sweep (): void {
    const now = this.#now()
    for (const { key: { id, expiresAt } } of this.#keys.values()) {
      if (expiresAt !== null && expiresAt + EXPIRED_KEYS_KEPT_FOR <= now) this.#delete(id)
    }
    for (const [digest, { overlapUntil }] of this.#digests) {
      if (overlapUntil !== null && overlapUntil <= now) this.#digests.delete(digest)
    }
  }

  #find (orgId: string, id: string): ApiKey | null {
    const key = this.#keys.get(id)?.key
    return key?.orgId === orgId ? key : null
  }

  #isLive ({ expiresAt }: ApiKey): boolean {
    return expiresAt === null || expiresAt > this.#now()
  }

  #countLive (orgId: string): number {
    return Array.from(this.#keys.values()).filter(({ key }) => key.orgId === orgId && this.#isLive(key)).length
  }

  #delete (id: string): void {
    this.#keys.delete(id)
    for (const [digest, record] of this.#digests) {
      if (record.id === id) this.#digests.delete(digest)
    }
  }
}

function earliest (one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}
