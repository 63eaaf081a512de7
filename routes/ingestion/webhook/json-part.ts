import { INVALID_REQUEST } from '../../../lib/errors.js'
import { elements, members } from '../../../lib/json/scan.js'

/** A part of a valid JSON string. Returns the JSON of its parts as received, and scans each part at most once. */
export class JsonPart {
  readonly json: string
  /** `null` for a key that occurs twice. */
  #raw: readonly string[] | ReadonlyMap<string, string | null> | undefined
  #parts: Map<string | number, JsonPart> | undefined

  constructor (json: string) {
    this.json = json
  }

  /**
   * Returns the part at a location, `undefined` if there is none. Throws `INVALID_REQUEST` if one of its keys occurs
   * twice.
   */
  at (location: ReadonlyArray<string | number>): JsonPart | undefined {
    const [step, ...rest] = location
    return step === undefined ? this : this.#child(step)?.at(rest)
  }

  #child (step: string | number): JsonPart | undefined {
    this.#parts ??= new Map()
    let part = this.#parts.get(step)
    if (part === undefined) {
      const json = this.#jsonOf(step)
      if (json === undefined) return undefined
      part = new JsonPart(json)
      this.#parts.set(step, part)
    }
    return part
  }

  #jsonOf (step: string | number): string | undefined {
    this.#raw ??= this.json.trimStart().startsWith('[') ? elements(this.json) : this.#members()
    if (!(this.#raw instanceof Map)) return (this.#raw as readonly string[])[Number(step)]
    const json = this.#raw.get(String(step))
    if (json === null) throw new INVALID_REQUEST({ message: 'A property that the mapping reads occurs twice' })
    return json
  }

  #members (): Map<string, string | null> {
    const found = new Map<string, string | null>()
    for (const { key, value } of members(this.json)) found.set(key, found.has(key) ? null : value)
    return found
  }
}
