import t from 'tap'

import { codeOf, gateway } from '../../helpers/gateway.js'

const HOUR = 3_600_000
const at = (time: number): string => new Date(time).toISOString()
const isNear = (time: unknown, expected: number): boolean => Math.abs(Date.parse(String(time)) - expected) < 10_000

t.test('sentAt corrects the timestamp by the error of the device clock', async (t) => {
  const { post, signed, accepted, stored } = await gateway(t)
  const now = Date.now()
  const ahead = at(now + 48 * HOUR)
  const happened = at(now + 47 * HOUR)
  t.equal(
    (await post('/v1/batch', { sentAt: ahead, batch: [{ type: 'track', event: 'E', timestamp: happened }] })).json()
      .accepted,
    1,
    'sentAt of the batch'
  )
  t.equal(
    (await post('/v1/batch', {
      sentAt: at(0),
      batch: [{ type: 'track', event: 'E', timestamp: happened, sentAt: ahead }]
    })).json().accepted,
    1,
    'sentAt of the event is used'
  )
  t.equal((await post('/v1/t', { event: 'E', timestamp: happened, sentAt: ahead })).statusCode, 200)
  t.equal((await signed('/v1/t', { event: 'E', userId: 'u', timestamp: happened, sentAt: ahead })).statusCode, 200)
  t.equal(
    (await post('/v1/t', { event: 'E', timestamp: '1970-01-01T00:00:00Z', sentAt: '1970-01-01T01:00:00Z' })).statusCode,
    200,
    'a clock that starts in 1970'
  )
  for (const event of await stored()) {
    t.ok(isNear(event['timestamp'], now - HOUR), String(event['timestamp']))
    t.match(event['originalTimestamp'], /^(?:20|1970-01-01T00:00:00Z)/)
  }
  for (const { timestamp, additions } of await accepted()) t.match(additions, `"timestamp":"${at(timestamp)}"`)
  t.equal((await stored())[0]?.['originalTimestamp'], happened)
})

t.test('originalTimestamp is corrected in place of timestamp', async (t) => {
  const { post, stored } = await gateway(t)
  const sentAt = at(Date.now())
  const originalTimestamp = '2026-01-02T10:00:00.000Z'
  await post('/v1/batch', { sentAt, batch: [{ type: 'track', event: 'E', originalTimestamp, sentAt }] })
  await post('/v1/t', { event: 'E', originalTimestamp, timestamp: '2020-01-01', sentAt })
  await post('/v1/t', { event: 'E', originalTimestamp })
  for (const event of await stored()) {
    t.ok(isNear(event['timestamp'], Date.parse(originalTimestamp)), String(event['timestamp']))
    t.equal(event['originalTimestamp'], originalTimestamp)
  }
  t.equal((await stored())[2]?.['timestamp'], originalTimestamp, 'unchanged without sentAt')
})

t.test('without a valid sentAt, or without a time of the event, the timestamp is not corrected', async (t) => {
  const { post, stored } = await gateway(t)
  const timestamp = '2026-01-02T10:00:00.000Z'
  for (const sentAt of [undefined, null, '', 'now', 1_700_000_000_000, {}, 'x'.repeat(1_000)]) {
    t.equal((await post('/v1/t', { event: 'E', timestamp, sentAt })).statusCode, 200, String(sentAt))
  }
  for (const event of await stored()) {
    t.equal(event['timestamp'], timestamp)
    t.notOk(Object.hasOwn(event, 'originalTimestamp'))
  }
  t.equal((await post('/v1/t', { event: 'E', sentAt: at(0) })).statusCode, 200)
  const last = (await stored()).at(-1)
  t.equal(last?.['timestamp'], last?.['receivedAt'])
  t.notOk(Object.hasOwn(last ?? {}, 'originalTimestamp'))
})

t.test('a corrected time that is too far ahead or too long ago is 400', async (t) => {
  const { post, stored } = await gateway(t)
  const now = Date.now()
  for (
    const body of [
      { timestamp: at(now), sentAt: at(now - 25 * HOUR) },
      { timestamp: at(now + 25 * HOUR), sentAt: at(now) },
      { timestamp: '0000-01-01', sentAt: '9999-01-01' },
      { originalTimestamp: at(now + 25 * HOUR), sentAt: at(now) },
      { timestamp: 'yesterday', originalTimestamp: at(now), sentAt: at(now) },
      { timestamp: 'yesterday', sentAt: at(now) },
      { originalTimestamp: at(now + 25 * HOUR) }
    ]
  ) {
    const response = await post('/v1/t', { event: 'E', ...body })
    t.equal(response.statusCode, 400, JSON.stringify(body))
    t.equal(codeOf(response), 'INVALID_REQUEST')
    t.match(response.json(), { error: { details: [{ path: '/timestamp' }] } })
  }
  t.equal((await stored()).length, 0)
})
