import { compileOrigins } from './origin-rules.js'
import type { OriginRules } from './origin-rules.js'
import type { SourceOrigins } from './token-store/store.js'

/**
 * The origins of all sources together, for preflights. A source is compiled when its text is new, and a refreshed list costs what has changed in
 * it; asking costs the same for one source and for thousands.
 */
export class OriginIndex implements OriginRules {
  /** How many sources have each rule. */
  readonly rules = new Map<string, number>()
  #list: readonly SourceOrigins[] | null = null
  #sources = new Map<string, OriginRules>()
  #any = 0
  #nullOrigin = 0
  #wildcards = 0

  get any (): boolean { return this.#any > 0 }
  get nullOrigin (): boolean { return this.#nullOrigin > 0 }
  get wildcards (): boolean { return this.#wildcards > 0 }

  /** Takes a list of all sources, which must not change afterwards. */
  follow (list: readonly SourceOrigins[]): OriginRules {
    if (list === this.#list) return this
    const before = this.#sources
    this.#sources = new Map()
    for (const source of list) {
      const text = textOf(source)
      if (this.#sources.has(text)) continue
      const known = before.get(text)
      const rules = known ?? compileOrigins([source])
      this.#sources.set(text, rules)
      if (known === undefined) this.#count(rules, 1)
    }
    for (const [text, rules] of before) if (!this.#sources.has(text)) this.#count(rules, -1)
    this.#list = list
    return this
  }

  #count ({ any, nullOrigin, wildcards, rules }: OriginRules, by: 1 | -1): void {
    if (any) this.#any += by
    if (nullOrigin) this.#nullOrigin += by
    if (wildcards) this.#wildcards += by
    for (const rule of rules.keys()) {
      const count = (this.rules.get(rule) ?? 0) + by
      if (count === 0) this.rules.delete(rule)
      else this.rules.set(rule, count)
    }
  }
}

function textOf ({ domains, allowAnyOrigin, allowNullOrigin }: SourceOrigins): string {
  return `${allowAnyOrigin} ${allowNullOrigin} ${JSON.stringify(domains)}`
}
