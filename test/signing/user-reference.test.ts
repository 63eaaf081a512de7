import t from 'tap'

import { hmacSha256 } from '../../signing/digest.js'
import { signUserReference, verifyUserReference } from '../../signing/user-reference.js'

const KEY = 'current-key-0123456789abcdefghijklmnop'
const OLD = 'previous-key-0123456789abcdefghijklmno'
const NOW = 1_788_000_000_000
const SIGN = { key: KEY, audience: 'guest-token', now: NOW }
const VERIFY = { keys: [KEY], audience: 'guest-token', now: NOW }

t.test('a reference returns its claims until it expires, 12 hours later by default', async (t) => {
  const reference = signUserReference({ sub: 'user 42 é', org: { id: 7 } }, SIGN)
  t.match(reference, /^v1\.[\w-]+\.[\w-]{43}$/)
  const claims = { sub: 'user 42 é', org: { id: 7 }, aud: 'guest-token', iat: NOW, exp: NOW + 43_200_000 }
  t.same(verifyUserReference(reference, VERIFY), claims)
  t.same(verifyUserReference(reference, { ...VERIFY, now: NOW + 43_199_999 }), claims)
  t.equal(verifyUserReference(reference, { ...VERIFY, now: NOW + 43_200_000 }), null)
  t.equal(verifyUserReference(reference, { ...VERIFY, now: NaN }), null)
  t.equal(verifyUserReference(signUserReference({ sub: 'u' }, { ...SIGN, ttl: 1 }), { ...VERIFY, now: NOW + 1 }), null)
  t.equal(
    verifyUserReference(signUserReference({ sub: 'u' }, { key: KEY, audience: 'a' }), { keys: [KEY], audience: 'a' })
      ?.sub,
    'u',
    'on the clock'
  )
})

t.test('a reference that was signed more than 30 s ahead is refused', async (t) => {
  for (
    const [ahead, isValid] of [[1, true], [30_000, true], [30_001, false], [300_000, false], [86_400_000,
      false]] as const
  ) {
    const reference = signUserReference({ sub: 'u' }, { ...SIGN, now: NOW + ahead })
    t.equal(verifyUserReference(reference, VERIFY) !== null, isValid, `${ahead} ms ahead`)
  }
})

t.test('a reference is valid for one audience only', async (t) => {
  const reference = signUserReference({ sub: 'u' }, SIGN)
  for (const audience of ['', 'guest-token2', 'Guest-Token', 'widget-token']) {
    t.equal(verifyUserReference(reference, { ...VERIFY, audience }), null, audience)
  }
})

t.test('during a rotation the previous key still verifies, and a removed key does not', async (t) => {
  const reference = signUserReference({ sub: 'u' }, { ...SIGN, key: OLD })
  t.equal(verifyUserReference(reference, { ...VERIFY, keys: [KEY, OLD] })?.sub, 'u')
  t.equal(verifyUserReference(reference, VERIFY), null)
  t.equal(verifyUserReference(reference, { ...VERIFY, keys: [] }), null)
})

t.test('a reference with a flipped bit or another spelling is refused', async (t) => {
  const reference = signUserReference({ sub: 'user' }, SIGN)
  const bytes = Buffer.from(reference)
  let accepted = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    if (verifyUserReference(flipped.toString('latin1'), VERIFY) !== null) accepted++
  }
  t.equal(accepted, 0)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(reference.at(-1) ?? '')
  for (const bits of [1, 2, 3]) {
    t.equal(verifyUserReference(reference.slice(0, -1) + alphabet.charAt(last ^ bits), VERIFY), null)
  }
})

t.test('a hostile string returns null and never throws', async (t) => {
  const reference = signUserReference({ sub: 'user' }, SIGN)
  const texts = ['', '.', '..', 'v1', 'v1..', 'v1.e30.', 'user', reference.slice(3), `v2${reference.slice(2)}`,
    `${reference}=`, `${reference}\n`, ` ${reference}`, `${reference}.`, `${reference},${reference}`,
    `v1.${'A'.repeat(3000)}.${'A'.repeat(43)}`, '\0', '\ud800', 'v1.e30.' + 'é'.repeat(43)]
  for (const text of texts) t.equal(verifyUserReference(text, VERIFY), null, JSON.stringify(text).slice(0, 100))
  for (const value of [undefined, null, 1, {}, [reference]]) {
    t.equal(verifyUserReference(value as unknown as string, VERIFY), null)
  }
})

t.test('a signature by the same key for another purpose, or over invalid claims, is no reference', async (t) => {
  const make = (json: string, domain = 'fastify-gatehouse user reference\n') => {
    const text = `v1.${Buffer.from(json).toString('base64url')}`
    return `${text}.${hmacSha256(KEY, domain + text).toString('base64url')}`
  }
  const claims = { sub: 'u', aud: 'guest-token', iat: NOW, exp: NOW + 1000 }
  t.equal(verifyUserReference(make(JSON.stringify(claims)), VERIFY)?.sub, 'u', 'a valid reference')
  t.equal(verifyUserReference(make(JSON.stringify(claims), ''), VERIFY), null)
  for (
    const change of [{ sub: '' }, { sub: 1 }, { sub: undefined }, { sub: 'x'.repeat(257) }, { aud: ['guest-token'] }, {
      aud: undefined
    }, { exp: undefined }, { exp: '9999999999999' }, { exp: Infinity }, { exp: NOW + 0.5 }, { iat: null }]
  ) {
    t.equal(verifyUserReference(make(JSON.stringify({ ...claims, ...change })), VERIFY), null, JSON.stringify(change))
  }
  for (const json of ['', 'null', '[]', '"u"', '1', '{', '{}']) {
    t.equal(verifyUserReference(make(json), VERIFY), null, json)
  }
})

t.test('invalid claims are not signed', async (t) => {
  for (const sub of ['', 'x'.repeat(257), 42, null, undefined]) {
    t.throws(
      () => signUserReference({ sub: sub as unknown as string }, SIGN),
      { name: 'TypeError', message: /^sub: / },
      String(sub)
    )
  }
  for (const name of ['aud', 'iat', 'exp']) {
    t.throws(() => signUserReference({ sub: 'u', [name]: 1 }, SIGN), {
      name: 'TypeError',
      message: new RegExp(`^${name}: `)
    })
  }
  for (const ttl of [0, -1, 1.5, NaN, Infinity]) {
    t.throws(
      () => signUserReference({ sub: 'u' }, { ...SIGN, ttl }),
      { name: 'RangeError', message: /^ttl: / },
      String(ttl)
    )
  }
  t.throws(() => signUserReference({ sub: 'u' }, { ...SIGN, audience: '' }), {
    name: 'TypeError',
    message: /^audience: /
  })
  t.throws(() => signUserReference({ sub: 'u' }, { ...SIGN, key: '' }), { name: 'TypeError', message: /key is empty/ })
  t.throws(() => signUserReference({ sub: 'u', big: 'x'.repeat(2000) }, SIGN), {
    name: 'RangeError',
    message: /2048 characters/
  })
  t.equal(verifyUserReference(signUserReference({ sub: '🙂'.repeat(128) }, SIGN), VERIFY)?.sub, '🙂'.repeat(128))
})
