import Fastify from 'fastify'
import t from 'tap'

import ingestion from '../../../../routes/ingestion/index.js'
import { codeOf } from '../../../helpers/gateway.js'
import { webhookGateway } from '../../../helpers/webhook-gateway.js'

const TOPIC = { 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': 'w1' }

/** An order as Shopify sends it, reduced to some members of each line. */
function order (lines: number) {
  const money = {
    shop_money: { amount: '1.10', currency_code: 'EUR' },
    presentment_money: { amount: '1.10', currency_code: 'EUR' }
  }
  const line_items = Array.from(
    { length: lines },
    (_, at) => ({
      id: 466157049 + at,
      title: 'A shirt with a name',
      quantity: 1,
      sku: `SKU-${at}`,
      price_set: money,
      properties: [],
      requires_shipping: true,
      taxable: true,
      gift_card: false,
      fulfillment_service: 'manual',
      vendor: 'A vendor'
    })
  )
  return JSON.stringify({ id: 820982911946154508n.toString(), customer: { id: 115310627314723 }, line_items })
}

function padded (bytes: number): string {
  const empty = JSON.stringify({ text: '' })
  return JSON.stringify({ text: 'x'.repeat(bytes - empty.length) })
}

t.test('an order with 1 900 lines is stored unchanged', async (t) => {
  const { deliver, accepted } = await webhookGateway(t, 'shopify')
  const body = order(1_900)
  t.ok(body.length > 524_288 && body.length < 1_048_576, `${body.length} bytes`)
  t.equal((await deliver(body, TOPIC)).statusCode, 200)
  t.ok((await accepted())[0]?.payload.includes(body))
})

t.test('a delivery of 1 MB is accepted, and a delivery with one more byte is 413', async (t) => {
  const { deliver, accepted } = await webhookGateway(t, 'shopify')
  t.equal((await deliver(padded(1_048_576), TOPIC)).statusCode, 200)
  const refused = await deliver(padded(1_048_577), TOPIC)
  t.same([refused.statusCode, codeOf(refused)], [413, 'PAYLOAD_TOO_LARGE'])
  t.equal((await accepted()).length, 1)
})

t.test('webhookLimit sets the limit of only deliveries', async (t) => {
  const small = await webhookGateway(t, 'shopify', { ingestion: { webhookLimit: 2_000 } })
  t.equal((await small.deliver(padded(2_000), TOPIC)).statusCode, 200)
  t.equal((await small.deliver(padded(2_001), TOPIC)).statusCode, 413)
  t.equal(
    (await small.post('/v1/track', { event: 'E', userId: 'u1', properties: { text: 'x'.repeat(3_000) } })).statusCode,
    200
  )
  const large = await webhookGateway(t, 'shopify', { ingestion: { webhookLimit: 8_000_000 } })
  t.equal((await large.deliver(padded(8_000_000), TOPIC)).statusCode, 200)
  t.equal(
    (await large.post('/v1/track', { event: 'E', userId: 'u1', properties: { text: 'x'.repeat(70_000) } })).statusCode,
    413
  )
  for (const webhookLimit of [0, -1, 1.5, '1mb']) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(ingestion, { webhookLimit: webhookLimit as number }), {
      code: 'INVALID_OPTIONS',
      message: /webhookLimit/
    }, String(webhookLimit))
  }
})

t.test('a delivery with too many members or levels is 400', async (t) => {
  const { deliver } = await webhookGateway(t, 'shopify', { ingestion: { webhookLimit: 4_000_000 } })
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 200_001 }, (_, at) => [`p${at}`, 1])))
  const reply = await deliver(wide, TOPIC)
  t.same([reply.statusCode, codeOf(reply)], [400, 'INVALID_REQUEST'])
  t.equal((await deliver(`${'['.repeat(65)}${']'.repeat(65)}`, TOPIC)).statusCode, 400)
})
