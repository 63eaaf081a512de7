import type { RedisLink } from '../../../lib/redis/link.js'
import { CHANGE } from './scripts.js'
import { CLOCK, tagKey } from './shared-cache.js'

/** What changed, by its kind: a source, a webhook, a session, a user, a guest token's key, a client, the subject of a revocation. */
export type Change = readonly [kind: 'source' | 'webhook' | 'session' | 'user' | 'guestToken' | 'client' | 'revocation', id: string]

export interface ChangeHandlers {
  onChange (change: Change): void
  /** Changes may have been missed. */
  onGap (): void
}

const CHANNEL = 'changes'
/** For so long, milliseconds, a change that could not be told may still matter: older look-ups are over. */
const MATTERS = 5_000

/** Tells every instance what changed, and hears it from them; what can't be told is found out by age. */
export class Changes {
  readonly #link: RedisLink
  /** By which an instance knows its own voice. */
  readonly #self = crypto.randomUUID()
  readonly #telling = new Set<Promise<void>>()
  /** What Redis did not confirm, and when that was; it may have been told all the same. */
  #untold: Array<{ change: Change, tags: readonly string[], at: number }> = []

  constructor (link: RedisLink) {
    this.#link = link
  }

  announce (change: Change, tags: readonly string[], at = performance.now()): void {
    const telling = this.#tell(change, tags, at).finally(() => this.#telling.delete(telling))
    this.#telling.add(telling)
  }

  /** Resolves when all that was announced is told, or can't be for now. */
  async settled (): Promise<void> {
    await Promise.all(this.#telling)
  }

  async #tell (change: Change, tags: readonly string[], at: number): Promise<void> {
    const message = JSON.stringify([this.#self, ...change])
    const told = await this.#link.run(CHANGE, [CLOCK, ...tags.map(tagKey)], [this.#link.prefix + CHANNEL, message])
    if (told !== undefined) return
    this.#forgetOld()
    this.#untold.push({ change, tags, at })
  }

  /** Returns what ends it. */
  listen ({ onChange, onGap }: ChangeHandlers): () => void {
    const self = this.#self
    const stopRetelling = this.#link.onReturn(() => this.#tellAgain())
    const stopHearing = this.#link.subscribe(CHANNEL, {
      onGap,
      onMessage (message) {
        const change = parse(message)
        // What can't be read may be anything, from a later version too.
        if (change === null) onGap()
        else if (change[0] !== self) onChange([change[1], change[2]])
      }
    })
    return () => {
      stopRetelling()
      stopHearing()
    }
  }

  #tellAgain (): void {
    this.#forgetOld()
    for (const { change, tags, at } of this.#untold.splice(0)) this.announce(change, tags, at)
  }

  #forgetOld (): void {
    const since = performance.now() - MATTERS
    this.#untold = this.#untold.filter(({ at }) => at > since)
  }
}

const KINDS: ReadonlySet<unknown> = new Set<Change[0]>(['source', 'webhook', 'session', 'user', 'guestToken', 'client', 'revocation'])

function parse (message: string): [from: string, ...Change] | null {
  try {
    const parts: unknown = JSON.parse(message)
    return Array.isArray(parts) && KINDS.has(parts[1]) && typeof parts[2] === 'string' ? parts as [string, ...Change] : null
  } catch {
    return null
  }
}
