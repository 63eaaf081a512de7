import { EXPIRED_KEYS_KEPT_FOR } from '../limits.js'
import {
  assertFreeName, assertNamed, assertNotExpired, assertRoomForKey, earlier, newSourceKeyId,
  patchedKey
} from '../source-key-rules.js'
import type {
  EndingKey, NewSourceKey, Source, SourceKey, SourceKeyPatch,
  SourceKeys
} from '../../../contracts/token-store/index.js'
import { retire } from './pipeline-keys.js'
import type { PipelineKeys } from './pipeline-keys.js'

export interface KeySources {
  /** Returns the current source with an id. */
  find: (id: string) => Source | null
  /** Called when a key of a source was changed; `rotated` if the source's own key was replaced. */
  keyChanged: (id: string, rotated?: string) => void
}

export class MemorySourceKeys implements SourceKeys {
  readonly #now: () => number
  readonly #keys: PipelineKeys
  readonly #sources: KeySources

  constructor (now: () => number, keys: PipelineKeys, sources: KeySources) {
    this.#now = now
    this.#keys = keys
    this.#sources = sources
  }

  async list (orgId: string, sourceId: string): Promise<SourceKey[] | null> {
    return this.#hasSource(orgId, sourceId) ? this.#keys.list(sourceId) : null
  }

  async get (orgId: string, sourceId: string, id: string): Promise<SourceKey | null> {
    return this.#find(orgId, sourceId, id)
  }

  async create (orgId: string, sourceId: string, fresh: NewSourceKey): Promise<SourceKey | null> {
    if (!this.#hasSource(orgId, sourceId)) return null
    const { pipelineKey, quota: _quota, ...named } = fresh
    assertRoomForKey(this.#keys.list(sourceId), fresh)
    const id = newSourceKeyId()
    this.#keys.take({ pipelineKey, orgId, sourceId, id, named, createdAt: this.#now() })
    this.#sources.keyChanged(sourceId)
    return this.#find(orgId, sourceId, id)
  }

  async update (orgId: string, sourceId: string, id: string, patch: SourceKeyPatch): Promise<SourceKey | null> {
    const key = this.#find(orgId, sourceId, id)
    if (key === null) return null
    assertNamed(key)
    const { name, domains, enabled, expiresAt } = patchedKey(key, patch)
    if (name !== null && name !== key.name) assertFreeName(this.#keys.list(sourceId), name, id)
    for (const record of this.#keys.of(sourceId)) {
      if (record.name !== key.name) continue
      const ends = record.id === null ? earlier(record.expiresAt, expiresAt) : expiresAt
      Object.assign(record, { name, domains: domains === null ? null : [...domains], enabled, expiresAt: ends })
    }
    this.#sources.keyChanged(sourceId)
    return this.#find(orgId, sourceId, id)
  }

  async rotate (
    orgId: string,
    sourceId: string,
    id: string,
    next: { pipelineKey: string, overlapUntil: number }
  ): Promise<SourceKey | null> {
    const key = this.#find(orgId, sourceId, id)
    if (key === null) return null
    assertNotExpired(key, this.#now())
    this.#keys.replace(orgId, key, next)
    this.#sources.keyChanged(sourceId, key.name === null ? next.pipelineKey : undefined)
    return this.#find(orgId, sourceId, id)
  }

  async delete (orgId: string, sourceId: string, id: string): Promise<SourceKey | null> {
    const key = this.#find(orgId, sourceId, id)
    if (key === null) return null
    assertNamed(key)
    for (const record of this.#keys.of(sourceId)) if (record.name === key.name) retire(record)
    this.#sources.keyChanged(sourceId)
    return key
  }

  async touch (uses: ReadonlyArray<{ pipelineKey: string, at: number }>): Promise<void> {
    for (const { pipelineKey, at } of uses) {
      const record = this.#keys.get(pipelineKey)
      if (record !== undefined) record.lastUsedAt = Math.max(record.lastUsedAt ?? at, at)
    }
  }

  async ending (
    { orgId, before, limit }: { orgId?: string | undefined, before: number, limit: number }
  ): Promise<EndingKey[]> {
    const now = this.#now()
    return Array.from(this.#keys.all()).flatMap((record) => {
      const { enabled, expiresAt, sourceId, name } = record
      const source = sourceId === null ? null : this.#sources.find(sourceId)
      if (source === null || !enabled || expiresAt === null || expiresAt <= now || expiresAt > before) return []
      if (orgId !== undefined && source.orgId !== orgId) return []
      return [{
        orgId: source.orgId, sourceId: source.id, sourceName: source.name, name, replaced: record.id === null, expiresAt
      }]
    }).sort((one, other) => one.expiresAt - other.expiresAt).slice(0, limit)
  }

  sweep (): void {
    const before = this.#now() - EXPIRED_KEYS_KEPT_FOR
    for (const record of this.#keys.all()) {
      if (record.name !== null && record.expiresAt !== null && record.expiresAt <= before) retire(record)
    }
  }

  #hasSource (orgId: string, sourceId: string): boolean {
    return this.#sources.find(sourceId)?.orgId === orgId
  }

  #find (orgId: string, sourceId: string, id: string): SourceKey | null {
    if (!this.#hasSource(orgId, sourceId)) return null
    return this.#keys.list(sourceId).find((key) => key.id === id) ?? null
  }
}
