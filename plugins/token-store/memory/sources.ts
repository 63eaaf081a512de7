import { randomUUID } from 'node:crypto'

import { overQuota } from '../limits.js'
import { newSourceKeyId, originsOfKey, withKeyDomains } from '../source-key-rules.js'
import {
  copySource, freezeOrigins, freezeResolved, patched, resolvedUntil, serverSecretBytes,
  serverSecretPrefix, settingsOf
} from '../source-settings.js'
import type {
  NewSource, Page, PageRequest, ResolvedSource, Source, SourceOrigins, SourcePatch,
  Sources
} from '../../../contracts/token-store/index.js'
import { newestFirst } from './newest-first.js'
import { retire } from './pipeline-keys.js'
import type { KeyRecord, PipelineKeys } from './pipeline-keys.js'

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
  readonly #keys: PipelineKeys
  #origins: readonly SourceOrigins[] | null = null
  /** When the first key in `#origins` expires, epoch milliseconds. */
  #originsUntil = Infinity
  #sequence = 0

  /** @param onChange called with the id of a changed or deleted source */
  constructor (now: () => number, keys: PipelineKeys, onChange: (id: string) => void) {
    this.#now = now
    this.#keys = keys
    this.#onChange = onChange
  }

  async create (fresh: NewSource): Promise<Source> {
    const { orgId, pipelineKey, serverSecret, quota } = fresh
    const value = serverSecretBytes(fresh)
    if (quota !== undefined && this.#of(orgId).length >= quota) throw overQuota('sources', quota)
    const id = randomUUID()
    const now = this.#now()
    this.#keys.take({ pipelineKey, orgId, sourceId: id, id: newSourceKeyId(), createdAt: now })
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
    const settings = patched(record.source, patch)
    if (settings.environment !== record.source.environment) {
      for (const key of this.#keys.of(id)) if (key.name !== null) retire(key)
    }
    return this.#changed(record, settings)
  }

  async delete (orgId: string, id: string): Promise<boolean> {
    const record = this.#find(orgId, id)
    if (record === null) return false
    this.#records.delete(id)
    for (const key of this.#keys.of(id)) retire(key)
    this.#origins = null
    this.#onChange(id)
    return true
  }

  async rotateKey (
    orgId: string,
    id: string,
    next: { pipelineKey: string, overlapUntil: number }
  ): Promise<Source | null> {
    const record = this.#find(orgId, id)
    const own = this.#keys.list(id).find(({ name }) => name === null)
    if (record === null || own === undefined) return null
    this.#keys.replace(orgId, own, next)
    return this.#changed(record, { pipelineKey: next.pipelineKey })
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
    if (key?.enabled !== true || (key.expiresAt !== null && key.expiresAt <= now)) return null
    if (key.resolved === null || resolvedUntil(key.resolved) <= now) key.resolved = this.#lookUp(key, now)
    return key.resolved
  }

  origins (): readonly SourceOrigins[] {
    const now = this.#now()
    if (this.#originsUntil <= now) this.#origins = null
    this.#origins ??= Object.freeze([...this.#sourceOrigins(), ...this.#keyOrigins(now)])
    return this.#origins
  }

  /** Returns the stored source of any organisation, not a copy: callers must not modify or expose it. */
  find (id: string): Source | null {
    return this.#records.get(id)?.source ?? null
  }

  /** Called when a key of a source was changed; `rotated` is the new value of the source's own key. */
  keyChanged (id: string, rotated?: string): void {
    const record = this.#records.get(id)
    if (record === undefined) return
    if (rotated === undefined) this.#invalidate(record)
    else this.#changed(record, { pipelineKey: rotated })
  }

  sweep (): void {
    const now = this.#now()
    for (const record of this.#records.values()) record.secrets = live(record.secrets, now)
  }

  #lookUp ({ pipelineKey, sourceId, name, domains, expiresAt }: KeyRecord, now: number): ResolvedSource | null {
    const record = sourceId === null ? undefined : this.#records.get(sourceId)
    if (sourceId === null || record === undefined) return null
    return freezeResolved(
      withKeyDomains(record.source, domains),
      { key: pipelineKey, keyId: name === null ? null : this.#keys.idOf(sourceId, name), keyExpiresAt: expiresAt },
      live(record.secrets, now)
    )
  }

  #sourceOrigins (): SourceOrigins[] {
    return Array.from(this.#records.values()).filter(({ source }) => source.enabled).map((record) => {
      record.origins ??= freezeOrigins(record.source)
      return record.origins
    })
  }

  #keyOrigins (now: number): SourceOrigins[] {
    this.#originsUntil = Infinity
    return Array.from(this.#keys.all()).flatMap(({ sourceId, domains, enabled, expiresAt }) => {
      const source = sourceId === null || domains === null ? null : this.find(sourceId)
      if (source?.enabled !== true || domains === null || !enabled || (expiresAt ?? Infinity) <= now) return []
      this.#originsUntil = Math.min(this.#originsUntil, expiresAt ?? Infinity)
      return [freezeOrigins(originsOfKey(domains))]
    })
  }

  #of (orgId: string): SourceRecord[] {
    return Array.from(this.#records.values()).filter(({ source }) => source.orgId === orgId)
  }

  #find (orgId: string, id: string): SourceRecord | null {
    const record = this.#records.get(id)
    return record?.source.orgId === orgId ? record : null
  }

  #changed (record: SourceRecord, change: Partial<Source>): Source {
    Object.assign(record.source, change, { updatedAt: this.#now() })
    this.#invalidate(record)
    return copySource(record.source)
  }

  #invalidate (record: SourceRecord): void {
    const { id } = record.source
    for (const key of this.#keys.of(id)) key.resolved = null
    record.origins = null
    this.#origins = null
    this.#onChange(id)
  }
}

function live (secrets: readonly Secret[], now: number): Secret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
}
