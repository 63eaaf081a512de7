import fc from 'fast-check'
import t from 'tap'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import { AWKWARD_STRINGS } from '../../../conformance/token-store/fixtures.js'

// Any sequence of UTF-16 code units, with special units more often than by chance.
const text = fc.array(
  fc.oneof(
    fc.constantFrom('\0', '\\', 'u', '0', 'd', '8', '\ud800', '\udc00'),
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))
  )
)
  .map((units) => units.join(''))

t.test('every string becomes a string that a text column can store, and is decoded unchanged', async (t) => {
  const check = (original: string) => {
    const column = toColumnText(original)
    return !/[\0\p{Cs}]/u.test(column) && fromColumnText(column) === original
  }
  for (const awkward of AWKWARD_STRINGS) t.ok(check(awkward), JSON.stringify(awkward))
  fc.assert(fc.property(text, check), { numRuns: 2_000 })
})

t.test('two different strings have different encodings', async (t) => {
  const columns = AWKWARD_STRINGS.map(toColumnText)
  t.equal(new Set(columns).size, AWKWARD_STRINGS.length)
  fc.assert(fc.property(text, text, (a, b) => (a === b) === (toColumnText(a) === toColumnText(b))))
})

t.test('an ordinary string is not changed', async (t) => {
  for (const ordinary of ['', 'message-1', 'é 🙂 \u202e', '"quoted" {json: [1]}', "it's %_*", '\n\t\u0001']) {
    t.equal(toColumnText(ordinary), ordinary)
  }
})
