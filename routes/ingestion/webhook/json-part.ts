import { INVALID_REQUEST } from '../../../lib/errors.js'
import { elements, members } from '../../../lib/json/text.js'

/** A part of a valid JSON text. Returns the text of its own parts as received, and scans each part at most once. */
export class JsonPart {
  readonly text: string
  /** `null` for a key that occurs twice. */
  #texts: readonly string[] | ReadonlyMap<string, string | null> | undefined
  #parts: Map<string | number, JsonPart> | undefined

  constructor (text: string) {
    this.text = text
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
      const text = this.#textOf(step)
      if (text === undefined) return undefined
      part = new JsonPart(text)
      this.#parts.set(step, part)
    }
    return part
  }

  #textOf (step: string | number): string | undefined {
    this.#texts ??= this.text.trimStart().startsWith('[') ? elements(this.text) : this.#members()
    if (!(this.#texts instanceof Map)) return (this.#texts as readonly string[])[Number(step)]
    const text = this.#texts.get(String(step))
    if (text === null) throw new INVALID_REQUEST({ message: 'A property that the mapping reads occurs twice' })
    return text
  }

  #members (): Map<string, string | null> {
    const texts = new Map<string, string | null>()
    for (const { key, value } of members(this.text)) texts.set(key, texts.has(key) ? null : value)
    return texts
  }
}
