import t from 'tap'
import type { Test } from 'tap'

import { signTimestampedBody } from '../../../signing/datafly/body-signature.js'
import { hmacSha256 } from '../../../signing/digest.js'
import { gateway } from '../../helpers/gateway.js'
import type { Gateway } from '../../helpers/gateway.js'

const BODY = '{"type":"track","event":"e","userId":"u"}'
const SUCCESS = '{"success":true}'
const DUPLICATE = '{"success":true,"duplicate":true}'

const dropping = (t: Test): Promise<Gateway> => gateway(t, { source: { signedRepeats: 'drop' } })

t.test('ten equal signed requests are stored once, and nine are duplicates, in upper or lower case of the ' +
  'signature', async (t) => {
  const { post, secret, stored } = await dropping(t)
  const hex = hmacSha256(secret, BODY).toString('hex')
  for (let i = 0; i < 10; i++) {
    const response = await post('/v1/events', BODY, {
      'x-datafly-signature': `sha256=${i % 2 === 0 ? hex : hex.toUpperCase()}`
    })
    t.equal(response.statusCode, 200)
    t.equal(response.body, i === 0 ? SUCCESS : DUPLICATE)
  }
  const [event, ...others] = await stored()
  t.same(others, [])
  t.match(event, { messageId: /^signed-[0-9a-f]{40}-0$/ })
  t.notMatch(String(event?.['messageId']), hex.slice(0, 20), 'the id does not contain the signature')
})

t.test('only one of ten parallel copies is stored, and nine are duplicates', async (t) => {
  const { signed, stored } = await dropping(t)
  const responses = await Promise.all(Array.from({ length: 10 }, () => signed('/v1/t', BODY)))
  t.same(responses.map(({ body }) => body).sort(), [...Array<string>(9).fill(DUPLICATE), SUCCESS])
  t.equal((await stored()).length, 1)
})

t.test('the same body with another timestamp is another event', async (t) => {
  const { post, secret, stored } = await dropping(t)
  const now = Date.now()
  const bodies: string[] = []
  for (const timestamp of [now, now - 1, now - 1]) {
    const headers = {
      'x-signature': signTimestampedBody(secret, String(timestamp), BODY),
      'x-timestamp': String(timestamp)
    }
    bodies.push((await post('/v1/events', BODY, headers)).body)
  }
  t.same(bodies, [SUCCESS, SUCCESS, DUPLICATE])
  t.equal((await stored()).length, 2)
})

t.test('a repeated batch is a duplicate, and its accepted events are counted as before', async (t) => {
  const { signed, stored } = await dropping(t)
  const batch = [{ type: 'page', userId: 'u' }, { type: 'page', userId: 'u' }, {
    type: 'page',
    userId: 'u',
    messageId: 'mine'
  }]
  t.equal((await signed('/v1/batch', { batch })).body, '{"success":true,"accepted":3}')
  t.equal((await signed('/v1/batch', { batch })).body, '{"success":true,"accepted":3,"duplicate":true}')
  const faulty = { batch: [...batch, { type: 'page' }] }
  t.match((await signed('/v1/batch', faulty)).json(), {
    success: false,
    accepted: 3,
    rejected: 1,
    errors: [{ index: 3, code: 'INVALID_REQUEST' }]
  })
  t.match((await signed('/v1/batch', faulty)).json(), { success: false, accepted: 3, duplicate: true, rejected: 1 })
  const ids = (await stored()).map(({ messageId }) => String(messageId))
  t.match(ids, [/^signed-[0-9a-f]{40}-0$/, /^signed-[0-9a-f]{40}-1$/, 'mine', /^signed-[0-9a-f]{40}-0$/,
    /^signed-[0-9a-f]{40}-1$/])
  t.equal(new Set(ids).size, 5)
})

t.test('signed events with a messageId, and unsigned events, are not reported as duplicates', async (t) => {
  const { signed, post, stored } = await dropping(t)
  for (let i = 0; i < 2; i++) {
    t.equal((await signed('/v1/t', { event: 'e', userId: 'u', messageId: 'm' })).body, SUCCESS)
    t.equal(
      (await signed('/v1/batch', { batch: [{ type: 'page', userId: 'u', messageId: 'n' }] })).body,
      '{"success":true,"accepted":1}'
    )
    t.equal((await post('/v1/t', { event: 'e', userId: 'u' })).body, SUCCESS)
  }
  t.equal((await stored()).length, 4)
})
