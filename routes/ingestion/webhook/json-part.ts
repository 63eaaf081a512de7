import { elements, members } from '../../../plugins/json-text.js'

/** A part of JSON text that JSON.parse has accepted, which gives the text of its own parts as it came. Each is looked through once. */
export class JsonPart {
  readonly text: string
  #texts: readonly string[] | ReadonlyMap<string, string> | undefined
  #parts: Map<string | number, JsonPart> | undefined

  constructor (text: string) {
    this.text = text
  }

  /** The part that lies there; `undefined` for a place that is none. */
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
    // Of a key that occurs twice the last one counts, as for JSON.parse.
    this.#texts ??= this.text.trimStart().startsWith('[') ? elements(this.text) : new Map(members(this.text).map(({ key, value }) => [key, value]))
    return this.#texts instanceof Map ? this.#texts.get(String(step)) : (this.#texts as readonly string[])[Number(step)]
  }
}
