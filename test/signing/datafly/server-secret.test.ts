import t from 'tap'

import { generateServerSecret, parseServerSecret, signBody } from '../../../signing/datafly/body-signature.js'
import { serverSecretWeakness } from '../../../signing/datafly/server-secret.js'

t.test('a server secret is read as UTF-8, hex and base64', async (t) => {
  t.same(parseServerSecret('ключ'), Buffer.from('ключ', 'utf8'))
  t.same(parseServerSecret('deadbeef'), Buffer.from('deadbeef', 'utf8'), 'without a prefix it is a string')
  t.same(parseServerSecret('hex:00ffDEad'), Buffer.from([0x00, 0xff, 0xde, 0xad]))
  t.same(parseServerSecret('base64:AP/+'), Buffer.from([0x00, 0xff, 0xfe]))
  t.same(parseServerSecret('base64:AP8='), Buffer.from([0x00, 0xff]))
  t.same(parseServerSecret('base64:AP8'), Buffer.from([0x00, 0xff]))
})

t.test('an empty or badly encoded server secret is refused, not shortened, and not shown', async (t) => {
  for (
    const text of ['', 'hex:', 'hex:0', 'hex:0g', 'hex:00 ff', 'base64:', 'base64:A', 'base64:AP8==', 'base64:AP9=',
      'base64:AP-_', 'base64:A P8=', 'x\ud800']
  ) {
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

t.test('a server secret of fewer than 16 bytes or a publicly known secret is weak in every encoding', async (t) => {
  const known = 'JYJ5Qv2WF4lA6jPl5GKuAG'
  const weak: Array<[string, RegExp]> = [
    ['a', /16 bytes/],
    ['q7Ty2Kd9Wm4xZp3', /16 bytes/],
    ['hex:00ff00ff00ff00ff10ff10ff10ff10', /16 bytes/],
    ['base64:AP8A/wD/AP8', /16 bytes/],
    ['your_server_secret', /publicly known/],
    [known, /publicly known/],
    [known.toLowerCase(), /publicly known/],
    [`hex:${Buffer.from(known).toString('hex')}`, /publicly known/],
    [`base64:${Buffer.from(known).toString('base64')}`, /publicly known/],
    ['hex:404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970', /publicly known/]
  ]
  for (const [secret, why] of weak) t.match(serverSecretWeakness(secret), why, secret)
  for (
    const secret of ['q7Ty2Kd9Wm4xZp3L', 'hex:00112233445566778899aabbccddeeff', 'base64:AP8A/wD/AP8Q/xD/EP8Q/w==',
      generateServerSecret(), 'hex:' + 'aa'.repeat(20)]
  ) {
    t.equal(serverSecretWeakness(secret), null, secret)
  }
})
