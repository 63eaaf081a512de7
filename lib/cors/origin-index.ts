import { setImmediate as turn } from 'node:timers/promises'

import { compileOrigins, matchesOrigin } from './origin-rules.js'
import type { OriginRules } from './origin-rules.js'
import type { SourceOrigins } from '../../contracts/token-store/index.js'

/** How much is done before all else gets its turn: a domain that is compiled costs 1. Some milliseconds. */
const SLICE = 1_000
/** So many domains are compared in the time in which one is compiled. */
const COMPARED = 8

/**
 * The origins of all sources together, for preflights. A source is compiled when its text is new, and a refreshed list
 * costs what has changed in it; asking costs the same for one source and for thousands. A list is read in slices,
 * between which everything else gets its turn.
 */
export class OriginIndex {
  /** How many sources have each rule. */
  readonly #rules = new Map<string, number>()
  /** By the text of a source. */
  readonly #sources = new Map<string, { text: string, rules: OriginRules }>()
  /** Of the sources that cannot change. */
  readonly #texts = new WeakMap<SourceOrigins, string>()
  readonly #underWay = new Map<readonly SourceOrigins[], Promise<void>>()
  /** The list that the rules are those of; none while another one is read. */
  #list: readonly SourceOrigins[] | null = null
  #last: Promise<void> = Promise.resolve()
  #any = 0
  #nullOrigin = 0
  #wildcards = 0

  /**
   * Whether a source of the list allows the origin: at once if the list is the one asked with before, else by a promise.
   * The list must not change afterwards.
   */
  allows (list: readonly SourceOrigins[], origin: string): boolean | Promise<boolean> {
    return list === this.#list ? this.#matches(origin) : this.#follow(list).then(() => this.#matches(origin))
  }

  /** One list after another, with a turn before each: whoever waits for one is answered before the next is read. */
  #follow (list: readonly SourceOrigins[]): Promise<void> {
    const known = this.#underWay.get(list)
    if (known !== undefined) return known
    const reading = this.#last.then(() => turn()).then(() => this.#read(list))
      .finally(() => this.#underWay.delete(list))
    this.#last = reading.catch(() => {})
    this.#underWay.set(list, reading)
    return reading
  }

  async #read (list: readonly SourceOrigins[]): Promise<void> {
    this.#list = null
    let left = SLICE
    for (const cost of this.#steps(list)) {
      left -= cost
      if (left > 0) continue
      await turn()
      left = SLICE
    }
    this.#list = list
  }

  /**
   * Yields what each step has cost. The rules are those of `#sources` after each, so that the next list finds them right
   * when this one fails.
   */
  * #steps (list: readonly SourceOrigins[]): Generator<number> {
    const texts = new Set<string>()
    for (const source of list) {
      const known = this.#texts.get(source)
      const text = known ?? textOf(source)
      yield known === undefined ? 1 + source.domains.length / COMPARED : 1
      let compiled = this.#sources.get(text)
      if (compiled === undefined) {
        compiled = { text, rules: compileOrigins([source]) }
        this.#sources.set(text, compiled)
        this.#count(compiled.rules, 1)
        yield source.domains.length
      }
      // The text that is kept anyway, so that an equal one is garbage at once.
      texts.add(compiled.text)
      if (Object.isFrozen(source) && Object.isFrozen(source.domains)) this.#texts.set(source, compiled.text)
    }
    for (const { text, rules } of this.#sources.values()) {
      if (texts.has(text)) {
        yield 1
        continue
      }
      this.#sources.delete(text)
      this.#count(rules, -1)
      yield 1 + rules.rules.size
    }
  }

  #matches (origin: string): boolean {
    const [any, nullOrigin, wildcards] = [this.#any > 0, this.#nullOrigin > 0, this.#wildcards > 0]
    return matchesOrigin({ any, nullOrigin, wildcards, rules: this.#rules }, origin)
  }

  #count ({ any, nullOrigin, wildcards, rules }: OriginRules, by: 1 | -1): void {
    if (any) this.#any += by
    if (nullOrigin) this.#nullOrigin += by
    if (wildcards) this.#wildcards += by
    for (const rule of rules.keys()) {
      const count = (this.#rules.get(rule) ?? 0) + by
      if (count === 0) this.#rules.delete(rule)
      else this.#rules.set(rule, count)
    }
  }
}

function textOf ({ domains, allowAnyOrigin, allowNullOrigin }: SourceOrigins): string {
  return `${allowAnyOrigin} ${allowNullOrigin} ${JSON.stringify(domains)}`
}
