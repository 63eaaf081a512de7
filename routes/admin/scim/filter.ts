import { ENTERPRISE_URN, GROUP_URN, USER_URN } from './attributes.js'
import { invalid } from './errors.js'

/** The path of an attribute: `emails[type eq "work"].value` has a name, conditions and a sub-attribute. */
export interface AttributePath {
  /** The URN of an extension; `null` for the core schema. */
  extension: typeof ENTERPRISE_URN | null
  /** In lower case; empty for the whole extension. */
  name: string
  /** The conditions in brackets; `null` without brackets. */
  conditions: Condition[] | null
  /** In lower case. */
  sub: string | null
}

export type Literal = string | number | boolean | null

/** One comparison of a filter. */
export interface Condition {
  path: AttributePath
  operator: 'eq' | 'co' | 'sw' | 'pr'
  /** `null` for `pr`. */
  value: Literal
}

const MAX_LENGTH = 1_000
const MAX_CONDITIONS = 10
// A URN contains colons and dots, so the sub-attribute is split off later.
const NAME = /[A-Za-z][\w:.$-]*/y
const SUB = /\.([A-Za-z$][\w$-]*)/y
const SPACE = / +/y
const OPERATOR = /[A-Za-z]+/y
const LITERAL = /"(?:[^"\\]|\\.)*"|true|false|null|-?\d{1,15}(?:\.\d{1,15})?/iy
const CORE_URNS = [USER_URN, GROUP_URN].map((urn) => `${urn}:`.toLowerCase())

/**
 * Parses a filter: comparisons by `eq`, `co`, `sw` and `pr`, joined by `and`. Throws `invalidFilter` for everything
 * else, and beyond 1 000 characters or 10 comparisons.
 *
 * @example parseFilter('userName eq "ann" and active eq true')
 */
export function parseFilter (filter: string): Condition[] {
  if (filter.length > MAX_LENGTH) throw invalid('invalidFilter', `A filter has at most ${MAX_LENGTH} characters`)
  const scanner = new Scanner(filter.trim(), 'invalidFilter')
  const conditions = scanner.conditions(true)
  scanner.end()
  return conditions
}

/** Parses the path of a PATCH operation. Throws `invalidPath`. */
export function parsePath (path: string): AttributePath {
  if (path.length > MAX_LENGTH) throw invalid('invalidPath', `A path has at most ${MAX_LENGTH} characters`)
  const scanner = new Scanner(path.trim(), 'invalidPath')
  const parsed = scanner.path(true)
  scanner.end()
  return parsed
}

class Scanner {
  readonly #text: string
  readonly #scimType: 'invalidFilter' | 'invalidPath'
  #at = 0

  constructor (text: string, scimType: 'invalidFilter' | 'invalidPath') {
    this.#text = text
    this.#scimType = scimType
  }

  conditions (mayNest: boolean): Condition[] {
    const found = [this.#condition(mayNest)]
    for (;;) {
      const before = this.#at
      if (this.#take(SPACE) === null || this.#take(OPERATOR)?.toLowerCase() !== 'and') {
        this.#at = before
        return found
      }
      this.#expect(SPACE)
      if (found.length === MAX_CONDITIONS) throw this.#error(`more than ${MAX_CONDITIONS} comparisons`)
      found.push(this.#condition(mayNest))
    }
  }

  path (mayNest: boolean): AttributePath {
    const name = this.#expect(NAME)
    let conditions: Condition[] | null = null
    if (this.#text[this.#at] === '[') {
      if (!mayNest) throw this.#error('nested brackets')
      this.#at++
      conditions = this.conditions(false)
      if (this.#text[this.#at++] !== ']') throw this.#error('no closing bracket')
    }
    const sub = conditions === null ? null : this.#take(SUB)?.slice(1) ?? null
    return splitName(name, conditions, sub)
  }

  end (): void {
    if (this.#at !== this.#text.length) throw this.#error('unsupported syntax')
  }

  #condition (mayNest: boolean): Condition {
    const path = this.path(mayNest)
    this.#expect(SPACE)
    const operator = this.#expect(OPERATOR).toLowerCase()
    if (operator === 'pr') return { path, operator, value: null }
    if (operator !== 'eq' && operator !== 'co' && operator !== 'sw') throw this.#error('an unsupported operator')
    this.#expect(SPACE)
    const literal = this.#expect(LITERAL)
    return { path, operator, value: this.#literal(literal) }
  }

  #literal (literal: string): Literal {
    try {
      return JSON.parse(literal.startsWith('"') ? literal : literal.toLowerCase()) as Literal
    } catch {
      throw this.#error('a value that is not valid')
    }
  }

  #take (token: RegExp): string | null {
    token.lastIndex = this.#at
    const [found = null] = token.exec(this.#text) ?? []
    if (found !== null) this.#at += found.length
    return found
  }

  #expect (token: RegExp): string {
    const found = this.#take(token)
    if (found === null) throw this.#error('unsupported syntax')
    return found
  }

  #error (problem: string): Error {
    const what = this.#scimType === 'invalidPath' ? 'The path' : 'The filter'
    return invalid(this.#scimType, `${what} has ${problem} at character ${this.#at + 1}`)
  }
}

function splitName (full: string, conditions: Condition[] | null, after: string | null): AttributePath {
  const lower = full.toLowerCase()
  const enterprise = ENTERPRISE_URN.toLowerCase()
  if (lower === enterprise) return { extension: ENTERPRISE_URN, name: '', conditions, sub: after }
  const isExtension = lower.startsWith(`${enterprise}:`)
  const core = CORE_URNS.find((urn) => lower.startsWith(urn))
  const short = isExtension ? lower.slice(enterprise.length + 1) : lower.slice(core?.length ?? 0)
  const dot = conditions === null && !short.includes(':') ? short.indexOf('.') : -1
  return {
    extension: isExtension ? ENTERPRISE_URN : null,
    name: dot === -1 ? short : short.slice(0, dot),
    conditions,
    sub: dot === -1 ? after?.toLowerCase() ?? null : short.slice(dot + 1)
  }
}
