import { compilePath } from './json-path.js'
import type { Path, Work } from './json-path.js'
import type { JsonPart } from './json-part.js'

/** The input of a mapping: an event as the provider sent it, and the headers of the delivery. */
export interface Subject {
  value: unknown
  part: JsonPart
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** The budget of the whole delivery. */
  work: Work
}

export interface Found {
  value: unknown
  /** The JSON text of the value, as received if it comes from the body. */
  text: string
}

/** A compiled expression of a mapping. */
export interface Expression {
  /** Returns the first match; `null` without a match. */
  first(subject: Subject): Found | null
  /** Returns the JSON text of all matches: an array if several are possible; `null` without a match. */
  all(subject: Subject): string | null
}

const HEADER = /^header:([a-z0-9-]{1,64})$/
const PLACEHOLDER = /\{(\$[^{}]*|header:[^{}]*)\}/g
/** Headers that may contain credentials, which must not be stored in an event. */
const SECRET_HEADER = /authorization|cookie|signature|hmac|secret|token|api-?key|password/

/**
 * Compiles an expression: `$…` (JSONPath), `header:…`, or a template. Throws a TypeError with a message for its author.
 */
export function compileExpression (text: string): Expression {
  if (text.startsWith('$')) return pathExpression(compilePath(text))
  if (text.startsWith('header:')) return headerExpression(text)
  const pieces = text.split(PLACEHOLDER)
  return pieces.length === 1 ? singleMatch(() => foundString(text)) : templateExpression(pieces)
}

/** Returns the names of the headers that an expression reads. */
export function headersOf (text: string): string[] {
  const parts = text.startsWith('header:') ? [text] : text.split(PLACEHOLDER)
  return parts.flatMap((part) => HEADER.exec(part)?.[1] ?? [])
}

/** Returns a string, or the digits of a number as received; `null` for other types. */
export function toPlainString ({ value, text }: Found): string | null {
  return typeof value === 'string' ? value : typeof value === 'number' ? text : null
}

function pathExpression ({ single: isSingle, find }: Path): Expression {
  const locate = (location: ReadonlyArray<string | number>, { part }: Subject): string =>
    part.at(location)?.json ?? 'null'
  const first = (subject: Subject): Found | null => {
    const [node] = find(subject.value, subject.work)
    return node === undefined ? null : { value: node.value, text: locate(node.location, subject) }
  }
  if (isSingle) return singleMatch(first)
  return {
    first,
    all: (subject) =>
      `[${Array.from(find(subject.value, subject.work), ({ location }) => locate(location, subject)).join(',')}]`
  }
}

function headerExpression (text: string): Expression {
  const name = HEADER.exec(text)?.[1]
  if (name === undefined) throw new TypeError('must name a header in lower case, such as header:x-topic')
  if (SECRET_HEADER.test(name)) throw new TypeError('must not name a header that may carry a secret')
  return singleMatch(({ headers }) => {
    const value = headers[name]
    return typeof value === 'string' ? foundString(value) : null
  })
}

/** Compiles literal pieces with placeholders between them. It has no match if a placeholder has no match. */
function templateExpression (pieces: readonly string[]): Expression {
  const parts = pieces.map((piece, at) => at % 2 === 0 ? piece : compileExpression(piece))
  return singleMatch((subject) => {
    let text = ''
    for (const part of parts) {
      const value = typeof part === 'string' ? foundString(part) : part.first(subject)
      const plain = value === null ? null : toPlainString(value)
      if (plain === null) return null
      text += plain
    }
    return foundString(text)
  })
}

function singleMatch (first: Expression['first']): Expression {
  return { first, all: (subject) => first(subject)?.text ?? null }
}

function foundString (value: string): Found {
  return { value, text: JSON.stringify(value) }
}
