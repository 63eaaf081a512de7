// Looks into JSON text that JSON.parse has accepted, so that a part of it can be kept as it came: parsed and written anew,
// 1.0 would be 1 and a long integer another number.

const QUOTE = 34
const COMMA = 44
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
  let at = skipSpace(object, skipSpace(object, 0) + 1)
  while (object.charCodeAt(at) === QUOTE) {
    const keyEnd = endOfString(object, at)
    const start = skipSpace(object, skipSpace(object, keyEnd) + 1)
    const end = endOfValue(object, start)
    found.push({ key: textOf(object.slice(at, keyEnd)), text: object.slice(at, end), value: object.slice(start, end) })
    at = skipSpace(object, end)
    if (object.charCodeAt(at) === COMMA) at = skipSpace(object, at + 1)
  }
  return found
}

/** The elements of an array, each as its text. */
export function elements (array: string): string[] {
  const found: string[] = []
  let at = skipSpace(array, skipSpace(array, 0) + 1)
  while (array.charCodeAt(at) !== OPEN_BRACKET + 2) {
    const end = endOfValue(array, at)
    found.push(array.slice(at, end))
    at = skipSpace(array, end)
    if (array.charCodeAt(at) === COMMA) at = skipSpace(array, at + 1)
  }
  return found
}

/** The text of the member that JSON.parse would give. */
export function memberText (object: string, key: string): string | undefined {
  return members(object).findLast((member) => member.key === key)?.value
}

/** The same object without a member. */
export function withoutMember (object: string, key: string): string {
  return `{${members(object).filter((member) => member.key !== key).map(({ text }) => text).join(',')}}`
}

/** How deep text nests, counted no further than `limit`; also of text that is no JSON, and without building anything. */
export function nestsDeeper (text: string, limit: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      if (++depth > limit) return true
    } else if (code === OPEN_BRACKET + 2 || code === OPEN_BRACE + 2) depth--
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
