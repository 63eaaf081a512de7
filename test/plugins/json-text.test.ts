import fc from 'fast-check'
import t from 'tap'

import { elements, exceeds, memberElements, members, memberText, withoutMember } from '../../plugins/json-text.js'

// V8 13.6 (Node.js 24) reads a key of one escaped character as "\\" once it has seen that key: where JSON.parse, by which all is judged
// here, does that, such keys are left out.
JSON.parse('{"k":0,"\\\\":1}')
const misreads = !Object.hasOwn(JSON.parse('{"k":0,"\\n":1}') as object, '\n')
const readable = (key: string) => !misreads || (JSON.parse(key) as string).length !== 1 || key.length === 3

const space = fc.constantFrom('', '', '', ' ', '\n', '\r\n', '\t ')
const awkward = fc.constantFrom('batch', 'b', '', '\\', '"', '{', '}', '[', ']', ',', ':', '\\"', '\ud800', '\0', '😀')
const text = fc.oneof(awkward, fc.string({ unit: 'binary' }), fc.string()).map((value) => JSON.stringify(value))
const escaped = text.map((json) => json.replace(/[a-z]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`))
const scalar = fc.oneof(text, fc.constantFrom('1', '-0', '1.0', '1e5', '12345678901234567890', 'true', 'false', 'null', '""', '[]', '{}'), fc.integer().map(String))

/** JSON text of any shape, with spaces where JSON allows them. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof({ depthSize: 'medium' }, scalar, arrayOf(tie('json')), objectOf(tie('json')))
}))

function arrayOf (item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(fc.array(fc.tuple(space, item, space), { maxLength: 6 }), space).map(([items, inner]) => {
    return `[${items.map((parts) => parts.join('')).join(',') || inner}]`
  })
}

function objectOf (value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const member = fc.tuple(space, fc.oneof(text, escaped).filter(readable), space, space, value, space).map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`)
  return fc.tuple(fc.array(member, { maxLength: 6 }), space).map(([list, inner]) => `{${list.join(',') || inner}}`)
}

const padded = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.tuple(space, arbitrary, space).map((parts) => parts.join(''))
const RUNS = { numRuns: 1_000 }

t.test('the texts of the elements are what JSON.parse makes of the array', async () => {
  fc.assert(fc.property(padded(arrayOf(json)), (array) => {
    const found = elements(array)
    assertSame(found.map((item) => JSON.parse(item)), JSON.parse(array))
    return found.every((item) => item === item.trim() && array.includes(item))
  }), RUNS)
})

t.test('the members in their order are what JSON.parse makes of the object, the last of a key winning', async () => {
  fc.assert(fc.property(padded(objectOf(json)), (object) => {
    const parsed = JSON.parse(object) as Record<string, unknown>
    const found = members(object)
    for (const { key, text, value } of found) {
      assertSame(JSON.parse(`{${text}}`), JSON.parse(`{${JSON.stringify(key)}:${value}}`))
      assertSame(JSON.parse(memberText(object, key) ?? ''), parsed[key])
    }
    return new Set(found.map(({ key }) => key)).size === Object.keys(parsed).length
  }), RUNS)
})

t.test('the elements of a member are those of the array that JSON.parse gives for it, the last of the name, and none of anything else', async () => {
  fc.assert(fc.property(padded(objectOf(fc.oneof(padded(arrayOf(json)), json))), (object) => {
    for (const key of [...Object.keys(JSON.parse(object) as object), 'absent']) {
      const text = memberText(object, key) ?? ''
      assertSame(memberElements(object, key), text.startsWith('[') ? elements(text) : [])
    }
    return true
  }), RUNS)
})

t.test('without a member the object is the same but for it', async () => {
  fc.assert(fc.property(padded(objectOf(json)), (object) => {
    const parsed = JSON.parse(object) as Record<string, unknown>
    for (const key of [...Object.keys(parsed), 'absent']) {
      const { [key]: removed, ...rest } = parsed
      assertSame(JSON.parse(withoutMember(object, key)), rest)
    }
    return true
  }), RUNS)
})

const UNLIMITED = { depth: Infinity, containers: Infinity, properties: Infinity, eventLevel: 0 }

t.test('J02, J14: levels, containers and properties are counted as they are in what JSON.parse makes of the text', async () => {
  const value = fc.jsonValue({ maxDepth: 8, stringUnit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ':', 'a') })
  fc.assert(fc.property(value, fc.constantFrom('', ' ', '\t'), fc.integer({ min: 0, max: 8 }), (value, indent, limit) => {
    const text = JSON.stringify(value, null, indent)
    return exceeds(text, { ...UNLIMITED, depth: limit }) === (depthOf(value) > limit) &&
      exceeds(text, { ...UNLIMITED, containers: limit }) === (containersIn(value) > limit) &&
      exceeds(text, { ...UNLIMITED, properties: limit }) === (propertiesIn(value) > limit)
  }), RUNS)
})

t.test('J14: the properties of each event count for themselves', async (t) => {
  const events = JSON.stringify({ context: { a: 1 }, batch: [{ a: { b: 1 }, c: 1 }, { a: [{ b: 1 }, { b: 1 }] }, { a: 1 }] })
  t.equal(exceeds(events, { ...UNLIMITED, eventLevel: 2, properties: 3 }), false)
  t.equal(exceeds(events, { ...UNLIMITED, eventLevel: 2, properties: 2 }), true)
  t.equal(exceeds(events, { ...UNLIMITED, properties: 9 }), true, 'all together')
})

t.test('text that is no JSON ends the search, too', async () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', ':', '1', ' ') }), (text) => {
    return typeof exceeds(text, { depth: 3, containers: 5, properties: 5, eventLevel: 1 }) === 'boolean'
  }), RUNS)
})

function depthOf (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

function containersIn (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum: number, child) => sum + containersIn(child), 1)
}

function propertiesIn (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce((sum: number, child) => sum + propertiesIn(child), own)
}

function assertSame (actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
}
