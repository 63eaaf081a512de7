import t from 'tap'

import { hmacSha256, sameDigest, sameSecret, sha256, sha256Hex } from '../../signing/digest.js'

t.test('SHA-256 returns the values of FIPS 180-4', async (t) => {
  t.equal(sha256Hex('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  t.equal(sha256Hex(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  t.same(sha256(Buffer.from('abc')), Buffer.from(sha256Hex('abc'), 'hex'))
})

t.test('a string is hashed as UTF-8, with a lone surrogate as U+FFFD', async (t) => {
  for (const text of ['k€y', 'Ünal', '🏳️‍🌈', '\ud800', 'a\udfffb', '\0', 'x'.repeat(100_000)]) {
    t.equal(sha256Hex(text), sha256Hex(Buffer.from(text, 'utf8')), JSON.stringify(text).slice(0, 40))
    t.same(sha256(text), sha256(new TextEncoder().encode(text)))
  }
})

t.test('HMAC-SHA256 returns the value of RFC 4231 case 2', async (t) => {
  t.equal(
    hmacSha256('Jefe', 'what do ya want for nothing?').toString('hex'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
  )
})

t.test('sameDigest is true only for equal digests, and false for other lengths', async (t) => {
  t.ok(sameDigest(sha256('a'), sha256('a')))
  t.notOk(sameDigest(sha256('a'), sha256('b')))
  t.notOk(sameDigest(sha256('a'), sha256('a').subarray(1)))
  t.notOk(sameDigest(Buffer.alloc(0), sha256('a')))
})

t.test('sameSecret is false for a secret of any other length or content, without an error', async (t) => {
  const known = 'k€y-0123456789abcdef0123456789abcdef'
  t.ok(sameSecret(known, known))
  for (
    const presented of ['', 'k', known.slice(1), `${known}x`, known.toUpperCase(), known.replace('€', 'E'),
      'x'.repeat(15_000)]
  ) {
    t.notOk(sameSecret(presented, known), presented.slice(0, 40))
  }
})
