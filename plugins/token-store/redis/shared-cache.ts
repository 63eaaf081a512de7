import type { SecretBox } from '../../../signing/secret-box.js'
import { nameDigest } from '../../../lib/redis/name-digest.js'
import type { RedisLink } from '../../../lib/redis/link.js'
import { FILL, READ } from './scripts.js'

/** A kind of values in the shared cache. */
export interface SharedKind<Value> {
  name: string
  /** Returns the tags of a value: a change of one of them invalidates it. */
  tagsOf(value: Value, key: string): readonly string[]
  /** Returns when a value expires by itself, epoch milliseconds. Default: never. */
  endsAt?(value: Value): number
  encode(value: Value): string
  decode(json: string): Value
}

type LoadMany<Value> = (keys: readonly string[]) => Promise<ReadonlyArray<Value | null>>
/** An entry in Redis; `null` for a miss. */
type Entry = [version: string, sealed: string, left: number] | null
/** The start of a look-up by Redis's version, which orders it among changes, and by the clock of this process. */
interface LookupStart {
  version: string
  at: number
}

/** Lifetime of an entry, milliseconds. With 1 s in this process's memory, a missed change takes effect within 5 s. */
const LIFETIME = 4_000
/** Maximum clock difference to another instance whose entries are accepted, milliseconds. */
const MAX_CLOCK_DIFFERENCE = 1_000

/**
 * Look-ups that all instances share in Redis. Entries are encrypted, as they contain server secrets and guest tokens. A
 * value whose tag changed after its look-up began is neither returned nor stored, even if the look-up was slow.
 *
 * The encryption is bound to the name, version and time of the look-up, so that an attacker who can write to Redis
 * cannot make an old entry valid again, or use it under another name.
 */
export class SharedCache {
  readonly #link: RedisLink
  readonly #box: SecretBox
  readonly #now: () => number
  /** The age of values from Redis when they were returned, milliseconds. */
  readonly #ages = new WeakMap<object, number>()

  constructor (link: RedisLink, box: SecretBox, now: () => number = Date.now) {
    this.#link = link
    this.#box = box
    this.#now = now
  }

  /** Returns the age that a value had when it was returned, milliseconds; 0 for a value that is not from Redis. */
  ageOf (value: object): number {
    return this.#ages.get(value) ?? 0
  }

  /**
   * Wraps `load` with the shared cache; while Redis is unavailable, calls `load` alone. `onFound` receives the number
   * of values that were found.
   */
  wrap<Value extends object> (
    kind: SharedKind<Value>,
    load: (key: string) => Promise<Value | null>,
    onFound?: (values: number) => void
  ): (key: string) => Promise<Value | null> {
    const many = this.wrapMany(kind, async (keys) => await Promise.all(keys.map(load)), onFound)
    return async (key) => (await many([key]))[0] ?? null
  }

  /** Wraps a `load` of several keys, with one command to read and one to write. */
  wrapMany<Value extends object> (
    kind: SharedKind<Value>,
    load: LoadMany<Value>,
    onFound: (values: number) => void = () => {}
  ): LoadMany<Value> {
    return async (keys) => {
      const at = this.#now()
      const names = keys.map((key) => `${kind.name}:${nameDigest(key)}`)
      const found = await this.#link.run(READ, [CLOCK, ...names], [LIFETIME])
      if (!Array.isArray(found)) return await load(keys)
      const [version, ...entries] = found as [version: string, ...Entry[]]
      const values = names.map((name, place) => this.#open(kind, name, entries[place] ?? null))
      const missing = keys.filter((_key, place) => values[place] === null)
      onFound(keys.length - missing.length)
      if (missing.length === 0) return values
      const loaded = await load(missing)
      this.#store(kind, missing, loaded, { version, at })
      let next = 0
      return values.map((value) => value ?? loaded[next++] ?? null)
    }
  }

  #open<Value extends object> (kind: SharedKind<Value>, name: string, entry: Entry): Value | null {
    if (entry === null) return null
    const [version, sealed, left] = entry
    try {
      const plaintext = this.#box.open(sealed, contextOf(name, version)).toString()
      const space = plaintext.indexOf(' ')
      const age = this.#now() - Number(plaintext.slice(0, space))
      if (!(age >= -MAX_CLOCK_DIFFERENCE && age <= LIFETIME)) return null
      const value = kind.decode(plaintext.slice(space + 1))
      if (kind.endsAt !== undefined && kind.endsAt(value) <= this.#now()) return null
      this.#ages.set(value, Math.max(0, age, LIFETIME - left))
      return value
    } catch {
      // Encrypted with an unknown key or tampered with: treated as a miss.
      return null
    }
  }

  #store<Value extends object> (
    kind: SharedKind<Value>,
    keys: readonly string[],
    values: ReadonlyArray<Value | null>,
    { version, at }: LookupStart
  ): void {
    const names: string[] = []
    const args: Array<string | number> = []
    for (const [place, key] of keys.entries()) {
      const value = values[place] ?? null
      if (value === null) continue
      const name = `${kind.name}:${nameDigest(key)}`
      const tags = kind.tagsOf(value, key).map(tagKey)
      names.push(name, ...tags)
      args.push(tags.length, this.#box.seal(`${at} ${kind.encode(value)}`, contextOf(name, version)))
    }
    if (names.length > 0) this.#link.run(FILL, names, [version, LIFETIME, ...args])
  }
}

/** The key of the latest version. */
export const CLOCK = 'clock'

export function tagKey (tag: string): string {
  return `changed:${nameDigest(tag)}`
}

function contextOf (name: string, version: string): string {
  return `redis ${name} ${version}`
}
