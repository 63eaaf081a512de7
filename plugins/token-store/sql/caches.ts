import { LookupCache, MAX_AGE } from '../../../lib/lookup-cache.js'
import type { Step } from '../../../lib/channels.js'
import { traced } from '../../../lib/trace.js'
import type { Change, Changes } from '../redis/changes.js'
import {
  accessKind, apiKeyKind, cutoffKind, guestTokenKind, originsKind, sourceKind, tagsOf,
  webhookKind
} from '../redis/kinds.js'
import type { SharedCache, SharedKind } from '../redis/shared-cache.js'
import type {
  ApiKeyAccess, Cutoff, GuestToken, LookupKind, ResolvedSource, ResolvedWebhook, SessionAccess,
  SourceOrigins, StoreLoad
} from '../../../contracts/token-store/index.js'
import { LookupCounter } from './lookup-counter.js'

/** Loads the values of each cache on a miss. */
export interface Loaders {
  source: (pipelineKey: string) => Promise<ResolvedSource | null>
  origins: () => Promise<readonly SourceOrigins[]>
  webhook: (id: string) => Promise<ResolvedWebhook | null>
  access: (sessionId: string) => Promise<SessionAccess | null>
  apiKey: (digest: string) => Promise<ApiKeyAccess | null>
  guestToken: (key: string) => Promise<GuestToken | null>
  /** Never returns a miss: a subject without a cut-off is cached by all instances as well. */
  cutoffs: (keys: readonly string[]) => Promise<Cutoff[]>
}

export interface CacheTimes {
  ttl: number
  now: (() => number) | undefined
}

/** The state in Redis that instances share. */
export interface Shared {
  cache: SharedCache
  changes: Changes
}

type Load<Value> = (key: string) => Promise<Value | null>

const ORIGINS = 'all'

/** The trace steps of look-ups that this process has not cached: in Redis, if shared, and in the database. */
const STEPS: Readonly<Record<LookupKind, Record<'shared' | 'database', Step>>> = {
  source: stepsOf('source'),
  webhook: stepsOf('webhook'),
  session: stepsOf('session'),
  api_key: stepsOf('api_key'),
  guest_token: stepsOf('guest_token'),
  revocation: stepsOf('revocation'),
  origins: stepsOf('origins')
}

/** The caches of this process, and which change invalidates which cache entries, here and on the other instances. */
export class Caches {
  readonly sources: LookupCache<ResolvedSource>
  readonly webhooks: LookupCache<ResolvedWebhook>
  readonly access: LookupCache<SessionAccess>
  readonly apiKeys: LookupCache<ApiKeyAccess>
  readonly guestTokens: LookupCache<GuestToken>
  readonly cutoffs: LookupCache<Cutoff>
  /** Counters for metrics. */
  readonly lookups: StoreLoad['lookups']
  readonly #origins: LookupCache<readonly SourceOrigins[]>
  readonly #changes: Changes | undefined
  readonly #stopListening: () => void

  constructor (load: Loaders, times: CacheTimes, shared?: Shared) {
    const counters = {
      source: new LookupCounter(),
      webhook: new LookupCounter(),
      session: new LookupCounter(),
      api_key: new LookupCounter(),
      guest_token: new LookupCounter(),
      revocation: new LookupCounter(),
      origins: new LookupCounter()
    } satisfies Record<LookupKind, LookupCounter>
    const optionsFor = <Value extends object>(
      kind: SharedKind<Value>,
      loadValue: Load<Value>,
      name: LookupKind
    ) => {
      const counter = counters[name]
      const load: Load<Value> = (key) => {
        counter.database++
        return traced(STEPS[name].database, () => loadValue(key))
      }
      const ends = kind.endsAt === undefined ? {} : { endsAt: kind.endsAt }
      if (shared === undefined) return { ...times, ...ends, load }
      const loadShared = shared.cache.wrap(kind, load, counter.found)
      return {
        ...times,
        ...ends,
        load: (key: string) => traced(STEPS[name].shared, () => loadShared(key)),
        ageOf: (value: Value) => shared.cache.ageOf(value)
      }
    }
    // With Redis a new key is announced to all instances, so that misses may be cached for longer.
    const misses = shared === undefined || times.ttl === 0 ? {} : { missTtl: MAX_AGE }
    this.sources = new LookupCache({ ...optionsFor(sourceKind, load.source, 'source'), ...misses })
    this.webhooks = new LookupCache({ ...optionsFor(webhookKind, load.webhook, 'webhook'), ...misses })
    this.access = new LookupCache(optionsFor(accessKind, load.access, 'session'))
    this.apiKeys = new LookupCache(optionsFor(apiKeyKind, load.apiKey, 'api_key'))
    this.guestTokens = new LookupCache(optionsFor(guestTokenKind, load.guestToken, 'guest_token'))
    const { revocation } = counters
    const loadCutoffs: Loaders['cutoffs'] = (keys) => {
      revocation.database += keys.length
      return traced(STEPS.revocation.database, () => load.cutoffs(keys))
    }
    const sharedCutoffs = shared?.cache.wrapMany(cutoffKind, loadCutoffs, revocation.found)
    this.cutoffs = new LookupCache({
      ...optionsFor(cutoffKind, async (key) => (await load.cutoffs([key]))[0] ?? null, 'revocation'),
      loadMany: sharedCutoffs === undefined
        ? loadCutoffs
        : (keys) => traced(STEPS.revocation.shared, () => sharedCutoffs(keys))
    })
    this.#origins = new LookupCache({ ...optionsFor(originsKind, load.origins, 'origins'), maxValues: 1 })
    this.lookups = {
      source: counters.source.of(this.sources),
      webhook: counters.webhook.of(this.webhooks),
      session: counters.session.of(this.access),
      api_key: counters.api_key.of(this.apiKeys),
      guest_token: counters.guest_token.of(this.guestTokens),
      revocation: revocation.of(this.cutoffs),
      origins: counters.origins.of(this.#origins)
    }
    this.#changes = shared?.changes
    this.#stopListening =
      shared?.changes.listen({ onChange: (change) => this.#invalidate(change), onGap: () => this.#invalidateAll() }) ??
        (() => {})
  }

  origins (): readonly SourceOrigins[] | Promise<readonly SourceOrigins[]> {
    return this.#origins.get(ORIGINS) as readonly SourceOrigins[] | Promise<readonly SourceOrigins[]>
  }

  /** Called when a source was created, changed or deleted. A new `pipelineKey` may be cached as a miss. */
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

  /** Called when the user's role, epoch, sessions or second factors changed. */
  userChanged (id: string): void {
    this.#changed(['user', id])
  }

  organisationChanged (id: string): void {
    this.#changed(['organisation', id])
  }

  /** Called when an API key was created, rotated or revoked. A new `digest` may be cached as a miss. */
  apiKeyChanged (id: string, digest?: string): void {
    if (digest !== undefined) this.apiKeys.invalidate(digest)
    this.#changed(['apiKey', id])
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

  /** Publishes pending changes and stops receiving those of other instances. */
  async close (): Promise<void> {
    await this.#changes?.settled()
    this.#stopListening()
  }

  #changed (change: Change): void {
    this.#invalidate(change)
    this.#changes?.announce(change, tagsOf(change))
  }

  #invalidate ([kind, id]: Change): void {
    switch (kind) {
      case 'source':
        this.#origins.clear()
        this.sources.invalidateWhere(({ source }) => source.id === id)
        // A cached miss may be the source's new key, which messages do not contain.
        this.sources.clearMisses()
        this.webhooks.invalidateWhere(({ source }) => source.id === id)
        break
      case 'webhook':
        return this.webhooks.invalidate(id)
      case 'session':
        return this.access.invalidate(id)
      case 'user':
        return this.access.invalidateWhere(({ userId }) => userId === id)
      case 'organisation':
        return this.access.invalidateWhere(({ orgId }) => orgId === id)
      case 'apiKey':
        return this.apiKeys.invalidateWhere((key) => key.id === id)
      case 'guestToken':
        return this.guestTokens.invalidate(id)
      case 'client':
        return this.guestTokens.invalidateWhere(({ clientId }) => clientId === id)
      case 'revocation':
        return this.cutoffs.invalidate(id)
    }
  }

  #invalidateAll (): void {
    const { sources, webhooks, access, apiKeys, guestTokens, cutoffs } = this
    for (const cache of [sources, webhooks, access, apiKeys, guestTokens, cutoffs, this.#origins]) {
      cache.clear()
    }
  }
}

function stepsOf (name: LookupKind): Record<'shared' | 'database', Step> {
  const stepOf = (level: string): Step => ({ kind: 'lookup', name, attributes: { 'gatehouse.lookup.level': level } })
  return { shared: stepOf('shared'), database: stepOf('database') }
}
