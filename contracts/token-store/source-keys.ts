/** A pipeline key of a source, as the admin API shows it. */
export interface SourceKey {
  /** Stays the same when the key is rotated. */
  id: string
  sourceId: string
  pipelineKey: string
  /** `null` for the key that every source has, which `sources.rotateKey` replaces. */
  name: string | null
  /** The pages that may send events with this key, as `Source.domains`; `null`: those of the source. */
  domains: string[] | null
  /** A disabled key does not resolve. The key without a name is always enabled. */
  enabled: boolean
  /** When the key stops working, epoch milliseconds; `null` for never. */
  expiresAt: number | null
  /** When the key was last used, epoch milliseconds, with the precision of `touch`; `null` for never. */
  lastUsedAt: number | null
  /** Epoch milliseconds; `null` if an earlier version created the key. */
  createdAt: number | null
  /** The key that was replaced by the last rotation, while its overlap lasts. */
  previous: PreviousKey | null
}

/** A replaced key that still works. */
export interface PreviousKey {
  pipelineKey: string
  /** When the key stops working, epoch milliseconds. */
  expiresAt: number
  /** As in `SourceKey`. */
  lastUsedAt: number | null
}

/** A named key to create. */
export interface NewSourceKey {
  pipelineKey: string
  /** Unique among the keys of the source. */
  name: string
  domains: string[] | null
  enabled: boolean
  expiresAt: number | null
  /** Maximum number of named keys of the source, the new one and expired keys included. Default: no limit. */
  quota?: number | undefined
}

/** The settings of a named key to change. An `undefined` member changes nothing. */
export interface SourceKeyPatch {
  name?: string | undefined
  domains?: string[] | null | undefined
  enabled?: boolean | undefined
  expiresAt?: number | null | undefined
}

/** A key that stops working soon. */
export interface EndingKey {
  orgId: string
  sourceId: string
  sourceName: string
  /** The name of the key; `null` for the key without a name. */
  name: string | null
  /** Whether the key was replaced by a rotation, so that its overlap ends. */
  replaced: boolean
  /** Epoch milliseconds. */
  expiresAt: number
}

/**
 * The pipeline keys of each source: one key without a name, which `Source.pipelineKey` shows, and any number of named
 * keys. A key is looked up by `sources.resolve`. A key that was deleted or replaced stays reserved to its organisation.
 */
export interface SourceKeys {
  /**
   * Lists the keys of a source: first the key without a name, then the named keys, newest first. Expired keys are
   * listed for 30 more days. Resolves with `null` if the organisation has no such source.
   */
  list (orgId: string, sourceId: string): Promise<SourceKey[] | null>
  get (orgId: string, sourceId: string, id: string): Promise<SourceKey | null>
  /**
   * Creates a named key; `null` if the organisation has no such source. Rejects with `INVALID_REQUEST` and `CONFLICT`
   * for a pipeline key as `sources.create` does, and with `CONFLICT` for a name that another key of the source has, and
   * where the source has `quota` named keys or more, concurrent calls included.
   */
  create (orgId: string, sourceId: string, key: NewSourceKey): Promise<SourceKey | null>
  /**
   * Changes a named key and its previous key, which never outlives it. Rejects with `CONFLICT` for the key without a
   * name, and for a name that another key of the source has.
   */
  update (orgId: string, sourceId: string, id: string, patch: SourceKeyPatch): Promise<SourceKey | null>
  /**
   * Replaces the value of any key of the source. The previous value works until `overlapUntil`, epoch milliseconds, at
   * most until the key expires; older values end now. Rejects with `CONFLICT` as `sources.rotateKey` does, and for an
   * expired key.
   */
  rotate (
    orgId: string,
    sourceId: string,
    id: string,
    next: { pipelineKey: string, overlapUntil: number }
  ): Promise<SourceKey | null>
  /** Deletes a named key and its previous key. Rejects with `CONFLICT` for the key without a name. */
  delete (orgId: string, sourceId: string, id: string): Promise<SourceKey | null>
  /** Sets `lastUsedAt` of pipeline keys, unless it is later already. Ignores unknown keys. */
  touch (uses: ReadonlyArray<{ pipelineKey: string, at: number }>): Promise<void>
  /**
   * Lists the enabled keys that stop working from now on until `before`, epoch milliseconds: the earliest first, at
   * most `limit`. Default for `orgId`: all organisations.
   */
  ending (query: { orgId?: string | undefined, before: number, limit: number }): Promise<EndingKey[]>
}
