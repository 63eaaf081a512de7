import type { SecretBox } from '../../../signing/secret-box.js'
import { nameDigest } from '../../../lib/redis/name-digest.js'
import type { RedisLink } from '../../../lib/redis/link.js'
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

type LoadMany<Value> = (keys: readonly string[]) => Promise<ReadonlyArray<Value | null>>
/** An entry as Redis has it; `null` for none. */
type Entry = [version: string, sealed: string, left: number] | null
/** When a look-up began: by the clock of Redis, which orders it among the changes, and by the clock of this process. */
interface Beginning { version: string, at: number }

/** With a second of this process's own memory on top, what has changed unnoticed is over within 5 s. */
const LIFE = 4_000
/** How far the clock of another instance may be ahead, milliseconds, for its entries to count. */
const CLOCKS_APART = 1_000

/**
 * Look-ups that all instances share, in Redis, sealed: it would otherwise hold server secrets and guest tokens for everyone to read who
 * can reach it. A value that one of its tags changed after its look-up began is neither given out nor written, whoever was slow.
 *
 * Who can write in Redis revives nothing for longer: the seal holds the name, the version and the time of the look-up, so that an entry
 * that is put back later, or elsewhere, is none.
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
    const many = this.inFrontOfMany(kind, async (keys) => await Promise.all(keys.map(load)))
    return async (key) => (await many([key]))[0] ?? null
  }

  /** The same for several keys at once, by one command that reads and one that writes. */
  inFrontOfMany<Value extends object> (kind: SharedKind<Value>, load: LoadMany<Value>): LoadMany<Value> {
    return async (keys) => {
      const at = this.#now()
      const names = keys.map((key) => `${kind.name}:${nameDigest(key)}`)
      const found = await this.#link.run(READ, [CLOCK, ...names], [LIFE])
      if (!Array.isArray(found)) return await load(keys)
      const [version, ...entries] = found as [version: string, ...Entry[]]
      const values = names.map((name, place) => this.#open(kind, name, entries[place] ?? null))
      const missing = keys.filter((_key, place) => values[place] === null)
      if (missing.length === 0) return values
      const loaded = await load(missing)
      this.#keep(kind, missing, loaded, { version, at })
      let next = 0
      return values.map((value) => value ?? loaded[next++] ?? null)
    }
  }

  #open<Value extends object> (kind: SharedKind<Value>, name: string, entry: Entry): Value | null {
    if (entry === null) return null
    const [version, sealed, left] = entry
    try {
      const text = this.#box.open(sealed, contextOf(name, version)).toString()
      const space = text.indexOf(' ')
      const age = this.#now() - Number(text.slice(0, space))
      if (!(age >= -CLOCKS_APART && age <= LIFE)) return null
      const value = kind.decode(text.slice(space + 1))
      if (kind.endsAt !== undefined && kind.endsAt(value) <= this.#now()) return null
      this.#ages.set(value, Math.max(0, age, LIFE - left))
      return value
    } catch {
      // Sealed under a key that is not known here, or tampered with: as good as not there.
      return null
    }
  }

  #keep<Value extends object> (kind: SharedKind<Value>, keys: readonly string[], values: ReadonlyArray<Value | null>, { version, at }: Beginning): void {
    const names: string[] = []
    const texts: Array<string | number> = []
    for (const [place, key] of keys.entries()) {
      const value = values[place] ?? null
      if (value === null) continue
      const name = `${kind.name}:${nameDigest(key)}`
      const tags = kind.tagsOf(value, key).map(tagKey)
      names.push(name, ...tags)
      texts.push(tags.length, this.#box.seal(`${at} ${kind.encode(value)}`, contextOf(name, version)))
    }
    if (names.length > 0) this.#link.run(FILL, names, [version, LIFE, ...texts])
  }
}

/** Where the time of the latest change is kept. */
export const CLOCK = 'clock'

export function tagKey (tag: string): string {
  return `changed:${nameDigest(tag)}`
}

function contextOf (name: string, version: string): string {
  return `redis ${name} ${version}`
}
