import t from 'tap'

import { codeOf, gateway } from '../../../helpers/gateway.js'
import { makeSource } from '../../../helpers/source.js'

t.test('/v1/import accepts the same bodies as /v1/batch', async (t) => {
  const { post, signed, stored } = await gateway(t)
  const body = { batch: [{ type: 'track', userId: 'u1', event: 'E' }] }
  for (const send of [post, signed]) t.equal((await send('/v1/import', body)).body, '{"success":true,"accepted":1}')
  t.equal(codeOf(await post('/v1/import', { batch: [] })), 'INVALID_REQUEST')
  t.equal((await stored()).length, 2)
})

t.test('context and integrations of the batch are merged under each event at every level, and sentAt is ' +
  'copied', async (t) => {
  const { post, stored } = await gateway(t)
  const response = await post('/v1/batch', {
    sentAt: '2026-01-01T00:00:00.000Z',
    integrations: { All: false, Mixpanel: true, Braze: { a: { b: 1 }, list: [1] } },
    context: { app: { name: 'A' }, page: { url: 'https://a.example/' } },
    batch: [
      { type: 'track', event: 'E', context: { app: { version: '2' }, page: { title: 'T' } } },
      {
        type: 'track',
        event: 'E',
        integrations: { All: true, Braze: { a: { c: 2 }, list: [] }, Mixpanel: { x: {} } },
        context: { app: 'A2' },
        sentAt: '2025-01-01'
      },
      { type: 'track', event: 'E', integrations: { Braze: {} }, context: {} }
    ]
  })
  t.equal(response.body, '{"success":true,"accepted":3}')
  const context = { app: { name: 'A' }, page: { url: 'https://a.example/' } }
  const integrations = { All: false, Mixpanel: true, Braze: { a: { b: 1 }, list: [1] } }
  const seen = (await stored()).map((event) => ({
    context: event['context'],
    integrations: event['integrations'],
    sentAt: event['sentAt']
  }))
  t.same(seen, [
    {
      context: { app: { name: 'A', version: '2' }, page: { url: 'https://a.example/', title: 'T' } },
      integrations,
      sentAt: '2026-01-01T00:00:00.000Z'
    },
    {
      context: { app: 'A2', page: context.page },
      integrations: { All: true, Mixpanel: { x: {} }, Braze: { a: { b: 1, c: 2 }, list: [] } },
      sentAt: '2025-01-01'
    },
    { context, integrations, sentAt: '2026-01-01T00:00:00.000Z' }
  ])
})

t.test('merged members keep their digits, and no key is repeated', async (t) => {
  const { post, accepted } = await gateway(t)
  await post(
    '/v1/batch',
    '{"context":{"a":{"n":1.0,"x":1},"b":1},"integrations":{"i":{"n":9007199254740993}},"batch":[{"type":"page","context":{"a":{"x":2.0},"b":2},"integrations":{"i":{"m":1}}}]}'
  )
  const [event] = await accepted()
  t.match(event?.additions, '"context":{"a":{"n":1.0,"x":2.0},"b":2}')
  t.match(event?.additions, '"integrations":{"i":{"n":9007199254740993,"m":1}}')
})

t.test('an item with the key of another source is an error of only that item', async (t) => {
  const { post, signed, store, key, stored } = await gateway(t)
  const other = await makeSource(store)
  const batch = [{ type: 'page', userId: 'u' }, { type: 'page', userId: 'u', messageId: 'm2', writeKey: other.key }, {
    type: 'page',
    userId: 'u',
    writeKey: 1
  }, { type: 'page', userId: 'u', writeKey: key }]
  for (const send of [post, signed]) {
    const response = await send('/v1/batch', { batch })
    t.equal(response.statusCode, 200)
    t.match(response.json(), {
      success: false,
      accepted: 2,
      rejected: 2,
      errors: [{ index: 1, messageId: 'm2', code: 'INVALID_PIPELINE_KEY' }, {
        index: 2,
        messageId: null,
        code: 'INVALID_PIPELINE_KEY'
      }]
    })
  }
  t.equal((await stored()).length, 4)
  t.equal(
    (await post('/v1/batch', { batch, writeKey: other.key })).statusCode,
    401,
    'another key of the batch refuses the whole batch'
  )
})
