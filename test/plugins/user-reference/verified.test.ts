import t from 'tap'

import { VerifiedReferences } from '../../../plugins/user-reference/verified-references.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { signUserReference, verifyUserReference } from '../../../signing/user-reference.js'

const KEY = generateSecret()
const OTHER = generateSecret()
const NOW = 1_700_000_000_000
const audience = 'embeds'

function reference (more: object = {}, key = KEY): string {
  return signUserReference({ sub: 'ann', ...more }, { key, audience, ttl: 60_000, now: NOW })
}

t.test('a reference that was seen before gives what it gave the first time, and each time an object of its ' +
  'own', async (t) => {
  const verified = new VerifiedReferences()
  const text = reference({ teams: [{ id: 7 }], note: 'Ünal \ud800' })
  const asked = { keys: [KEY], audience, now: NOW }
  const expected = verifyUserReference(text, asked)
  const [first, second, third] = [1, 2, 3].map(() => verified.verify(text, asked))
  t.same([first, second, third], [expected, expected, expected])
  t.not(second, third)
  t.not(second?.['teams'], third?.['teams'])
})

t.test('a reference that was seen before ends when it ends', async (t) => {
  const verified = new VerifiedReferences()
  const text = reference()
  const at = (now: number) => verified.verify(text, { keys: [KEY], audience, now }) !== null
  t.same([at(NOW), at(NOW + 59_999), at(NOW + 60_000), at(NOW)], [true, true, false, true])
})

t.test('other keys make all that was seen before worth nothing; the same keys in another list do not', async (t) => {
  const verified = new VerifiedReferences()
  const text = reference()
  const by = (...keys: string[]) => verified.verify(text, { keys, audience, now: NOW }) !== null
  t.same([by(KEY), by(KEY), by(OTHER), by(KEY, OTHER), by(OTHER, KEY), by(OTHER), by(KEY)], [true, true, false, true,
    true, false, true])
})

t.test('what did not hold is not remembered as if it did, and nothing near a good reference holds', async (t) => {
  const verified = new VerifiedReferences()
  const good = reference()
  const asked = { keys: [KEY], audience, now: NOW }
  t.not(verified.verify(good, asked), null)
  const bad: unknown[] = [
    reference({}, OTHER),
    good.slice(0, -1),
    `${good} `,
    ` ${good}`,
    good.toUpperCase(),
    '',
    'ann',
    undefined,
    null,
    7,
    [good],
    { toString: () => good }
  ]
  for (const text of [...bad, ...bad]) t.equal(verified.verify(text as string, asked), null, String(text))
})
