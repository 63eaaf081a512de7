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

t.test('a repeated reference returns the same claims, each time in a new object', async (t) => {
  const verified = new VerifiedReferences()
  const text = reference({ teams: [{ id: 7 }], note: 'Ünal \ud800' })
  const asked = { keys: [KEY], audience, now: NOW }
  const expected = verifyUserReference(text, asked)
  const [first, second, third] = [1, 2, 3].map(() => verified.verify(text, asked))
  t.same([first, second, third], [expected, expected, expected])
  t.not(second, third)
  t.not(second?.['teams'], third?.['teams'])
})

t.test('a repeated reference is invalid after its end', async (t) => {
  const verified = new VerifiedReferences()
  const text = reference()
  const at = (now: number) => verified.verify(text, { keys: [KEY], audience, now }) !== null
  t.same([at(NOW), at(NOW + 59_999), at(NOW + 60_000), at(NOW)], [true, true, false, true])
})

t.test('a repeated reference is valid only while its key is among the keys', async (t) => {
  const verified = new VerifiedReferences()
  const text = reference()
  const by = (...keys: string[]) => verified.verify(text, { keys, audience, now: NOW }) !== null
  t.same([by(KEY), by(KEY), by(OTHER), by(KEY, OTHER), by(OTHER, KEY), by(OTHER), by(KEY)], [true, true, false, true,
    true, false, true])
})

t.test('an invalid reference is not cached as valid, and no value close to a valid reference passes', async (t) => {
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
