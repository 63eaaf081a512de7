import t from 'tap'

import { secretBox } from '../../signing/secret-box.js'

const OLD = 'old-key-0123456789abcdefghijklmnopqrstuv'
const NEW = 'new-key-0123456789abcdefghijklmnopqrstuv'
const CONTEXT = 'sources/server_secret/42'

t.test('any sealed bytes can be opened again', async (t) => {
  const box = secretBox([NEW])
  for (const plain of ['', 'secret', 'ключ €', Buffer.from([0, 255, 254, 128]), new Uint8Array(10_000).fill(7)]) {
    t.same(box.open(box.seal(plain, CONTEXT), CONTEXT), Buffer.from(plain))
  }
})

t.test('a sealed string does not contain the plain string, and two sealed strings differ', async (t) => {
  const box = secretBox([NEW])
  const sealed = Array.from({ length: 200 }, () => box.seal('hunter2-hunter2', CONTEXT))
  t.equal(new Set(sealed).size, 200)
  for (const text of sealed) t.match(text, /^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]+$/)
  t.notOk(sealed.some((text) => Buffer.from(text.split('.')[3] ?? '', 'base64url').includes('hunter2')))
})

t.test('a sealed string opens only in the context that it was sealed for', async (t) => {
  const box = secretBox([NEW])
  const sealed = box.seal('secret', CONTEXT)
  for (const context of ['', 'sources/server_secret/43', 'users/totp_seed/42', `${CONTEXT} `]) {
    t.throws(
      () => box.open(sealed, context),
      { message: 'secret box: altered, or sealed for another context' },
      context
    )
  }
})

t.test('a previous key still opens, the current key seals, and a removed key does not open', async (t) => {
  const sealed = secretBox([OLD]).seal('secret', CONTEXT)
  const rotated = secretBox([NEW, OLD])
  t.equal(rotated.open(sealed, CONTEXT).toString(), 'secret')
  t.notOk(rotated.isCurrent(sealed))
  const again = rotated.seal('secret', CONTEXT)
  t.ok(rotated.isCurrent(again))
  t.equal(secretBox([NEW]).open(again, CONTEXT).toString(), 'secret')
  t.throws(() => secretBox([NEW]).open(sealed, CONTEXT), { message: /not among "keys"/ })
  t.ok(secretBox([NEW, NEW]).isCurrent(again), 'the same key twice is one key')
})

t.test('a sealed string with a changed, removed or added character does not open', async (t) => {
  const box = secretBox([NEW, OLD])
  const sealed = box.seal('secret', CONTEXT)
  const altered = [...sealed].flatMap((character, at) => {
    const before = sealed.slice(0, at)
    const after = sealed.slice(at + 1)
    return ['A', 'B', '.', '=', '-', '+', '/', ' ', 'é', ''].filter((other) => other !== character).map((other) =>
      before + other + after
    )
  })
  const opened = altered.concat(
    `${sealed}.`,
    `${sealed}=`,
    `${sealed}A`,
    `${sealed}.AAAA`,
    `v2${sealed.slice(2)}`,
    '',
    'v1',
    '....'
  ).filter((text) => {
    try {
      box.open(text, CONTEXT)
      return true
    } catch {
      return false
    }
  })
  t.same(opened, [])
})

t.test('a box requires non-empty keys', async (t) => {
  t.throws(() => secretBox([]), { name: 'TypeError' })
  t.throws(() => secretBox([NEW, '']), { name: 'TypeError' })
})
