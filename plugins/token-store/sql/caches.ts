import { LookupCache, MAX_AGE } from '../../../lib/lookup-cache.js'
import type { Change, Changes } from '../redis/changes.js'
import { accessKind, cutoffKind, guestTokenKind, originsKind, sourceKind, tagsOf, webhookKind } from '../redis/kinds.js'
import type { SharedCache, SharedKind } from '../redis/shared-cache.js'
import type { Cutoff, GuestToken, ResolvedSource, ResolvedWebhook, SessionAccess, SourceOrigins } from '../../../contracts/token-store/index.js'

/** What each cache loads on a miss. */
export interface Loaders {
  source: (pipelineKey: string) => Promise<ResolvedSource | null>
  origins: () => Promise<readonly SourceOrigins[]>
  webhook: (id: string) => Promise<ResolvedWebhook | null>
  access: (sessionId: string) => Promise<SessionAccess | null>
  guestToken: (key: string) => Promise<GuestToken | null>
  /** Never a miss: a subject without a cut-off is remembered like one that has one, by all instances. */
  cutoffs: (keys: readonly string[]) => Promise<Cutoff[]>
}

export interface CacheTimes {
  ttl: number
  now: (() => number) | undefined
}

/** What instances share beside the database. */
export interface Shared {
  cache: SharedCache
  changes: Changes
}

type Load<Value> = (key: string) => Promise<Value | null>

const ORIGINS = 'all'

/** What this process remembers of the database, and which change makes it forget what, here and at the other instances. */
export class Caches {
  readonly sources: LookupCache<ResolvedSource>
  readonly webhooks: LookupCache<ResolvedWebhook>
  readonly access: LookupCache<SessionAccess>
  readonly guestTokens: LookupCache<GuestToken>
  readonly cutoffs: LookupCache<Cutoff>
  readonly #origins: LookupCache<readonly SourceOrigins[]>
  readonly #changes: Changes | undefined
  readonly #stopListening: () => void

  constructor (load: Loaders, times: CacheTimes, shared?: Shared) {
    const through = <Value extends object>(kind: SharedKind<Value>, alone: Load<Value>) => ({
      ...times,
      ...(kind.endsAt === undefined ? {} : { endsAt: kind.endsAt }),
      ...(shared === undefined ? { load: alone } : { load: shared.cache.inFrontOf(kind, alone), ageOf: (value: Value) => shared.cache.ageOf(value) })
    })
    // Where the instances tell each other of changes, a new key is told as well, and what is unknown may be remembered for longer.
    const misses = shared === undefined || times.ttl === 0 ? {} : { missTtl: MAX_AGE }
    this.sources = new LookupCache({ ...through(sourceKind, load.source), ...misses })
    this.webhooks = new LookupCache({ ...through(webhookKind, load.webhook), ...misses })
    this.access = new LookupCache(through(accessKind, load.access))
    this.guestTokens = new LookupCache(through(guestTokenKind, load.guestToken))
    const cutoffs = shared === undefined ? load.cutoffs : shared.cache.inFrontOfMany(cutoffKind, load.cutoffs)
    this.cutoffs = new LookupCache({ ...through(cutoffKind, async (key) => (await load.cutoffs([key]))[0] ?? null), loadMany: cutoffs })
    this.#origins = new LookupCache({ ...through(originsKind, load.origins), maxValues: 1 })
    this.#changes = shared?.changes
    this.#stopListening = shared?.changes.listen({ onChange: (change) => this.#forget(change), onGap: () => this.#forgetAll() }) ?? (() => {})
  }

  origins (): readonly SourceOrigins[] | Promise<readonly SourceOrigins[]> {
    return this.#origins.get(ORIGINS) as readonly SourceOrigins[] | Promise<readonly SourceOrigins[]>
  }

  /** A source came, changed or went; `pipelineKey` is new, and may have been looked up before it was there. */
  sourceChanged (id: string, pipelineKey?: string): void {
    if (pipelineKey !== undefined) this.sources.invalidate(pipelineKey)
    this.#changed(['source', id])
  }

  webhookChanged (id: string): void {
    this.#changed(['webhook', id])
  }

  sessionChanged (id: string): void {
    this.#changed(['session', id])
  }

  /** The user's role, epoch or sessions changed. */
  userChanged (id: string): void {
    this.#changed(['user', id])
  }

  guestTokenChanged (key: string): void {
    this.#changed(['guestToken', key])
  }

  clientChanged (clientId: string): void {
    this.#changed(['client', clientId])
  }

  /** `key` is a revocation's `subjectKey`. */
  revocationChanged (key: string): void {
    this.#changed(['revocation', key])
  }

  /** Tells the other instances what they have not heard yet, and hears no more of them. */
  async close (): Promise<void> {
    await this.#changes?.settled()
    this.#stopListening()
  }

  #changed (change: Change): void {
    this.#forget(change)
    this.#changes?.announce(change, tagsOf(change))
  }

  #forget ([kind, id]: Change): void {
    switch (kind) {
      case 'source':
        this.#origins.clear()
        this.sources.invalidateWhere(({ source }) => source.id === id)
        // One of them may be its new key, which nobody is told.
        this.sources.clearMisses()
        this.webhooks.invalidateWhere(({ source }) => source.id === id)
        break
      case 'webhook': return this.webhooks.invalidate(id)
      case 'session': return this.access.invalidate(id)
      case 'user': return this.access.invalidateWhere(({ userId }) => userId === id)
      case 'guestToken': return this.guestTokens.invalidate(id)
      case 'client': return this.guestTokens.invalidateWhere(({ clientId }) => clientId === id)
      case 'revocation': return this.cutoffs.invalidate(id)
    }
  }

  #forgetAll (): void {
    for (const cache of [this.sources, this.webhooks, this.access, this.guestTokens, this.cutoffs, this.#origins]) cache.clear()
  }
}
