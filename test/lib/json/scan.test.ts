import fc from 'fast-check'
import t from 'tap'

import {
  countMembers, elements, memberElements, memberInHead, members, memberJson, mostMembers,
  withoutMember
} from '../../../lib/json/scan.js'
import type { ScanLimits } from '../../../lib/json/scan.js'

// V8 13.6 (Node.js 24) reads a key of one escaped character as "\\" once it has seen that key. JSON.parse is the
// reference of these tests, so that such keys are left out where
// JSON.parse misreads them.
JSON.parse('{"k":0,"\\\\":1}')
const misreads = !Object.hasOwn(JSON.parse('{"k":0,"\\n":1}') as object, '\n')
const readable = (key: string) => !misreads || (JSON.parse(key) as string).length !== 1 || key.length === 3

const space = fc.constantFrom('', '', '', ' ', '\n', '\r\n', '\t ')
const awkward = fc.constantFrom('batch', 'b', '', '\\', '"', '{', '}', '[', ']', ',', ':', '\\"', '\ud800', '\0', '😀')
const source = fc.oneof(awkward, fc.string({ unit: 'binary' }), fc.string()).map((value) => JSON.stringify(value))
const escaped = source.map((json) => json.replace(/[a-z]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`))
const scalar = fc.oneof(
  source,
  fc.constantFrom('1', '-0', '1.0', '1e5', '12345678901234567890', 'true', 'false', 'null', '""', '[]', '{}'),
  fc.integer().map(String)
)

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
  const member = fc.tuple(space, fc.oneof(source, escaped).filter(readable), space, space, value, space).map((
    [a, key, b, c, value, d]
  ) => `${a}${key}${b}:${c}${value}${d}`)
  return fc.tuple(fc.array(member, { maxLength: 6 }), space).map(([list, inner]) => `{${list.join(',') || inner}}`)
}

const padded = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(space, arbitrary, space).map((parts) => parts.join(''))
const RUNS = { numRuns: 1_000 }

t.test('elements returns the JSON of each element that JSON.parse returns', async () => {
  fc.assert(
    fc.property(padded(arrayOf(json)), (array) => {
      const found = elements(array)
      assertSame(found.map((item) => JSON.parse(item)), JSON.parse(array))
      return found.every((item) => item === item.trim() && array.includes(item))
    }),
    RUNS
  )
})

t.test('members returns the properties that JSON.parse returns, with the last value of a repeated key', async () => {
  fc.assert(
    fc.property(padded(objectOf(json)), (object) => {
      const parsed = JSON.parse(object) as Record<string, unknown>
      const found = members(object)
      for (const { key, source, value } of found) {
        assertSame(JSON.parse(`{${source}}`), JSON.parse(`{${JSON.stringify(key)}:${value}}`))
        assertSame(JSON.parse(memberJson(object, key) ?? ''), parsed[key])
      }
      return new Set(found.map(({ key }) => key)).size === Object.keys(parsed).length
    }),
    RUNS
  )
})

t.test('memberElements returns the elements of the array under a key, and an empty list for another type', async () => {
  fc.assert(
    fc.property(padded(objectOf(fc.oneof(padded(arrayOf(json)), json))), (object) => {
      const boundaries = { at: [], members: [] }
      countMembers(object, { ...UNLIMITED, eventLevel: 2 }, boundaries)
      for (const key of [...Object.keys(JSON.parse(object) as object), 'absent']) {
        const source = memberJson(object, key) ?? ''
        const found = memberElements(object, key)
        assertSame(memberElements(object, key, boundaries), found)
        assertSame(found.values, source.startsWith('[') ? elements(source) : [])
        assertSame(found.members, found.values.map((element) => countMembers(element, UNLIMITED)))
      }
      return true
    }),
    RUNS
  )
})

t.test('withoutMember removes one property and changes no other property', async () => {
  fc.assert(
    fc.property(padded(objectOf(json)), (object) => {
      const parsed = JSON.parse(object) as Record<string, unknown>
      for (const key of [...Object.keys(parsed), 'absent']) {
        const { [key]: removed, ...rest } = parsed
        assertSame(JSON.parse(withoutMember(object, key)), rest)
      }
      return true
    }),
    RUNS
  )
})

t.test('memberInHead returns a value that the head contains completely, and no part of a value', async () => {
  fc.assert(
    fc.property(objectOf(json), fc.nat(), (object, cut) => {
      const head = object.slice(0, cut % (object.length + 1))
      for (const { key } of members(object)) {
        const found = memberInHead(head, key)
        if (found !== undefined && found !== members(object).find((member) => member.key === key)?.value) return false
        if (head === object && found === undefined) return false
      }
      return memberInHead(head, 'absent') === undefined
    }),
    RUNS
  )
})

const UNLIMITED: ScanLimits = {
  depth: Infinity,
  values: Infinity,
  members: Infinity,
  eventMembers: Infinity,
  outerMembers: Infinity,
  eventLevel: 0
}

function exceeds (source: string, limits: Partial<ScanLimits>): boolean {
  return countMembers(source, { ...UNLIMITED, ...limits }) === -1
}

t.test('levels, values and members are counted as in the result of JSON.parse', async () => {
  const value = fc.jsonValue({ maxDepth: 8, stringUnit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ':', ',', 'a') })
  fc.assert(
    fc.property(value, fc.constantFrom('', ' ', '\t'), fc.integer({ min: 0, max: 8 }), (value, indent, limit) => {
      const source = JSON.stringify(value, null, indent)
      return exceeds(source, { depth: limit }) === (depthOf(value) > limit) &&
        exceeds(source, { values: limit }) === (valuesIn(value) > limit) &&
        exceeds(source, { members: limit }) === (propertiesIn(value) > limit) &&
        exceeds(source, { eventMembers: limit }) === (propertiesIn(value) > limit) &&
        exceeds(source, { outerMembers: limit, eventLevel: Infinity }) === (propertiesIn(value) > limit)
    }),
    RUNS
  )
})

t.test('each key counts as one member, repeated keys included, and mostMembers returns no lower number', async () => {
  const repeats = padded(objectOf(fc.oneof(objectOf(json), arrayOf(objectOf(json)), json)))
  fc.assert(
    fc.property(repeats, fc.integer({ min: 0, max: 3 }), (source, eventLevel) => {
      const count = countMembers(source, { ...UNLIMITED, eventLevel })
      return count === membersIn(source) && mostMembers(source) >= count
    }),
    { numRuns: 300 }
  )
})

t.test('mostMembers is exact for strings without quotation marks and colons', async () => {
  const plain = fc.jsonValue({ maxDepth: 5, stringUnit: fc.constantFrom('a', '[', '{', ' ', ',') })
  fc.assert(
    fc.property(plain, fc.constantFrom('', ' '), (value, indent) =>
      mostMembers(JSON.stringify(value, null, indent)) === propertiesIn(value)),
    RUNS
  )
})

t.test('properties are counted separately for each event and for the part outside of the events', async (t) => {
  const events = JSON.stringify({
    context: { a: 1 },
    batch: [{ a: { b: 1 }, c: 1 }, { a: [{ b: 1 }, { b: 1 }] }, { a: 1 }]
  })
  t.equal(exceeds(events, { eventLevel: 2, eventMembers: 3, outerMembers: 3 }), false)
  t.equal(exceeds(events, { eventLevel: 2, eventMembers: 2 }), true)
  t.equal(exceeds(events, { eventLevel: 2, outerMembers: 2 }), true)
  t.equal(exceeds(events, { eventLevel: 2, members: 9 }), true)
  t.equal(exceeds(events, { eventMembers: 9 }), true, 'all together')
})

t.test('the scan ends on invalid JSON', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', ':', '1', ' ') }), (source) => {
      const count = countMembers(source, {
        depth: 3,
        values: 5,
        members: 5,
        eventMembers: 5,
        outerMembers: 5,
        eventLevel: 1
      })
      return Number.isInteger(count) && Number.isInteger(mostMembers(source)) &&
        memberInHead(source, 'absent') === undefined
    }),
    RUNS
  )
})

function depthOf (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

/** An empty object or array counts like an object or array with one value. */
function valuesIn (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Object.values(value)
  return own.reduce((sum: number, child) => sum + valuesIn(child), Math.max(own.length, 1))
}

function membersIn (source: string): number {
  const trimmed = source.trim()
  if (trimmed.startsWith('{')) return members(trimmed).reduce((sum, { value }) => sum + 1 + membersIn(value), 0)
  return trimmed.startsWith('[') ? elements(trimmed).reduce((sum, element) => sum + membersIn(element), 0) : 0
}

function propertiesIn (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce((sum: number, child) => sum + propertiesIn(child), own)
}

function assertSame (actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
  }
}
