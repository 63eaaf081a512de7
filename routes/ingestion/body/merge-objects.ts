import { members } from '../../../lib/json/text.js'

const OPEN_BRACE = 123

interface Place {
  /** The key and the value as they came; of a key that occurs twice all of them. */
  text: string
  /** The last value of the key. */
  value: string
  /** Where the member lies in the text of all, and where the next begins. */
  start: number
  end: number
}

/** A JSON object as text, whose members are read once, when they are asked for. */
export class ObjectText {
  readonly text: string
  #places: ReadonlyMap<string, Place> | undefined
  #nested: Map<string, ObjectText> | undefined
  /** Its members, each key at one place and with a comma behind it. */
  #inside = ''

  /** @param text a JSON object that JSON.parse has accepted */
  constructor (text: string) {
    this.text = text
  }

  get members (): ReadonlyMap<string, Readonly<Place>> {
    this.#places ??= this.#read()
    return this.#places
  }

  /** The object at a key, `null` if the value there is not an object. */
  nested (key: string): ObjectText | null {
    const value = this.members.get(key)?.value
    if (value === undefined || value.charCodeAt(0) !== OPEN_BRACE) return null
    this.#nested ??= new Map()
    let nested = this.#nested.get(key)
    if (nested === undefined) this.#nested.set(key, nested = new ObjectText(value))
    return nested
  }

  /** The text with other members, each its key and value as text. Members that stay are not copied one by one: 500 events may share thousands. */
  with (changes: ReadonlyMap<string, string>): string {
    if (changes.size === 0) return this.text
    const replaced: Place[] = []
    for (const key of changes.keys()) {
      const place = this.members.get(key)
      if (place !== undefined) replaced.push(place)
    }
    replaced.sort((one, other) => one.start - other.start)
    let kept = ''
    let from = 0
    for (const { start, end } of replaced) {
      kept += this.#inside.slice(from, start)
      from = end
    }
    return `{${kept}${this.#inside.slice(from)}${Array.from(changes.values()).join(',')}}`
  }

  #read (): Map<string, Place> {
    const places = new Map<string, Place>()
    for (const { key, text, value } of members(this.text)) {
      const before = places.get(key)
      // Both members of a key that occurs twice stay; to be merged, the last one counts, as for JSON.parse.
      places.set(key, { text: before === undefined ? text : `${before.text},${text}`, value, start: 0, end: 0 })
    }
    for (const place of places.values()) {
      place.start = this.#inside.length
      this.#inside += `${place.text},`
      place.end = this.#inside.length
    }
    return places
  }
}

/**
 * The members by which `over` changes `under`: its own, and where both have an object at a key, the two merged in the same way.
 *
 * @example
 * const under = new ObjectText('{"a":{"b":1.0},"c":1}')
 * under.with(mergedMembers(under, new ObjectText('{"a":{"d":2}}'))) // '{"c":1,"a":{"b":1.0,"d":2}}'
 */
export function mergedMembers (under: ObjectText, over: ObjectText): Map<string, string> {
  const changes = new Map<string, string>()
  for (const [key, { text, value }] of over.members) {
    const below = under.nested(key)
    const above = below === null ? null : over.nested(key)
    const both = below !== null && above !== null
    changes.set(key, both ? text.slice(0, text.length - value.length) + below.with(mergedMembers(below, above)) : text)
  }
  return changes
}
