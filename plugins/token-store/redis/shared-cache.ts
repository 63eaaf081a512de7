import type { SecretBox } from '../../../signing/secret-box.js'
import { nameDigest } from '../../redis/name-digest.js'
import type { RedisLink } from '../../redis/link.js'
import { FILL, READ } from './scripts.js'

export interface SharedKind<Value> {
  name: string
  /** What the value hangs on: whatever changes one of these ends it. */
  tagsOf (value: Value, key: string): readonly string[]
  /** When a value ends by itself, epoch milliseconds. Default: never. */
  endsAt? (value: Value): number
  encode (value: Value): string
  decode (text: string): Value
}

/** With a second of this process's own memory on top, what has changed unnoticed is over within 5 s. */
const LIFE = 4_000

/**
 * Look-ups that all instances share, in Redis, sealed: it would otherwise hold server secrets and guest tokens for everyone to read who
 * can reach it. A value that one of its tags changed after its look-up began is neither given out nor written, whoever was slow.
 */
export class SharedCache {
  readonly #link: RedisLink
  readonly #box: SecretBox
  readonly #now: () => number
  /** How old what came from Redis was. */
  readonly #ages = new WeakMap<object, number>()

  constructor (link: RedisLink, box: SecretBox, now: () => number = Date.now) {
    this.#link = link
    this.#box = box
    this.#now = now
  }

  /** Milliseconds since the look-up of a value began, when it was handed out here. */
  ageOf (value: object): number {
    return this.#ages.get(value) ?? 0
  }

  /** Puts the shared look-ups of one kind in front of `load`; without Redis it is `load` alone. */
  inFrontOf<Value extends object> (kind: SharedKind<Value>, load: (key: string) => Promise<Value | null>): (key: string) => Promise<Value | null> {
    return async (key) => {
      const name = `${kind.name}:${nameDigest(key)}`
      const found = await this.#link.run(READ, [name, CLOCK], [LIFE])
      if (!Array.isArray(found)) return await load(key)
      const [version, sealed, left] = found as [version: string, sealed: string | null, left: number | null]
      const known = sealed === null ? null : this.#open(kind, name, sealed)
      if (known !== null) {
        this.#ages.set(known, LIFE - Math.min(LIFE, Math.max(0, left ?? 0)))
        return known
      }
      const value = await load(key)
      if (value !== null) this.#keep(kind, name, key, value, version)
      return value
    }
  }

  #open<Value> (kind: SharedKind<Value>, name: string, sealed: string): Value | null {
    try {
      const value = kind.decode(this.#box.open(sealed, contextOf(name)).toString())
      return kind.endsAt !== undefined && kind.endsAt(value) <= this.#now() ? null : value
    } catch {
      // Sealed under a key that is not known here, or tampered with: as good as not there.
      return null
    }
  }

  #keep<Value> (kind: SharedKind<Value>, name: string, key: string, value: Value, version: string): void {
    const tags = kind.tagsOf(value, key).map(tagKey)
    this.#link.run(FILL, [name, ...tags], [version, LIFE, this.#box.seal(kind.encode(value), contextOf(name))])
  }
}

/** Where the time of the latest change is kept. */
export const CLOCK = 'clock'

export function tagKey (tag: string): string {
  return `changed:${nameDigest(tag)}`
}

function contextOf (name: string): string {
  return `redis ${name}`
}
