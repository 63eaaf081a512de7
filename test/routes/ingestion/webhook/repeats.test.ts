import t from 'tap'

import { JsonPart } from '../../../../routes/ingestion/webhook/json-part.js'
import { compileMapping } from '../../../../routes/ingestion/webhook/mapping.js'
import { webhookGateway } from '../../../helpers/webhook-gateway.js'

const ORDER = { id: 1, updated_at: '2026-01-15T12:00:00Z' }
const HEADERS = {
  'x-shopify-topic': 'orders/paid',
  'x-shopify-webhook-id': 'b54557e4',
  'x-shopify-event-id': 'e1',
  'x-shopify-triggered-at': '2026-01-15T12:00:00Z'
}

t.test('a repeated delivery of Shopify is stored once, also with other unsigned headers', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'shopify')
  t.equal((await deliver(ORDER, HEADERS)).statusCode, 200)
  for (const [name, value] of Object.entries(HEADERS)) {
    for (const other of [`${value}1`, value.toUpperCase()]) {
      t.equal(
        (await deliver(ORDER, { ...HEADERS, [name]: name.endsWith('-at') ? '2026-01-15T13:00:00Z' : other }))
          .statusCode,
        200
      )
    }
  }
  t.match(await stored(), [{ event: 'orders/paid', messageId: /^signed-[0-9a-f]{40}-0$/ }])
  t.equal((await stored()).length, 1)
  t.equal((await deliver({ ...ORDER, updated_at: '2026-01-15T12:00:01Z' }, HEADERS)).statusCode, 200)
  t.equal((await stored()).length, 2, 'another body is another event')
})

t.test('an id that a mapping reads from a header is used only if the provider signs the header', async (t) => {
  for (const messageId of ['header:x-id', '{$.id}-{header:x-id}', ['$.none', 'header:x-id']]) {
    for (const provider of ['shopify', 'custom'] as const) {
      const { deliver, stored } = await webhookGateway(t, provider, {
        webhook: { mapping: { event: 'order', messageId } }
      })
      for (const id of ['1', '2']) t.equal((await deliver(ORDER, { 'x-id': id })).statusCode, 200)
      t.match((await stored()).map((event) => event.messageId), [/^signed-/], `${provider}, ${String(messageId)}`)
      t.equal((await stored()).length, 1)
    }
  }
  const list = await webhookGateway(t, 'custom', {
    webhook: { mapping: { event: 'order', messageId: ['header:x-id', 'order-{$.id}'] } }
  })
  await list.deliver(ORDER, { 'x-id': '1' })
  t.match(await list.stored(), [{ messageId: 'order-1' }], 'the next candidate is used')
  const standard = await webhookGateway(t, 'standard')
  for (const at of [0, 1_000]) {
    t.equal((await standard.deliver({ type: 'x' }, {}, { at: Date.now() - at })).statusCode, 200)
  }
  t.match(await standard.stored(), [{ messageId: 'msg_1' }])
  t.equal((await standard.stored()).length, 1)
  const subject = { value: {}, part: new JsonPart('{}'), headers: { 'x-time': '5', 'x-id': '6' }, work: { left: 100 } }
  const mapped = (messageId: string) =>
    compileMapping('custom', { messageId }, { timestampHeader: 'x-time' }).messageId(subject)
  t.same([mapped('header:x-time'), mapped('at-{header:x-time}'), mapped('header:x-id'),
    mapped('{header:x-time}{header:x-id}')], ['5', 'at-5', null, null])
})

t.test('equal bodies at two webhooks of one source are two events', async (t) => {
  const first = await webhookGateway(t, 'shopify')
  const { store, source, webhook } = first
  const { id = '' } =
    await store.webhooks.create('acme', source.id, { ...webhook, secret: 'a secret that the provider gave' }) ?? {}
  t.equal((await first.deliver(ORDER, { 'x-shopify-topic': 'orders/create' })).statusCode, 200)
  t.equal(
    (await first.deliver(ORDER, { 'x-shopify-topic': 'orders/paid' }, { url: `/v1/webhook?source=${id}` })).statusCode,
    200
  )
  t.same((await first.stored()).map(({ event }) => event), ['orders/create', 'orders/paid'])
})
