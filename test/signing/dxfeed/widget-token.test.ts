import { randomBytes, randomInt } from 'node:crypto'

import CryptoJS from 'crypto-js'
import t from 'tap'

import { signWidgetToken, widgetMessage } from '../../../signing/dxfeed/widget-token.js'
import { signatures } from '../vectors.js'

const PAYLOAD = {
  issuer: 'acme',
  session: 'web',
  expiration: 1_788_000_900_000,
  issuedAt: 1_788_000_000_000,
  message: 'test'
}

/** The published sample, with the library that it uses. */
function published ({ issuer, session, expiration, issuedAt, message }: typeof PAYLOAD, secret: string): string {
  const payload = CryptoJS.enc.Base64.stringify(
    CryptoJS.enc.Utf8.parse(encodeURI(`${issuer},${session},,${expiration},${issuedAt},${message}`))
  ).replace(/=/g, '')
  const signature = CryptoJS.enc.Base64.stringify(CryptoJS.HmacSHA256(payload, encodeURI(secret)))
  return `${payload}.${signature.replace(/=/g, '').replace(/\+/g, '-').replace(/\//g, '_')}`
}

t.test('the tokens of the vectors are reproduced byte for byte', async (t) => {
  for (const { secret, minutes, now, token, ...rest } of signatures.dxfeed) {
    t.equal(signWidgetToken({ ...rest, issuedAt: now, expiration: now + minutes * 60_000 }, secret), token)
  }
  for (const { secret, token, ...payload } of signatures.dxfeedExplicit) {
    t.equal(signWidgetToken(payload, secret), token)
  }
})

t.test('500 random payloads and secrets produce the same token as the published sample', async (t) => {
  const alphabet = [...'abcXYZ019 -_.~!*()\'"#$%&+/:=?@[]{}|\\^`<>äöüßéñ€£жщשלعم日本語🙂🚀']
  const text = (length: number) => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
  const lengths = new Set<number>()
  for (let round = 0; round < 500; round++) {
    const issuedAt = randomInt(2 ** 47)
    const message = widgetMessage(
      text(1 + round % 20),
      Array.from({ length: round % 4 }, () => text(1 + randomInt(12)))
    )
    const payload = {
      issuer: text(round % 7),
      session: text(round % 5),
      issuedAt,
      expiration: issuedAt + randomInt(2 ** 32),
      message
    }
    const secret = text(1 + randomInt(80))
    const token = published(payload, secret)
    if (signWidgetToken(payload, secret) !== token) t.fail('differs', { payload, secret })
    lengths.add((token.indexOf('.') * 3 >> 2) % 3)
  }
  t.same([...lengths].sort(), [0, 1, 2], 'every length modulo 3 was among them')
})

t.test('the payload is standard base64 and the signature base64url, both without padding', async (t) => {
  const seen = new Set<string>()
  for (let round = 0; round < 200; round++) {
    const message = `u${round}${'~'.repeat(round % 3)}?~>~~?`
    const token = signWidgetToken({ ...PAYLOAD, message }, randomBytes(8).toString('hex'))
    t.match(token, /^[A-Za-z0-9+/]+\.[A-Za-z0-9_-]{43}$/)
    t.equal(token, published({ ...PAYLOAD, message }, 'k').split('.')[0] + token.slice(token.indexOf('.')))
    for (const character of token.split('.')[0] ?? '') if ('+/'.includes(character)) seen.add(character)
    for (const character of token.split('.')[1] ?? '') if ('-_'.includes(character)) seen.add(character)
  }
  t.equal(seen.size, 4, `saw ${[...seen].join(' ')}`)
})

t.test('the key is encodeURI of the secret', async (t) => {
  for (
    const secret of ['two words', '100%', 'a%20b', 'pässword €', '🙂', 'x'.repeat(200), 'ü'.repeat(100), '#?&=+', ' ']
  ) {
    t.equal(signWidgetToken(PAYLOAD, secret), published(PAYLOAD, secret), secret)
  }
})

t.test('a value that would change the meaning of a token is refused, and the error names its field', async (t) => {
  const refused: Array<[Partial<Record<keyof typeof PAYLOAD, unknown>>, RegExp]> = [
    [{ issuer: 'a,b' }, /^issuer: must not contain ","/],
    [{ session: 'a,b' }, /^session: must not contain ","/],
    [{ issuer: 'a\nb' }, /^issuer: contains a control character/],
    [{ session: 'a\u0085b' }, /^session: contains a control character/],
    [{ issuer: 'a\ud800' }, /^issuer: contains a lone surrogate/],
    [{ session: '\udc00' }, /^session: contains a lone surrogate/],
    [{ message: 'u\0' }, /^message: contains a control character/],
    [{ message: 'u,\ud83d' }, /^message: contains a lone surrogate/],
    [{ message: '' }, /^user: is required/],
    [{ message: ',FILTER' }, /^user: is required/],
    [{ message: 'a;b' }, /^user: must not contain ";"/],
    [{ message: 'u,a,b' }, /^filters\[0\]: must not contain ","/],
    [{ message: 'u,a;' }, /^filters\[1\]: must not be empty/],
    [{ issuer: undefined }, /^issuer: must be a string/],
    [{ expiration: 1.5 }, /^expiration: must be a non-negative integer/],
    [{ expiration: NaN }, /^expiration: /],
    [{ expiration: Infinity }, /^expiration: /],
    [{ expiration: 2 ** 53 }, /^expiration: /],
    [{ issuedAt: -1 }, /^issuedAt: /],
    [{ issuedAt: '1788000000000' }, /^issuedAt: /]
  ]
  for (const [change, message] of refused) {
    t.throws(
      () => signWidgetToken({ ...PAYLOAD, ...change } as typeof PAYLOAD, 'secret'),
      { message },
      JSON.stringify(change)
    )
  }
  t.throws(() => signWidgetToken(PAYLOAD, ''), { name: 'TypeError', message: /^secret: / })
  t.throws(() => signWidgetToken(PAYLOAD, 'hunter2\ud800'), { name: 'TypeError', message: /^secret: (?!.*hunter2)/ })
})

t.test('a message is the user and then the filters, and ambiguous values are refused', async (t) => {
  t.equal(widgetMessage('test', []), 'test')
  t.equal(widgetMessage('test'), 'test')
  t.equal(widgetMessage('user_id', ['filter1', 'filter2']), 'user_id,filter1;filter2')
  const refused: Array<[string, string[], RegExp]> = [
    ['', [], /^user: is required/],
    ['a,b', [], /^user: must not contain ","/],
    ['a;b', [], /^user: must not contain ";"/],
    ['a\r', [], /^user: contains a control/],
    ['\ud800', [], /^user: contains a lone surrogate/],
    ['u', ['ok', 'a,b'], /^filters\[1\]: must not contain ","/],
    ['u', ['a;b'], /^filters\[0\]: must not contain ";"/],
    ['u', [''], /^filters\[0\]: must not be empty/],
    ['u', ['\x7f'], /^filters\[0\]: contains a control/],
    ['u', ['\udfff'], /^filters\[0\]: contains a lone surrogate/]
  ]
  for (const [user, filters, message] of refused) {
    t.throws(() => widgetMessage(user, filters), { name: 'TypeError', message }, JSON.stringify([user, filters]))
  }
})
