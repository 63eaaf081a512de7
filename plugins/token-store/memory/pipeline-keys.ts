import { CONFLICT } from '../../../lib/errors.js'
import { earlier, sortKeys } from '../source-key-rules.js'
import { assertKey } from '../source-settings.js'
import type { ResolvedSource, SourceKey } from '../../../contracts/token-store/index.js'

/** The settings of a named key. */
export interface NamedKey {
  name: string
  domains: string[] | null
  enabled: boolean
  expiresAt: number | null
}

/** A key is never removed, so that it stays with its organisation. */
export interface KeyRecord {
  readonly pipelineKey: string
  readonly orgId: string
  /** `null` for a key that is not in use. */
  sourceId: string | null
  /** `null` for a replaced key, which has the name of its successor. */
  id: string | null
  /** `null` for the key that every source has, and the keys that it replaced. */
  name: string | null
  domains: string[] | null
  enabled: boolean
  expiresAt: number | null
  createdAt: number | null
  lastUsedAt: number | null
  resolved: ResolvedSource | null
}

/** A key to store for a source. */
export interface KeyToTake {
  pipelineKey: string
  orgId: string
  sourceId: string
  id: string
  named?: NamedKey | undefined
  createdAt: number | null
}

/** All current and former pipeline keys. */
export class PipelineKeys {
  readonly #now: () => number
  readonly #records = new Map<string, KeyRecord>()

  constructor (now: () => number) {
    this.#now = now
  }

  all (): Iterable<KeyRecord> {
    return this.#records.values()
  }

  get (pipelineKey: string): KeyRecord | undefined {
    return this.#records.get(pipelineKey)
  }

  of (sourceId: string): KeyRecord[] {
    return Array.from(this.#records.values()).filter((record) => record.sourceId === sourceId)
  }

  /** Stores a key of a source. Throws `CONFLICT` unless it is new, or has ended in the same organisation. */
  take ({ pipelineKey, orgId, sourceId, id, named, createdAt }: KeyToTake): void {
    assertKey(pipelineKey)
    const known = this.#records.get(pipelineKey)
    if (known !== undefined && (known.orgId !== orgId || this.#isInUse(known))) {
      throw new CONFLICT({ message: 'This pipeline key is taken' })
    }
    this.#records.set(pipelineKey, {
      pipelineKey,
      orgId,
      sourceId,
      id,
      name: named?.name ?? null,
      domains: named?.domains == null ? null : [...named.domains],
      enabled: named?.enabled ?? true,
      expiresAt: named?.expiresAt ?? null,
      createdAt,
      lastUsedAt: null,
      resolved: null
    })
  }

  /** Replaces the value of a key. Throws `CONFLICT` as `take` does. */
  replace (
    orgId: string,
    { id, sourceId, pipelineKey: old, name, domains, enabled, expiresAt, createdAt }: SourceKey,
    { pipelineKey, overlapUntil }: { pipelineKey: string, overlapUntil: number }
  ): void {
    const named = name === null ? undefined : { name, domains, enabled, expiresAt }
    this.take({ pipelineKey, orgId, sourceId, id, named, createdAt })
    const end = earlier(overlapUntil, expiresAt) ?? overlapUntil
    for (const record of this.of(sourceId)) {
      if (record.name !== name || record.pipelineKey === pipelineKey) continue
      if (record.pipelineKey !== old || end <= this.#now()) retire(record)
      else Object.assign(record, { id: null, expiresAt: end, resolved: null })
    }
  }

  /** Returns copies of the keys of a source, as they are listed. */
  /** Returns the id of a named key. */
  idOf (sourceId: string, name: string): string | null {
    return this.of(sourceId).find((record) => record.id !== null && record.name === name)?.id ?? null
  }

  list (sourceId: string): SourceKey[] {
    const records = this.of(sourceId)
    return sortKeys(records.flatMap((record) => {
      const { id, pipelineKey, name, domains, enabled, expiresAt, lastUsedAt, createdAt } = record
      if (id === null) return []
      const previous = records.find((other) =>
        other.id === null && other.name === name && (other.expiresAt ?? 0) > this.#now()
      )
      return [{
        id,
        sourceId,
        pipelineKey,
        name,
        domains: domains === null ? null : [...domains],
        enabled,
        expiresAt,
        lastUsedAt,
        createdAt,
        previous: previous === undefined
          ? null
          : {
              pipelineKey: previous.pipelineKey,
              expiresAt: previous.expiresAt ?? 0,
              lastUsedAt: previous.lastUsedAt
            }
      }]
    }))
  }

  #isInUse ({ sourceId, expiresAt }: KeyRecord): boolean {
    return sourceId !== null && (expiresAt === null || expiresAt > this.#now())
  }
}

/** Ends the use of a key. */
export function retire (record: KeyRecord): void {
  Object.assign(record, { sourceId: null, id: null, name: null, domains: null, enabled: true, resolved: null })
}
