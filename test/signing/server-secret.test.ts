import t from 'tap'

import { generateServerSecret, parseServerSecret, signBody } from '../../signing/body-signature.js'

t.test('a server secret is read as text, as hex and as base64', async (t) => {
  t.same(parseServerSecret('ключ'), Buffer.from('ключ', 'utf8'))
  t.same(parseServerSecret('deadbeef'), Buffer.from('deadbeef', 'utf8'), 'without a prefix it is text')
  t.same(parseServerSecret('hex:00ffDEad'), Buffer.from([0x00, 0xff, 0xde, 0xad]))
  t.same(parseServerSecret('base64:AP/+'), Buffer.from([0x00, 0xff, 0xfe]))
  t.same(parseServerSecret('base64:AP8='), Buffer.from([0x00, 0xff]))
  t.same(parseServerSecret('base64:AP8'), Buffer.from([0x00, 0xff]))
})

t.test('an empty or badly encoded server secret is refused, not shortened, and not shown', async (t) => {
  for (const text of ['', 'hex:', 'hex:0', 'hex:0g', 'hex:00 ff', 'base64:', 'base64:A', 'base64:AP8==', 'base64:AP9=', 'base64:AP-_', 'base64:A P8=', 'x\ud800']) {
    t.throws(() => parseServerSecret(text), { name: 'TypeError', message: /^server_secret: / }, JSON.stringify(text))
  }
  t.throws(() => parseServerSecret('hex:hunter2'), { message: /^(?!.*hunter2)/ })
})

t.test('a generated server secret is 256 bits, new each time, and signs', async (t) => {
  const secrets = Array.from({ length: 100 }, generateServerSecret)
  t.equal(new Set(secrets).size, 100)
  for (const secret of secrets) t.match(secret, /^[\w-]{43}$/)
  const [secret = ''] = secrets
  t.equal(signBody(parseServerSecret(secret), 'body'), signBody(secret, 'body'))
})
