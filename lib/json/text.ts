// Looks into JSON text that JSON.parse has accepted, so that a part of it can be kept as it came: parsed and written anew,
// 1.0 would be 1 and a long integer another number. Limits are counted before JSON.parse, whose time they bound.

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
  const found: Elements = { texts: [], members: [] }
  collectElements(array, skipSpace(array, 0), found)
  return found.texts
}

export interface Elements {
  texts: string[]
  /** How many members the objects in each element have together. */
  members: number[]
}

/** The elements of the array that JSON.parse would give for a key, in one pass; none if it is no array. */
export function memberElements (object: string, key: string): Elements {
  let found: Elements = { texts: [], members: [] }
  visitMembers(object, (name, _at, start) => {
    if (name !== key) return endOfValue(object, start)
    found = { texts: [], members: [] }
    return object.charCodeAt(start) === OPEN_BRACKET ? collectElements(object, start, found) : endOfValue(object, start)
  })
  return found
}

/**
 * The text of a member in an object whose end may be missing, or be no JSON. `undefined` where the member does not stand there with all of
 * its value.
 */
export function memberInHead (head: string, key: string): string | undefined {
  let found: string | undefined
  try {
    visitMembers(head, (name, _at, start) => {
      const end = endOfValue(head, start)
      if (name === key && end < head.length) found ??= head.slice(start, end)
      return end
    })
  } catch {
    // A key with a wrong escape.
  }
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
function collectElements (text: string, start: number, { texts, members }: Elements): number {
  let at = skipSpace(text, start + 1)
  while (text.charCodeAt(at) !== OPEN_BRACKET + 2) {
    colons = 0
    const end = endOfValue(text, at)
    texts.push(text.slice(at, end))
    members.push(colons)
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
  /** Members of objects and elements of arrays in all; an empty object or array counts as one that has one. */
  values: number
  /** Members of all objects together; the time of JSON.parse is mostly theirs. */
  members: number
  /** Members of what lies at one place of level `eventLevel`, with all that is in it. */
  eventMembers: number
  /** Members of the objects around the events, and of their objects: level `eventLevel` and above. */
  outerMembers: number
  /** How many levels there are around an event. */
  eventLevel: number
}

/**
 * How many members the objects of a text have together, -1 if it goes beyond a limit: counted at a fraction of the work of JSON.parse, and
 * also in text that is no JSON. Where JSON.parse makes fewer properties of a text, a key occurs twice in an object.
 */
export function countMembers (text: string, { depth, values, members, eventMembers, outerMembers, eventLevel }: TextLimits): number {
  let level = 0
  let left = values
  let count = 0
  let outer = 0
  /** The members before the event that is being counted. */
  let before = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (code === COMMA) {
      if (--left < 0) return -1
    } else if (code === COLON) {
      if (++count > members) return -1
      if (level > eventLevel) {
        if (count - before > eventMembers) return -1
      } else {
        before = count
        if (++outer > outerMembers) return -1
      }
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      if (++level > depth || --left < 0) return -1
    } else if (code === OPEN_BRACKET + 2 || code === OPEN_BRACE + 2) {
      if (--level <= eventLevel) before = count
    }
  }
  return count
}

/**
 * No fewer than the members of a text, and for most texts as many: a third of the work of `countMembers`. A string in which a colon follows a
 * quotation mark counts as a member.
 */
export function mostMembers (text: string): number {
  let most = 0
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    let before = colon - 1
    while (isSpace(text.charCodeAt(before))) before--
    if (text.charCodeAt(before) === QUOTE) most++
  }
  return most
}

function textOf (quoted: string): string {
  return quoted.includes('\\') ? JSON.parse(quoted) as string : quoted.slice(1, -1)
}

/** Counts the colons that `endOfValue` passes outside of strings. */
let colons = 0

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
    } else if (code === COLON) colons++
    else if (depth === 0 && (code === COMMA || isSpace(code))) return at
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
