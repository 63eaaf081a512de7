import { randomUUID } from 'node:crypto'

import { CONFLICT } from '../../../lib/errors.js'
import { overQuota } from '../limits.js'
import {
  assertKey, copySource, freezeOrigins, freezeResolved, patched, resolvedUntil, serverSecretBytes,
  serverSecretPrefix, settingsOf
} from '../source-settings.js'
import type {
  NewSource, Page, PageRequest, ResolvedSource, Source, SourceOrigins, SourcePatch,
  Sources
} from '../../../contracts/token-store/index.js'
import { newestFirst } from './newest-first.js'

/**
 * A key is never removed, so that it stays with its organisation. `recordId` is `null` for a key that is not in use.
 */
interface Key {
  orgId: string
  recordId: string | null
  expiresAt: number | null
  resolved: ResolvedSource | null
}
interface Secret {
  value: Buffer
  expiresAt: number | null
}
/** `origins` is a cache, `null` until the next use after a change. */
interface SourceRecord {
  source: Source
  sequence: number
  secrets: Secret[]
  origins: SourceOrigins | null
}

export class MemorySources implements Sources {
  readonly #now: () => number
  readonly #onChange: (id: string) => void
  readonly #records = new Map<string, SourceRecord>()
  readonly #keys = new Map<string, Key>()
  #origins: readonly SourceOrigins[] | null = null
  #sequence = 0

  /** @param onChange called with the id of a changed or deleted source */
  constructor (now: () => number, onChange: (id: string) => void) {
    this.#now = now
    this.#onChange = onChange
  }

  async create (fresh: NewSource): Promise<Source> {
    const { orgId, pipelineKey, serverSecret, quota } = fresh
    const value = serverSecretBytes(fresh)
    if (quota !== undefined && this.#of(orgId).length >= quota) throw overQuota('sources', quota)
    this.#assertFree(pipelineKey, orgId)
    const id = randomUUID()
    const now = this.#now()
    const source: Source = {
      id,
      orgId,
      ...settingsOf(fresh),
      pipelineKey,
      serverSecretPrefix: serverSecretPrefix(serverSecret),
      createdAt: now,
      updatedAt: now
    }
    this.#records.set(id, { source, sequence: ++this.#sequence, secrets: [{ value, expiresAt: null }], origins: null })
    this.#keys.set(pipelineKey, { orgId, recordId: id, expiresAt: null, resolved: null })
    this.#origins = null
    return copySource(source)
  }

  async get (orgId: string, id: string): Promise<Source | null> {
    const record = this.#find(orgId, id)
    return record === null ? null : copySource(record.source)
  }

  async list (orgId: string, page: PageRequest): Promise<Page<Source>> {
    return newestFirst(
      this.#of(orgId).map(({ source, sequence }) => ({
        position: { timestamp: source.createdAt, sequence },
        item: source
      })),
      page,
      copySource
    )
  }

  async update (orgId: string, id: string, patch: SourcePatch): Promise<Source | null> {
    const record = this.#find(orgId, id)
    if (record === null) return null
    return this.#changed(record, patched(record.source, patch))
  }

  async delete (orgId: string, id: string): Promise<boolean> {
    const record = this.#find(orgId, id)
    if (record === null) return false
    this.#records.delete(id)
    for (const key of this.#keys.values()) if (key.recordId === id) retire(key)
    this.#origins = null
    this.#onChange(id)
    return true
  }

  async rotateKey (
    orgId: string,
    id: string,
    { pipelineKey, overlapUntil }: { pipelineKey: string, overlapUntil: number }
  ): Promise<Source | null> {
    const record = this.#find(orgId, id)
    if (record === null) return null
    this.#assertFree(pipelineKey, orgId)
    for (const key of this.#keys.values()) {
      if (key.recordId !== id) continue
      if (key.expiresAt === null && overlapUntil > this.#now()) key.expiresAt = overlapUntil
      else retire(key)
    }
    this.#keys.set(pipelineKey, { orgId, recordId: id, expiresAt: null, resolved: null })
    return this.#changed(record, { pipelineKey })
  }

  async rotateSecret (orgId: string, id: string, next: Parameters<Sources['rotateSecret']>[2]): Promise<Source | null> {
    const { serverSecret, overlapUntil } = next
    const record = this.#find(orgId, id)
    if (record === null) return null
    const value = serverSecretBytes(next)
    const overlapping = overlapUntil > this.#now() ? record.secrets.filter(({ expiresAt }) => expiresAt === null) : []
    record.secrets = [{ value, expiresAt: null },
      ...overlapping.map((secret) => ({ ...secret, expiresAt: overlapUntil }))]
    return this.#changed(record, { serverSecretPrefix: serverSecretPrefix(serverSecret) })
  }

  resolve (pipelineKey: string): ResolvedSource | null {
    const now = this.#now()
    const key = this.#keys.get(pipelineKey)
    if (key === undefined || (key.expiresAt !== null && key.expiresAt <= now)) return null
    if (key.resolved === null || resolvedUntil(key.resolved) <= now) key.resolved = this.#lookUp(pipelineKey, key, now)
    return key.resolved
  }

  origins (): readonly SourceOrigins[] {
    this.#origins ??= Object.freeze(
      Array.from(this.#records.values()).filter(({ source }) => source.enabled).map((record) => {
        record.origins ??= freezeOrigins(record.source)
        return record.origins
      })
    )
    return this.#origins
  }

  /** Returns the stored source of any organisation, not a copy: callers must not modify or expose it. */
  find (id: string): Source | null {
    return this.#records.get(id)?.source ?? null
  }

  sweep (): void {
    const now = this.#now()
    for (const record of this.#records.values()) record.secrets = live(record.secrets, now)
  }

  #lookUp (pipelineKey: string, key: Key, now: number): ResolvedSource | null {
    const record = key.recordId === null ? undefined : this.#records.get(key.recordId)
    return record === undefined
      ? null
      : freezeResolved(record.source, pipelineKey, key.expiresAt, live(record.secrets, now))
  }

  #of (orgId: string): SourceRecord[] {
    return Array.from(this.#records.values()).filter(({ source }) => source.orgId === orgId)
  }

  #find (orgId: string, id: string): SourceRecord | null {
    const record = this.#records.get(id)
    return record?.source.orgId === orgId ? record : null
  }

  #assertFree (pipelineKey: string, orgId: string): void {
    assertKey(pipelineKey)
    const owner = this.#keys.get(pipelineKey)?.orgId ?? orgId
    if (owner !== orgId || this.resolve(pipelineKey) !== null) {
      throw new CONFLICT({ message: 'This pipeline key is taken' })
    }
  }

  #changed (record: SourceRecord, change: Partial<Source>): Source {
    Object.assign(record.source, change, { updatedAt: this.#now() })
    for (const key of this.#keys.values()) if (key.recordId === record.source.id) key.resolved = null
    record.origins = null
    this.#origins = null
    this.#onChange(record.source.id)
    return copySource(record.source)
  }
}

function retire (key: Key): void {
  key.recordId = null
  key.resolved = null
}

function live (secrets: readonly Secret[], now: number): Secret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
}
