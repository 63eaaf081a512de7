// Looks into JSON text that JSON.parse has accepted, so that a part of it can be kept as it came: parsed and written anew,
// 1.0 would be 1 and a long integer another number.

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BACKSLASH = 92
const OPEN_BRACKET = 91
const OPEN_BRACE = 123

export interface Member {
  key: string
  /** The key and the value as they came. */
  text: string
  value: string
}

/** The members of an object in their order; a key that occurs twice does so here, and JSON.parse takes its last value. */
export function members (object: string): Member[] {
  const found: Member[] = []
  visitMembers(object, (key, at, start) => {
    const end = endOfValue(object, start)
    found.push({ key, text: object.slice(at, end), value: object.slice(start, end) })
    return end
  })
  return found
}

/** The elements of an array, each as its text. */
export function elements (array: string): string[] {
  const found: string[] = []
  collectElements(array, skipSpace(array, 0), found)
  return found
}

/** The elements of the array that JSON.parse would give for a key, `elements(memberText(object, key))` in one pass; none if it is no array. */
export function memberElements (object: string, key: string): string[] {
  let found: string[] = []
  visitMembers(object, (name, _at, start) => {
    if (name !== key) return endOfValue(object, start)
    found = []
    return object.charCodeAt(start) === OPEN_BRACKET ? collectElements(object, start, found) : endOfValue(object, start)
  })
  return found
}

/** Tells of each member its key and where that and the value begin, and is told where the value ends. */
function visitMembers (object: string, visit: (key: string, at: number, start: number) => number): void {
  let at = skipSpace(object, skipSpace(object, 0) + 1)
  while (object.charCodeAt(at) === QUOTE) {
    const keyEnd = endOfString(object, at)
    const end = visit(textOf(object.slice(at, keyEnd)), at, skipSpace(object, skipSpace(object, keyEnd) + 1))
    at = skipSpace(object, end)
    if (object.charCodeAt(at) === COMMA) at = skipSpace(object, at + 1)
  }
}

/** Adds the elements of the array that begins at `start`, and returns where it ends. */
function collectElements (text: string, start: number, found: string[]): number {
  let at = skipSpace(text, start + 1)
  while (text.charCodeAt(at) !== OPEN_BRACKET + 2) {
    const end = endOfValue(text, at)
    found.push(text.slice(at, end))
    at = skipSpace(text, end)
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1)
  }
  return at + 1
}

/** The text of the member that JSON.parse would give. */
export function memberText (object: string, key: string): string | undefined {
  return members(object).findLast((member) => member.key === key)?.value
}

/** The same object without a member. */
export function withoutMember (object: string, key: string): string {
  return `{${members(object).filter((member) => member.key !== key).map(({ text }) => text).join(',')}}`
}

export interface TextLimits {
  /** Levels of nesting. */
  depth: number
  /** Objects and arrays in all. */
  containers: number
  /** Properties of what lies at one place of level `eventLevel`, with all that is in it. */
  properties: number
  /** How many levels there are around an event. */
  eventLevel: number
}

/** Whether a text goes beyond limits, told at a fraction of the work of JSON.parse, and also of text that is no JSON. */
export function exceeds (text: string, limits: TextLimits): boolean {
  let depth = 0
  let containers = 0
  let properties = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (code === COLON) {
      if (depth > limits.eventLevel && ++properties > limits.properties) return true
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      if (++depth > limits.depth || ++containers > limits.containers) return true
    } else if (code === OPEN_BRACKET + 2 || code === OPEN_BRACE + 2) {
      if (--depth <= limits.eventLevel) properties = 0
    }
  }
  return false
}

function textOf (quoted: string): string {
  return quoted.includes('\\') ? JSON.parse(quoted) as string : quoted.slice(1, -1)
}

function endOfValue (text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return endOfString(text, start)
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) depth++
    else if (code === OPEN_BRACKET + 2 || code === OPEN_BRACE + 2) {
      // A number or word at the end of its container stops before the bracket, a container after its own.
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (depth === 0 && (code === COMMA || isSpace(code))) return at
  }
  return text.length
}

/** The place after the closing quote; the end of the text if there is none. */
function endOfString (text: string, start: number): number {
  let quote = text.indexOf('"', start + 1)
  while (quote !== -1) {
    let before = quote - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((quote - before) % 2 === 1) return quote + 1
    quote = text.indexOf('"', quote + 1)
  }
  return text.length
}

function skipSpace (text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

function isSpace (code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9
}
