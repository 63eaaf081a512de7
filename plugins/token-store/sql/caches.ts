import { LookupCache } from '../lookup-cache.js'
import { resolvedUntil } from '../source-settings.js'
import type { GuestToken, ResolvedSource, ResolvedWebhook, SessionAccess, SourceOrigins } from '../store.js'
import { webhookResolvedUntil } from '../webhook-settings.js'

/** What each cache loads on a miss. */
export interface Loaders {
  source: (pipelineKey: string) => Promise<ResolvedSource | null>
  origins: () => Promise<readonly SourceOrigins[]>
  webhook: (id: string) => Promise<ResolvedWebhook | null>
  access: (sessionId: string) => Promise<SessionAccess | null>
  guestToken: (key: string) => Promise<GuestToken | null>
}

export interface CacheTimes {
  ttl: number
  now: (() => number) | undefined
}

const ORIGINS = 'all'

/** What this process remembers of the database, and which change makes it forget what. */
export class Caches {
  readonly sources: LookupCache<ResolvedSource>
  readonly webhooks: LookupCache<ResolvedWebhook>
  readonly access: LookupCache<SessionAccess>
  readonly guestTokens: LookupCache<GuestToken>
  readonly #origins: LookupCache<readonly SourceOrigins[]>

  constructor (load: Loaders, times: CacheTimes) {
    this.sources = new LookupCache({ ...times, load: load.source, endsAt: resolvedUntil })
    this.webhooks = new LookupCache({ ...times, load: load.webhook, endsAt: webhookResolvedUntil })
    this.access = new LookupCache({ ...times, load: load.access, endsAt: ({ endsAt }) => endsAt })
    this.guestTokens = new LookupCache({ ...times, load: load.guestToken, endsAt: ({ expiresAt }) => expiresAt })
    this.#origins = new LookupCache({ ...times, load: load.origins, maxValues: 1 })
  }

  origins (): readonly SourceOrigins[] | Promise<readonly SourceOrigins[]> {
    return this.#origins.get(ORIGINS) as readonly SourceOrigins[] | Promise<readonly SourceOrigins[]>
  }

  /** A source came, changed or went; `pipelineKey` is new, and may have been looked up before it was there. */
  sourceChanged (id: string, pipelineKey?: string): void {
    this.#origins.clear()
    this.sources.invalidateWhere(({ source }) => source.id === id)
    this.webhooks.invalidateWhere(({ source }) => source.id === id)
    if (pipelineKey !== undefined) this.sources.invalidate(pipelineKey)
  }

  webhookChanged (id: string): void {
    this.webhooks.invalidate(id)
  }

  sessionChanged (id: string): void {
    this.access.invalidate(id)
  }

  /** The user's role, epoch or sessions changed. */
  userChanged (id: string): void {
    this.access.invalidateWhere(({ userId }) => userId === id)
  }

  guestTokenChanged (key: string): void {
    this.guestTokens.invalidate(key)
  }

  clientChanged (clientId: string): void {
    this.guestTokens.invalidateWhere((entry) => entry.clientId === clientId)
  }
}
