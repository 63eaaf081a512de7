import fc from 'fast-check'
import t from 'tap'

import { decodeRepeatedly } from '../../../signing/boldbi/decode-repeatedly.js'

/** The definition: decodes until nothing changes, at most four times. */
function again (text: string): string | null {
  for (let times = 0; times <= 4; times++) {
    const decoded = text.replace(
      /%(?:u00)?([0-7][0-9a-f])/gi,
      (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))
    )
    if (decoded === text) return text
    text = decoded
  }
  return null
}

t.test('a string is decoded until it no longer changes', async (t) => {
  const cases: Array<[text: string, expected: string | null]> = [
    ['', ''],
    ['%', '%'],
    ['%4', '%4'],
    ['%zz%', '%zz%'],
    ['%41', 'A'],
    ['%u0041', 'A'],
    ['%U004a', 'J'],
    ['%u0141', '%u0141'],
    ['%80', '%80'],
    ['%%34%31', 'A'],
    ['%2541', 'A'],
    ['%25u00%34%31', 'A'],
    ['%%2541', '%A'],
    ['%25252541', 'A'],
    ['%2525252541', null],
    ['%7', '%7'],
    ['%u004', '%u004'],
    ['é%26\ud800', 'é&\ud800']
  ]
  for (const [text, expected] of cases) t.equal(decodeRepeatedly(text), expected, text)
})

t.test('one pass returns the result of repeated decoding', async () => {
  const piece = fc.constantFrom(
    '%',
    '2',
    '5',
    '4',
    '1',
    'u',
    'U',
    '0',
    '00',
    '25',
    '%25',
    '%32',
    '%35',
    '%75',
    '%30',
    'u00',
    'x',
    '%80',
    'é',
    '\ud800'
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) =>
      decodeRepeatedly(pieces.join('')) === again(pieces.join(''))),
    { numRuns: 20_000 }
  )
})
