import t from 'tap'

import { codeOf, gateway } from '../../../helpers/gateway.js'

const event = (n: number | string): Record<string, unknown> => ({ type: 'track', event: `e${n}`, messageId: `m${n}` })
const many = (length: number): Array<Record<string, unknown>> => Array.from({ length }, (_, n) => event(n))

t.test('a batch of 1 to 500 events is accepted, and a batch of 0, 501 or 10 000 events is refused whole', async (t) => {
  const { post, stored } = await gateway(t)
  for (const length of [0, 501, 10_000]) {
    const response = await post('/v1/batch', { batch: many(length) })
    t.equal(response.statusCode, 400, String(length))
    t.equal(codeOf(response), 'INVALID_REQUEST')
  }
  t.equal((await stored()).length, 0)
  t.equal((await post('/v1/batch', { batch: [event('one')] })).body, '{"success":true,"accepted":1}')
  t.equal((await post('/v1/batch', { batch: many(500) })).body, '{"success":true,"accepted":500}')
  t.same((await stored()).map(({ event }) => event), ['eone', ...many(500).map(({ event }) => event)])
})

t.test("/v1/b accepts up to 1 000 events, for batches of Segment's browser SDK", async (t) => {
  const { post, stored } = await gateway(t)
  const over = await post('/v1/b', { batch: many(1_001) })
  t.equal(over.statusCode, 400)
  t.equal(codeOf(over), 'INVALID_REQUEST')
  t.equal((await post('/v1/b', { batch: many(1_000) })).body, '{"success":true,"accepted":1000}')
  t.equal((await stored()).length, 1_000)
})

t.test('one invalid event among 100 is reported with index and code, and the other 99 are stored', async (t) => {
  const { post, stored } = await gateway(t)
  const batch: unknown[] = many(100)
  batch[42] = { type: 'track', messageId: 'bad' }
  const response = await post('/v1/batch', { batch })
  t.equal(response.statusCode, 200)
  t.same(response.json(), {
    success: false,
    accepted: 99,
    rejected: 1,
    errors: [{ index: 42, messageId: 'bad', code: 'INVALID_REQUEST', message: "/event must have required property 'event'" }]
  })
  t.equal((await stored()).length, 99)
})

t.test('each kind of invalid event is reported with its index, code and messageId, and is not stored', async (t) => {
  const { post, stored } = await gateway(t)
  const deep = `${'{"a":'.repeat(64)}1${'}'.repeat(64)}`
  const bad: ReadonlyArray<readonly [string, string]> = [
    ['1', 'INVALID_REQUEST'],
    ['null', 'INVALID_REQUEST'],
    ['"text"', 'INVALID_REQUEST'],
    ['[]', 'INVALID_REQUEST'],
    ['{}', 'INVALID_REQUEST'],
    ['{"type":"click"}', 'INVALID_REQUEST'],
    ['{"type":"page","userId":1.5}', 'INVALID_REQUEST'],
    ['{"type":"page","messageId":""}', 'INVALID_REQUEST'],
    [`{"type":"page","messageId":"${'x'.repeat(101)}"}`, 'INVALID_REQUEST'],
    ['{"type":"page","timestamp":"yesterday"}', 'INVALID_REQUEST'],
    ['{"type":"page","__proto__":{"x":1}}', 'INVALID_REQUEST'],
    ['{"type":"page","constructor":{"prototype":{}}}', 'INVALID_REQUEST'],
    ['{"type":"page","properties":{"n":1e400}}', 'INVALID_REQUEST'],
    [`{"type":"page","properties":${deep}}`, 'INVALID_REQUEST'],
    [`{"type":"page","properties":{"x":"${'x'.repeat(65_536)}"}}`, 'PAYLOAD_TOO_LARGE'],
    [`{"type":"page","name":"${'€'.repeat(22_000)}"}`, 'PAYLOAD_TOO_LARGE']
  ]
  const response = await post('/v1/batch', `{"batch":[${bad.map(([text]) => text).join(',')}]}`)
  t.equal(response.statusCode, 200)
  const { success, accepted, rejected, errors } = response.json()
  t.same({ success, accepted, rejected }, { success: false, accepted: 0, rejected: bad.length })
  t.same(
    errors.map(({ index, code }: { index: number, code: string }) => [index, code]),
    bad.map(([, code], index) => [index, code])
  )
  t.same(
    errors.map(({ messageId }: { messageId: unknown }) => messageId),
    bad.map(([text]) => text === '{"type":"page","messageId":""}' ? '' : null)
  )
  t.equal((await stored()).length, 0)
})

t.test('an event of a batch is stored with its own bytes from the body', async (t) => {
  const { post, accepted } = await gateway(t)
  const texts = ['{"type":"page","n":1.0}', '{ "type" : "track" , "event":"a,]}\\"" }',
    '{"type":"page","big":12345678901234567890,"u":"\\u00e9\\ud800"}']
  t.equal(
    (await post('/v1/batch', ` { "sentAt":"x", "batch" : [ ${texts.join(' ,\n ')} ] , "more":[1] } `)).statusCode,
    200
  )
  t.same((await accepted()).map(({ payload }) => payload), texts)
})

t.test('the context of the batch is merged under the context of each event', async (t) => {
  const { post, stored, accepted } = await gateway(t)
  const context = { library: { name: 'lib', version: '1' }, locale: 'en', app: { name: 'a' } }
  await post('/v1/batch', {
    context,
    batch: [{ type: 'page' }, { type: 'page', context: { locale: 'de', library: { name: 'own' }, extra: 1 } }]
  })
  t.same((await stored()).map(({ context }) => context), [context, {
    library: { name: 'own', version: '1' },
    locale: 'de',
    app: { name: 'a' },
    extra: 1
  }])
  t.equal(
    (await accepted())[1]?.payload,
    '{"type":"page","context":{"locale":"de","library":{"name":"own"},"extra":1}}',
    'the payload is unchanged'
  )
})

t.test('an invalid envelope refuses the whole batch', async (t) => {
  const { post, stored } = await gateway(t)
  for (
    const body of [
      {},
      { batch: {} },
      { batch: 'x' },
      { batch: null },
      { batch: [event(1)], context: [1] },
      { batch: [event(1)], context: 'x' },
      { batch: [event(1)], integrations: [1] },
      [event(1)],
      [],
      '{"batch":[{"type":"page"}],"context":{"__proto__":{}}}',
      '{"batch":[{"type":"page"}],"__proto__":{}}',
      '{"batch":[{"type":"page"}],"n":1e400}'
    ]
  ) {
    const response = await post('/v1/batch', body)
    t.equal(response.statusCode, 400, JSON.stringify(body))
    t.equal(codeOf(response), 'INVALID_REQUEST')
  }
  for (
    const body of ['', '{"batch":[{"type":"page"},]}', '{"batch":[{"type":"page"}]', '{"batch":[{"type":"page"}]}}']
  ) {
    const response = await post('/v1/batch', body)
    t.equal(response.statusCode, 400)
    t.equal(codeOf(response), 'INVALID_JSON', body)
  }
  t.equal((await stored()).length, 0)
})
