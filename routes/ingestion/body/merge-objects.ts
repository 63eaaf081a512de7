import { members } from '../../../lib/json/scan.js'

const OPEN_BRACE = 123

interface Place {
  /** The key and the value as received; all pairs of a key that occurs twice. */
  json: string
  /** The last value of the key. */
  value: string
  /** Start of the member in `#inside`, and start of the next member. */
  start: number
  end: number
}

/** The JSON text of an object. Its members are parsed on first access. */
export class JsonObject {
  readonly json: string
  #places: ReadonlyMap<string, Place> | undefined
  #nested: Map<string, JsonObject> | undefined
  /** All members, grouped by key, each followed by a comma. */
  #inside = ''

  /** @param json a JSON object that `JSON.parse` accepts */
  constructor (json: string) {
    this.json = json
  }

  get members (): ReadonlyMap<string, Readonly<Place>> {
    this.#places ??= this.#read()
    return this.#places
  }

  /** Returns the object at a key; `null` if the value is not an object. */
  nested (key: string): JsonObject | null {
    const value = this.members.get(key)?.value
    if (value === undefined || value.charCodeAt(0) !== OPEN_BRACE) return null
    this.#nested ??= new Map()
    let nested = this.#nested.get(key)
    if (nested === undefined) this.#nested.set(key, nested = new JsonObject(value))
    return nested
  }

  /**
   * Returns the text with the changed members, each given as `"key":value`. Unchanged members are copied in ranges,
   * because 500 events may share a context with thousands of members.
   */
  with (changes: ReadonlyMap<string, string>): string {
    if (changes.size === 0) return this.json
    const replaced: Place[] = []
    for (const key of changes.keys()) {
      const place = this.members.get(key)
      if (place !== undefined) replaced.push(place)
    }
    replaced.sort((one, other) => one.start - other.start)
    let unchanged = ''
    let from = 0
    for (const { start, end } of replaced) {
      unchanged += this.#inside.slice(from, start)
      from = end
    }
    return `{${unchanged}${this.#inside.slice(from)}${Array.from(changes.values()).join(',')}}`
  }

  #read (): Map<string, Place> {
    const places = new Map<string, Place>()
    for (const { key, source: json, value } of members(this.json)) {
      const before = places.get(key)
      // A key that occurs twice keeps both members; a merge reads the last value, as JSON.parse does.
      places.set(key, { json: before === undefined ? json : `${before.json},${json}`, value, start: 0, end: 0 })
    }
    for (const place of places.values()) {
      place.start = this.#inside.length
      this.#inside += `${place.json},`
      place.end = this.#inside.length
    }
    return places
  }
}

/**
 * Returns the members that change when `over` is merged over `under`. Where both have an object at a key, the two
 * objects are merged recursively; otherwise the value of `over` replaces the value of `under`.
 *
 * @example
 * const under = new JsonObject('{"a":{"b":1.0},"c":1}')
 * under.with(mergedMembers(under, new JsonObject('{"a":{"d":2}}'))) // '{"c":1,"a":{"b":1.0,"d":2}}'
 */
export function mergedMembers (under: JsonObject, over: JsonObject): Map<string, string> {
  const changes = new Map<string, string>()
  for (const [key, { json, value }] of over.members) {
    const below = under.nested(key)
    const above = below === null ? null : over.nested(key)
    const both = below !== null && above !== null
    changes.set(key, both ? json.slice(0, json.length - value.length) + below.with(mergedMembers(below, above)) : json)
  }
  return changes
}
