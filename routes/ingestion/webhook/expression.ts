import { compilePath } from './json-path.js'
import type { Path, Work } from './json-path.js'
import type { JsonPart } from './json-part.js'

/** What a mapping reads: an event as the provider sent it, and the headers that it came with. */
export interface Subject {
  value: unknown
  part: JsonPart
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** Of the whole delivery. */
  work: Work
}

export interface Found {
  value: unknown
  /** As it came, where it came as JSON. */
  text: string
}

/** A text of a mapping, compiled. */
export interface Expression {
  /** The first that it finds, `null` if there is none. */
  first (subject: Subject): Found | null
  /** JSON text of all that it finds: a list if it may find several; `null` if it finds nothing. */
  all (subject: Subject): string | null
}

const HEADER = /^header:([a-z0-9-]{1,64})$/
const PLACEHOLDER = /\{(\$[^{}]*|header:[^{}]*)\}/g
/** What authenticates must not end up in an event. */
const SECRET_HEADER = /authorization|cookie|signature|hmac|secret|token|api-?key|password/

/** Throws a TypeError, in words for who wrote it, for a path or header that is none. */
export function compileExpression (text: string): Expression {
  if (text.startsWith('$')) return path(compilePath(text))
  if (text.startsWith('header:')) return header(text)
  const pieces = text.split(PLACEHOLDER)
  return pieces.length === 1 ? single(() => found(text)) : template(pieces)
}

/** The names of the headers that a text of a mapping reads. */
export function headersOf (text: string): string[] {
  const parts = text.startsWith('header:') ? [text] : text.split(PLACEHOLDER)
  return parts.flatMap((part) => HEADER.exec(part)?.[1] ?? [])
}

/** What a value is as a text, `null` if it is none: numbers with the digits that they came with. */
export function plainText ({ value, text }: Found): string | null {
  return typeof value === 'string' ? value : typeof value === 'number' ? text : null
}

function path ({ single: isSingle, find }: Path): Expression {
  const locate = (location: ReadonlyArray<string | number>, { part }: Subject): string => part.at(location)?.text ?? 'null'
  const one = (subject: Subject): Found | null => {
    const [node] = find(subject.value, subject.work)
    return node === undefined ? null : { value: node.value, text: locate(node.location, subject) }
  }
  if (isSingle) return single(one)
  return {
    first: one,
    all: (subject) => `[${Array.from(find(subject.value, subject.work), ({ location }) => locate(location, subject)).join(',')}]`
  }
}

function header (text: string): Expression {
  const name = HEADER.exec(text)?.[1]
  if (name === undefined) throw new TypeError('must name a header in lower case, such as header:x-topic')
  if (SECRET_HEADER.test(name)) throw new TypeError('must not name a header that may carry a secret')
  return single(({ headers }) => {
    const value = headers[name]
    return typeof value === 'string' ? found(value) : null
  })
}

/** Pieces of text with those that are replaced between them; finds nothing where one of them finds nothing. */
function template (pieces: readonly string[]): Expression {
  const parts = pieces.map((piece, at) => at % 2 === 0 ? piece : compileExpression(piece))
  return single((subject) => {
    let text = ''
    for (const part of parts) {
      const value = typeof part === 'string' ? found(part) : part.first(subject)
      const plain = value === null ? null : plainText(value)
      if (plain === null) return null
      text += plain
    }
    return found(text)
  })
}

function single (first: Expression['first']): Expression {
  return { first, all: (subject) => first(subject)?.text ?? null }
}

function found (value: string): Found {
  return { value, text: JSON.stringify(value) }
}
