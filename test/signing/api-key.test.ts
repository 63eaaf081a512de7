import { crc32 } from 'node:zlib'

import t from 'tap'

import { apiKeyPrefix, generateApiKey, isApiKey } from '../../signing/api-key.js'
import { toBase62 } from '../../signing/base62.js'

t.test('a generated key has 43 random characters and a checksum, and no two are equal', async (t) => {
  const keys = Array.from({ length: 1_000 }, () => generateApiKey())
  t.equal(new Set(keys).size, keys.length)
  for (const key of keys) {
    t.match(key, /^gh_[0-9A-Za-z]{49}$/)
    t.ok(isApiKey(key))
    t.equal(key.slice(-6), toBase62(crc32(key.slice(0, -6)), 6))
  }
  t.equal(apiKeyPrefix(keys[0] ?? ''), keys[0]?.slice(0, 11))
})

t.test('a key with one changed character, or a string of another form, is not an API key', async (t) => {
  const key = generateApiKey()
  for (let at = 0; at < key.length; at++) {
    const other = key[at] === 'a' ? 'b' : 'a'
    t.notOk(isApiKey(key.slice(0, at) + other + key.slice(at + 1)), `another character at ${at}`)
  }
  for (const text of ['', 'gh_', key.slice(0, -1), `${key}a`, ` ${key}`, `${key}\n`, key.toUpperCase(), `x${key}`,
    key.replace('gh_', 'gh-'), `gh_${'é'.repeat(49)}`]) {
    t.notOk(isApiKey(text), JSON.stringify(text))
  }
})

t.test('base 62 has digits, then upper-case, then lower-case letters, with leading zeros', async (t) => {
  t.same([0, 9, 10, 35, 36, 61, 62, 4_294_967_295].map((value) => toBase62(value, 6)), ['000000', '000009', '00000A',
    '00000Z', '00000a', '00000z', '000010', '4gfFC3'])
})
