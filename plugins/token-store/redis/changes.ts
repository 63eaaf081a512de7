import type { RedisLink } from '../../../lib/redis/link.js'
import { CHANGE } from './scripts.js'
import { CLOCK, tagKey } from './shared-cache.js'

/** A change: its kind and the id of the source, webhook, session, user …; for a revocation its `subjectKey`. */
export type Change = readonly [kind: typeof KINDS[number], id: string]

/** Receives the changes of other instances. */
export interface ChangeHandlers {
  onChange(change: Change): void
  /** Called when changes may have been missed. */
  onGap(): void
}

const CHANNEL = 'changes'
const KINDS = ['source', 'webhook', 'session', 'user', 'organisation', 'apiKey', 'guestToken', 'client',
  'revocation'] as const
/** Milliseconds after which an unpublished change no longer matters: older look-ups have expired. */
const CHANGE_LIFETIME = 5_000

/** Publishes changes to all instances and receives theirs. Unpublished changes take effect when caches expire. */
export class Changes {
  readonly #link: RedisLink
  /** Identifies this instance's own messages. */
  readonly #instanceId = crypto.randomUUID()
  readonly #publishing = new Set<Promise<void>>()
  /** Changes that Redis did not confirm, with their time; Redis may have published them nevertheless. */
  #unpublished: Array<{ change: Change, tags: readonly string[], at: number }> = []

  constructor (link: RedisLink) {
    this.#link = link
  }

  announce (change: Change, tags: readonly string[], at = performance.now()): void {
    const publishing = this.#publish(change, tags, at).finally(() => this.#publishing.delete(publishing))
    this.#publishing.add(publishing)
  }

  /** Resolves when all announced changes are published or have failed for now. */
  async settled (): Promise<void> {
    await Promise.all(this.#publishing)
  }

  async #publish (change: Change, tags: readonly string[], at: number): Promise<void> {
    const message = JSON.stringify([this.#instanceId, ...change])
    const version = await this.#link.run(CHANGE, [CLOCK, ...tags.map(tagKey)], [this.#link.prefix + CHANNEL, message])
    if (version !== undefined) return
    this.#dropOld()
    this.#unpublished.push({ change, tags, at })
  }

  /** Subscribes to changes; returns a function that unsubscribes. */
  listen ({ onChange, onGap }: ChangeHandlers): () => void {
    const instanceId = this.#instanceId
    const stopRepublishing = this.#link.onReturn(() => this.#republish())
    const unsubscribe = this.#link.subscribe(CHANNEL, {
      onGap,
      onMessage (message) {
        const change = parse(message)
        // An unreadable message may be any change, from a newer version for example.
        if (change === null) onGap()
        else if (change[0] !== instanceId) onChange([change[1], change[2]])
      }
    })
    return () => {
      stopRepublishing()
      unsubscribe()
    }
  }

  #republish (): void {
    this.#dropOld()
    for (const { change, tags, at } of this.#unpublished.splice(0)) this.announce(change, tags, at)
  }

  #dropOld (): void {
    const since = performance.now() - CHANGE_LIFETIME
    this.#unpublished = this.#unpublished.filter(({ at }) => at > since)
  }
}

function parse (message: string): [from: string, ...Change] | null {
  try {
    const parts: unknown = JSON.parse(message)
    return Array.isArray(parts) && KINDS.some((kind) => kind === parts[1]) && typeof parts[2] === 'string'
      ? parts as [string, ...Change]
      : null
  } catch {
    return null
  }
}
