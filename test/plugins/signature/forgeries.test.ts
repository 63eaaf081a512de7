import { createHmac } from 'node:crypto'

import t from 'tap'

import { signedApp } from '../../helpers/signed-app.js'

/** Secrets of awkward lengths around HMAC's block size, and strings around SHA-256's padding. */
const SECRETS = [1, 16, 31, 32, 63, 64, 65, 128, 300].map((length) => 'k9Q'.repeat(100).slice(0, length))
const BODIES = [1, 55, 56, 63, 64, 65, 119, 300].map((length) =>
  JSON.stringify({ event: 'e', pad: 'x'.repeat(length) })
)

/** Tags that a broken verifier could accept, each made from the valid tag. */
const FORGERIES: Record<string, (tag: Buffer, secret: string, body: string) => string> = {
  'the first bit flipped': (tag) => flipped(tag, 0),
  'the last bit flipped': (tag) => flipped(tag, 255),
  'a bit in the middle flipped': (tag) => flipped(tag, 130),
  'all bits flipped': (tag) => Buffer.from(tag.map((byte) => byte ^ 0xff)).toString('hex'),
  zeros: () => '00'.repeat(32),
  ones: () => 'ff'.repeat(32),
  'cut to half': (tag) => tag.subarray(0, 16).toString('hex'),
  'cut by one byte': (tag) => tag.subarray(0, 31).toString('hex'),
  'one byte longer': (tag) => `${tag.toString('hex')}00`,
  'padded after a cut': (tag) => `${tag.subarray(0, 31).toString('hex')}00`,
  'bytes reversed': (tag) => Buffer.from(tag).reverse().toString('hex'),
  'another hash': (_tag, secret, body) => createHmac('sha512', secret).update(body).digest('hex').slice(0, 64),
  'no key': (_tag, _secret, body) => createHmac('sha256', '').update(body).digest('hex'),
  'a key of zeros': (_tag, _secret, body) => createHmac('sha256', Buffer.alloc(64)).update(body).digest('hex'),
  'key and text exchanged': (_tag, secret, body) => createHmac('sha256', body).update(secret).digest('hex'),
  empty: () => ''
}

t.test('the valid tag is accepted and all 16 forgeries of it are refused, for 72 pairs of secret ' +
  'and body', async (t) => {
  for (const secret of SECRETS) {
    const { app, bearer } = await signedApp(t, {}, { secrets: () => [secret] })
    for (const body of BODIES) {
      const tag = createHmac('sha256', secret).update(body).digest()
      const send = (hex: string) =>
        app.inject({
          method: 'POST',
          url: '/optional',
          payload: body,
          headers: { 'content-type': 'application/json', ...bearer, 'x-datafly-signature': `sha256=${hex}` }
        })
      t.same((await send(tag.toString('hex'))).json().signed, true)
      const outcomes = await Promise.all(
        Object.values(FORGERIES).map(async (forge) =>
          (await send(forge(tag, secret, body))).json().error?.code as unknown
        )
      )
      t.same(outcomes, Object.values(FORGERIES).map(() => 'INVALID_SIGNATURE'))
    }
  }
})

function flipped (tag: Buffer, bit: number): string {
  const copy = Buffer.from(tag)
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return copy.toString('hex')
}
