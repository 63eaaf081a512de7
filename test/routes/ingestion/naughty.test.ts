import { isDeepStrictEqual } from 'node:util'

import t from 'tap'

import { gateway } from '../../helpers/gateway.js'
import { NAUGHTY } from '../../helpers/naughty-strings.js'

// Some of the strings would break the test output, so that messages contain their number.
t.test('unusual strings are stored unchanged as names, keys, values and ids', async (t) => {
  const { post, stored, accepted } = await gateway(t)
  for (const [n, text] of NAUGHTY.entries()) {
    const key = text === '__proto__' ? '__proto' : text
    const event = {
      event: text === '' ? ' ' : text,
      properties: { [key]: text, list: [text] },
      userId: text,
      name: text,
      messageId: `${n}`
    }
    t.equal((await post('/v1/t', event)).statusCode, 200, `text ${n}`)
    const back = (await stored()).at(-1)
    t.ok(isDeepStrictEqual({ ...back, ...event }, back), `text ${n}`)
  }
  t.equal((await accepted()).length, NAUGHTY.length)
})

t.test('unusual strings are stored unchanged in batches with a context', async (t) => {
  const { post, stored } = await gateway(t)
  const items = NAUGHTY.map((text) => ({ type: 'page', name: text, properties: { x: text }, context: { own: text } }))
  for (let at = 0; at < items.length; at += 50) {
    const batch = items.slice(at, at + 50)
    const response = await post('/v1/batch', { batch, context: { shared: NAUGHTY.slice(at, at + 50) } })
    t.equal(response.body, `{"success":true,"accepted":${batch.length}}`)
  }
  const back = await stored()
  t.ok(isDeepStrictEqual(back.map(({ name }) => name), NAUGHTY))
  t.ok(isDeepStrictEqual(back.map(({ properties }) => properties), items.map(({ properties }) => properties)))
  t.ok(isDeepStrictEqual(back.map(({ context }) => (context as { own: unknown }).own), NAUGHTY))
})
