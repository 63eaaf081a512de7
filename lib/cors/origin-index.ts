import { setImmediate as turn } from 'node:timers/promises'

import { compileOrigins, matchesOrigin } from './origin-rules.js'
import type { OriginRules } from './origin-rules.js'
import type { SourceOrigins } from '../../contracts/token-store/index.js'

/** Maximum cost of one slice, before other work runs. Compiling a domain costs 1. A slice takes some milliseconds. */
const SLICE = 1_000
/** Number of domains that can be compared in the time in which one is compiled. */
const COMPARED = 8

/**
 * The origins of all sources, for preflights. A source is compiled only if its settings are new, so a refreshed list
 * costs only its changes, and a lookup costs the same for one source and for thousands. A list is read in slices,
 * between which other work runs.
 */
export class OriginIndex {
  /** The number of sources per rule. */
  readonly #rules = new Map<string, number>()
  /** Compiled rules by the serialised settings of a source. */
  readonly #sources = new Map<string, { key: string, rules: OriginRules }>()
  /** Serialised settings of frozen sources. */
  readonly #keys = new WeakMap<SourceOrigins, string>()
  readonly #underWay = new Map<readonly SourceOrigins[], Promise<void>>()
  /** The list that the rules belong to; `null` while another list is read. */
  #list: readonly SourceOrigins[] | null = null
  #last: Promise<void> = Promise.resolve()
  #any = 0
  #nullOrigin = 0
  #wildcards = 0

  /**
   * Returns whether a source of the list allows the origin: synchronously if the list is the current one, otherwise as
   * a promise. The list must not change afterwards.
   */
  allows (list: readonly SourceOrigins[], origin: string): boolean | Promise<boolean> {
    return list === this.#list ? this.#matches(origin) : this.#follow(list).then(() => this.#matches(origin))
  }

  /** Reads one list after another, and runs other work before each, so that earlier callers get their result first. */
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
   * Yields the cost of each step. After each step the rules match `#sources`, so that a failure leaves them consistent
   * for the next list.
   */
  * #steps (list: readonly SourceOrigins[]): Generator<number> {
    const current = new Set<string>()
    for (const source of list) {
      const known = this.#keys.get(source)
      const key = known ?? keyOf(source)
      yield known === undefined ? 1 + source.domains.length / COMPARED : 1
      let compiled = this.#sources.get(key)
      if (compiled === undefined) {
        compiled = { key, rules: compileOrigins([source]) }
        this.#sources.set(key, compiled)
        this.#count(compiled.rules, 1)
        yield source.domains.length
      }
      // Reuses the stored string, so that the equal new one can be garbage-collected.
      current.add(compiled.key)
      if (Object.isFrozen(source) && Object.isFrozen(source.domains)) this.#keys.set(source, compiled.key)
    }
    for (const { key, rules } of this.#sources.values()) {
      if (current.has(key)) {
        yield 1
        continue
      }
      this.#sources.delete(key)
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

function keyOf ({ domains, allowAnyOrigin, allowNullOrigin }: SourceOrigins): string {
  return `${allowAnyOrigin} ${allowNullOrigin} ${JSON.stringify(domains)}`
}
