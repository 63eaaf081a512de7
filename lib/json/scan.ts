// Scans JSON strings that JSON.parse has accepted, so that parts of them can be kept unchanged: after parsing and
// serialising, 1.0 becomes 1 and a long integer loses digits. Limits are checked before JSON.parse, to bound its time.

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BACKSLASH = 92
const OPEN_BRACKET = 91
const OPEN_BRACE = 123

export interface Member {
  key: string
  /** The key and the value as they were sent. */
  source: string
  value: string
}

/** Returns the properties of an object in order, including repeated keys, of which JSON.parse keeps the last one. */
export function members (object: string): Member[] {
  const found: Member[] = []
  visitMembers(object, (key, at, start) => {
    const end = endOfValue(object, start)
    found.push({ key, source: object.slice(at, end), value: object.slice(start, end) })
    return end
  })
  return found
}

/** Returns the elements of an array as JSON strings. */
export function elements (array: string): string[] {
  const found: Elements = { values: [], members: [] }
  collectElements(array, skipSpace(array, 0), found, null)
  return found.values
}

export interface Elements {
  values: string[]
  /** The number of properties of all objects in each element. */
  members: number[]
}

/**
 * Where the arrays and objects at one level of a JSON string begin and end, and the commas between their elements.
 */
export interface Boundaries {
  at: number[]
  /** The number of properties before each of them. */
  members: number[]
}

/**
 * Returns the elements of the array that JSON.parse would return for a key, in one pass; empty if it is not an array.
 *
 * @param boundaries of level 2, as `countMembers` returned them, which save the pass. Default: `null`
 */
export function memberElements (object: string, key: string, boundaries: Boundaries | null = null): Elements {
  let found: Elements = { values: [], members: [] }
  visitMembers(object, (name, _at, start) => {
    if (name !== key) return endOfValue(object, start)
    found = { values: [], members: [] }
    return object.charCodeAt(start) === OPEN_BRACKET
      ? collectElements(object, start, found, boundaries)
      : endOfValue(object, start)
  })
  return found
}

/**
 * Returns the JSON of a property in an object that may be cut off or invalid at its end. Returns `undefined` unless the
 * property is present with its complete value.
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
    // A key contains an invalid escape.
  }
  return found
}

/** Calls `visit` with the key of each property and where key and value start; `visit` returns where the value ends. */
function visitMembers (object: string, visit: (key: string, at: number, start: number) => number): void {
  let at = skipSpace(object, skipSpace(object, 0) + 1)
  while (object.charCodeAt(at) === QUOTE) {
    const keyEnd = endOfString(object, at)
    const end = visit(parseKey(object.slice(at, keyEnd)), at, skipSpace(object, skipSpace(object, keyEnd) + 1))
    at = skipSpace(object, end)
    if (object.charCodeAt(at) === COMMA) at = skipSpace(object, at + 1)
  }
}

/** Adds the elements of the array that starts at `start`, and returns where it ends. */
function collectElements (
  json: string,
  start: number,
  { values, members }: Elements,
  boundaries: Boundaries | null
): number {
  let next = boundaries === null ? 0 : indexIn(boundaries.at, start) + 1
  let at = skipSpace(json, start + 1)
  while (json.charCodeAt(at) !== OPEN_BRACKET + 2) {
    let end: number
    if (boundaries === null) {
      colons = 0
      end = endOfValue(json, at)
      members.push(colons)
    } else {
      end = skipSpaceBack(json, boundaries.at[next] ?? json.length)
      members.push((boundaries.members[next] ?? 0) - (boundaries.members[next - 1] ?? 0))
      next++
    }
    values.push(json.slice(at, end))
    at = skipSpace(json, end)
    if (json.charCodeAt(at) === COMMA) at = skipSpace(json, at + 1)
  }
  return at + 1
}

/** Returns the index of a number in a sorted list. A linear search would take too long for thousands of equal keys. */
function indexIn (sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Infinity) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Returns the JSON of the property that JSON.parse would return. */
export function memberJson (object: string, key: string): string | undefined {
  return members(object).findLast((member) => member.key === key)?.value
}

/** Returns the object without a property. */
export function withoutMember (object: string, key: string): string {
  return `{${members(object).filter((member) => member.key !== key).map(({ source }) => source).join(',')}}`
}

export interface ScanLimits {
  /** Maximum nesting depth. */
  depth: number
  /** Maximum number of properties and elements together; an empty object or array counts as 1. */
  values: number
  /** Maximum number of properties of all objects, which determine most of the time of JSON.parse. */
  members: number
  /** Maximum number of properties of one event: a value at level `eventLevel` and everything in it. */
  eventMembers: number
  /** Maximum number of properties outside the events: at level `eventLevel` and above. */
  outerMembers: number
  /** Number of levels around an event. */
  eventLevel: number
}

/**
 * Counts the properties of all objects in a JSON string, or returns -1 beyond a limit. It takes a fraction of the time
 * of JSON.parse and also works on invalid JSON. If JSON.parse returns fewer properties, a key is repeated.
 *
 * @param boundaries receives those of level `eventLevel`. Default: `null`
 */
export function countMembers (
  json: string,
  { depth, values, members, eventMembers, outerMembers, eventLevel }: ScanLimits,
  boundaries: Boundaries | null = null
): number {
  let level = 0
  let left = values
  let count = 0
  let outer = 0
  /** The number of properties before the current event. */
  let before = 0
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfString(json, at) - 1
    else if (code === COMMA) {
      if (--left < 0) return -1
      if (level === eventLevel) addBoundary(boundaries, at, count)
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
      if (level === eventLevel) addBoundary(boundaries, at, count)
    } else if (code === OPEN_BRACKET + 2 || code === OPEN_BRACE + 2) {
      if (level === eventLevel) addBoundary(boundaries, at, count)
      if (--level <= eventLevel) before = count
    }
  }
  return count
}

function addBoundary (boundaries: Boundaries | null, at: number, members: number): void {
  if (boundaries === null) return
  boundaries.at.push(at)
  boundaries.members.push(members)
}

/**
 * Returns an upper bound of the number of properties in a JSON string, usually the exact number, in a third of the time
 * of `countMembers`. A colon after a quotation mark inside a string counts as a property.
 */
export function mostMembers (json: string): number {
  let most = 0
  for (let colon = json.indexOf(':'); colon !== -1; colon = json.indexOf(':', colon + 1)) {
    let before = colon - 1
    while (isSpace(json.charCodeAt(before))) before--
    if (json.charCodeAt(before) === QUOTE) most++
  }
  return most
}

function parseKey (quoted: string): string {
  return quoted.includes('\\') ? JSON.parse(quoted) as string : quoted.slice(1, -1)
}

/** The number of colons outside of strings that `endOfValue` has passed. */
let colons = 0

function endOfValue (json: string, start: number): number {
  const first = json.charCodeAt(start)
  if (first === QUOTE) return endOfString(json, start)
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfString(json, at) - 1
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) depth++
    else if (code === OPEN_BRACKET + 2 || code === OPEN_BRACE + 2) {
      // A number or literal at the end of its container ends before the bracket; a container ends after its own
      // bracket.
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (code === COLON) colons++
    else if (depth === 0 && (code === COMMA || isSpace(code))) return at
  }
  return json.length
}

/** Returns the index after the closing quote, or the length of the string if there is none. */
function endOfString (json: string, start: number): number {
  let quote = json.indexOf('"', start + 1)
  while (quote !== -1) {
    let before = quote - 1
    while (json.charCodeAt(before) === BACKSLASH) before--
    if ((quote - before) % 2 === 1) return quote + 1
    quote = json.indexOf('"', quote + 1)
  }
  return json.length
}

function skipSpace (json: string, start: number): number {
  let at = start
  while (isSpace(json.charCodeAt(at))) at++
  return at
}

/** Returns the index after the last character before `end` that is no space. */
function skipSpaceBack (json: string, end: number): number {
  let at = end
  while (isSpace(json.charCodeAt(at - 1))) at--
  return at
}

function isSpace (code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9
}
