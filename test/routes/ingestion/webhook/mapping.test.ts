import t from 'tap'

import type { WebhookMapping } from '../../../../contracts/token-store/index.js'
import { codeOf } from '../../../helpers/gateway.js'
import { webhookGateway } from '../../../helpers/webhook-gateway.js'

t.test('stripe: an event without a mapping is stored with its type, id, customer and time', async (t) => {
  const { deliver, stored, webhook } = await webhookGateway(t, 'stripe')
  const created = Math.floor(Date.now() / 1000) - 60
  const event = {
    id: 'evt_1',
    object: 'event',
    created,
    type: 'invoice.paid',
    livemode: true,
    data: { object: { id: 'in_1', object: 'invoice', customer: 'cus_1', amount_paid: 1200 } }
  }
  await deliver(event)
  await deliver({
    ...event,
    id: 'evt_2',
    data: { object: { id: 'in_2', customer: { id: 'cus_2', object: 'customer' } } }
  })
  await deliver({
    ...event,
    id: 'evt_3',
    type: 'customer.created',
    data: { object: { id: 'cus_3', object: 'customer' } }
  })
  await deliver({
    ...event,
    id: 'evt_4',
    type: 'payout.paid',
    data: { object: { id: 'po_1', object: 'payout', customer: null } }
  })
  const [first, ...others] = await stored()
  t.match(first, {
    type: 'track',
    event: 'invoice.paid',
    messageId: 'evt_1',
    userId: 'cus_1',
    timestamp: new Date(created * 1000).toISOString(),
    properties: event
  })
  t.notOk('anonymousId' in (first ?? {}))
  t.match(others, [{ userId: 'cus_2' }, { userId: 'cus_3' }, { anonymousId: `webhook:${webhook.id}` }])
  t.notOk('userId' in (others[2] ?? {}), 'an event without a customer has the id of the webhook')
})

t.test('shopify: the event is the topic header, and a numeric customer id is a string with all digits', async (t) => {
  const { deliver, accepted, stored } = await webhookGateway(t, 'shopify')
  const body = '{"id":820982911946154508,"total_price":1.10,"customer":{"id":115310627314723954}}'
  const headers = {
    'x-shopify-topic': 'orders/create',
    'x-shopify-webhook-id': 'b54557e4',
    'x-shopify-triggered-at': '2026-01-15T12:00:00.877041743Z'
  }
  t.equal((await deliver(body, headers)).statusCode, 200)
  t.match(await stored(), [{
    event: 'orders/create',
    messageId: /^signed-[0-9a-f]{40}-0$/,
    userId: '115310627314723954',
    timestamp: '2026-01-15T12:00:00.877041743Z'
  }])
  t.match((await accepted())[0]?.payload, `"properties":${body}`, 'stored unchanged')
  const untold = await deliver(body)
  t.same([untold.statusCode, codeOf(untold)], [400, 'INVALID_REQUEST'], 'without a topic')
})

t.test('shopify: the user is the customer, also if the body is the customer', async (t) => {
  const { deliver, stored, webhook } = await webhookGateway(t, 'shopify')
  const cases: Array<[topic: string, body: string, userId: string | undefined]> = [
    ['customers/create', '{"id":706405506930370084,"email":"bob@example.com"}', '706405506930370084'],
    ['customers/update', '{"id":1}', '1'],
    ['customers/delete', '{"id":2,"phone":null}', '2'],
    ['customers/enable', '{"id":3}', '3'],
    ['customers/disable', '{"id":4}', '4'],
    ['customers/data_request', '{"shop_id":954889,"customer":{"id":191167}}', '191167'],
    ['customers_marketing_consent/update', '{"customer_id":706405506930370084}', '706405506930370084'],
    ['orders/create', '{"id":820982911946154508,"customer":{"id":115310627314723954}}', '115310627314723954'],
    ['orders/create', '{"id":820982911946154508,"customer":null}', undefined],
    ['customers/merge', '{"id":5}', undefined],
    ['customer_groups/create', '{"id":6}', undefined],
    ['products/create', '{"id":7}', undefined]
  ]
  for (const [at, [topic, body]] of cases.entries()) {
    t.equal(
      (await deliver(body, { 'x-shopify-topic': topic, 'x-shopify-webhook-id': `w${at}` })).statusCode,
      200,
      topic
    )
  }
  const events = await stored()
  t.same(events.map(({ userId }) => userId), cases.map(([, , userId]) => userId))
  t.equal(events.at(-1)?.['anonymousId'], `webhook:${webhook.id}`)
})

t.test('shopify: a mapping of userId replaces the default mapping', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'shopify', { webhook: { mapping: { userId: '$.email' } } })
  for (const body of ['{"id":1,"email":"bob@example.com"}', '{"id":1}']) {
    await deliver(body, { 'x-shopify-topic': 'customers/create' })
  }
  t.same((await stored()).map(({ userId }) => userId), ['bob@example.com', undefined])
})

t.test('hubspot: each element of the body is an event with its own result', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'hubspot')
  const event = {
    eventId: 100,
    subscriptionId: 7,
    portalId: 62515,
    occurredAt: Date.now() - 1000,
    subscriptionType: 'contact.creation',
    attemptNumber: 0,
    objectId: 123
  }
  const body = [event, { ...event, eventId: 101 }, { eventId: 5 }, 'x', {
    ...event,
    subscriptionId: 8,
    subscriptionType: 'deal.creation'
  }]
  const reply = await deliver(body)
  t.equal(reply.statusCode, 200)
  t.match(reply.json(), {
    success: false,
    accepted: 3,
    rejected: 2,
    errors: [{ index: 2, code: 'INVALID_REQUEST' }, { index: 3, code: 'INVALID_REQUEST' }]
  })
  await deliver(body.map((each) => typeof each === 'string' ? each : { ...each, attemptNumber: 1 }))
  const events = await stored()
  t.same(events.map(({ event, messageId }) => [event, messageId]), [
    ['contact.creation', `62515-7-100-${event.occurredAt}`],
    ['contact.creation', `62515-7-101-${event.occurredAt}`],
    ['deal.creation', `62515-8-100-${event.occurredAt}`]
  ], 'a repeated attempt is the same event')
  t.match(events[0], {
    properties: { ...event, attemptNumber: 0 },
    timestamp: new Date(event.occurredAt).toISOString()
  })
  t.same((await deliver([])).json(), { success: true, accepted: 0 })
  for (const body of [{ eventId: 1 }, [1], 'null', '"x"']) {
    const reply = await deliver(body)
    t.same([reply.statusCode, codeOf(reply)], [400, 'INVALID_REQUEST'], JSON.stringify(body))
  }
  const many = await deliver(Array.from({ length: 501 }, () => event))
  t.same([many.statusCode, codeOf(many)], [400, 'INVALID_REQUEST'])
})

t.test('standard: type, timestamp, data and message id are mapped as in the specification', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'standard')
  t.equal(
    (await deliver({ type: 'user.created', timestamp: '2026-01-15T12:00:00.5Z', data: { id: 'u1' } })).statusCode,
    200
  )
  t.match(await stored(), [{
    event: 'user.created',
    messageId: 'msg_1',
    timestamp: '2026-01-15T12:00:00.5Z',
    properties: { id: 'u1' }
  }])
})

t.test('a mapping replaces the mapping of the provider, member by member', async (t) => {
  const { deliver, accepted, stored } = await webhookGateway(t, 'stripe', {
    webhook: {
      mapping: {
        type: 'identify',
        event: null,
        userId: ['$.missing', '$.empty', '$.owner.id', '$.id'],
        groupId: 'shop-{$.shop.no}',
        messageId: ['{$.none}', '{$.id}/{$.shop.no}'],
        timestamp: '$.at',
        properties: {
          total: '$.total',
          'a/b': "$['odd name']",
          tags: '$.lines[*].tag',
          first: '$.lines[0]',
          topic: 'header:x-topic',
          text: 'fixed',
          none: '$.none',
          nil: '$.nil',
          some: '$.lines[?@.n > 1].n'
        },
        traits: '$.owner',
        context: ['$.none', '$.context']
      }
    }
  })
  const body =
    '{"id":"e1","empty":"","owner":{"id":1e2,"name":"\\u00e9"},"shop":{"no":7},"at":"2026-01-15","total":1.00,"odd ' +
      'name":12345678901234567890,' +
    '"lines":[{"tag":"x","n":1},{"tag":"y","n":2}],"nil":null,"context":{"ip":"198.51.100.7"}}'
  const reply = await deliver(body, { 'x-topic': 'orders' })
  t.equal(reply.statusCode, 200)
  const [event] = await accepted()
  t.equal(
    event?.payload,
    '{"type":"identify","userId":"1e2","groupId":"shop-7","timestamp":"2026-01-15",' +
      '"properties":{"total":1.00,"a/b":12345678901234567890,"tags":["x","y"],"first":{"tag":"x","n":1},"topic":"orders","text":"fixed","nil":null,"some":[2]},' +
      '"traits":{"id":1e2,"name":"\\u00e9"},"context":{"ip":"198.51.100.7"},"messageId":"e1/7"}'
  )
  t.match(await stored(), [{ type: 'identify', userId: '1e2', messageId: 'e1/7', ip: '198.51.100.7' }])
})

t.test('each: a path selects the events of a body, and events of one delivery have different ids', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'standard', {
    webhook: {
      mapping: { each: "$.items[?@.kind == 'sale']", event: '$.kind', timestamp: null, properties: { no: '$.no' } }
    }
  })
  const body = { items: [{ kind: 'sale', no: 1 }, { kind: 'ping', no: 2 }, { kind: 'sale', no: 3 }] }
  for (let i = 0; i < 2; i++) t.same((await deliver(body)).json(), { success: true, accepted: 2 })
  t.same((await stored()).map(({ messageId, properties }) => [messageId, properties]), [['msg_1', { no: 1 }], [
    'msg_1-1',
    { no: 3 }
  ]])
})

t.test('every event of one delivery is stored, also with equal ids', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'custom', { webhook: { mapping: { each: '$[*]' } } })
  const ids = ['a', 'a', 'b-4', 'b', 'b', 'a-1', 'b-5', 'b', 'b-4', 'x'.repeat(101), 'x'.repeat(101)]
  const body = ids.map((messageId, no) => ({ event: 'x', messageId, no }))
  for (let i = 0; i < 2; i++) t.same((await deliver(body)).json(), { success: true, accepted: ids.length })
  t.same(
    (await stored()).map(({ properties }) => properties).map((properties) => (properties as { no: number }).no),
    ids.map((_, no) => no)
  )
})

t.test('an id above 100 characters becomes its digest, the same each time', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'stripe')
  const long = 'x'.repeat(101)
  for (const id of ['y'.repeat(100), long, long, `${long}y`]) {
    t.equal((await deliver({ id, type: 'a' })).statusCode, 200)
  }
  const ids = (await stored()).map(({ messageId }) => String(messageId))
  t.equal(ids.length, 3)
  t.equal(ids[0], 'y'.repeat(100))
  t.match(ids[1], /^sha256-[0-9a-f]{64}$/)
  t.match(ids[2], /^sha256-[0-9a-f]{64}$/)
})

t.test('a time is unix seconds, milliseconds or ISO-8601, and an invalid or later time is 400', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'custom')
  const good = [1_768_478_400, 1_768_478_400_000, '1768478400', '1768478400000', 1_768_478_400.25,
    '2026-01-15T12:00:00.000Z', '2026-01-15T13:00:00+01:00']
  for (const [at, timestamp] of good.entries()) {
    t.equal((await deliver({ event: 'x', messageId: String(at), timestamp })).statusCode, 200, String(timestamp))
  }
  const noon = Date.UTC(2026, 0, 15, 12)
  t.same(
    (await stored()).map(({ timestamp }) => Date.parse(String(timestamp))),
    good.map((time) => time === 1_768_478_400.25 ? noon + 250 : noon)
  )
  for (const timestamp of ['yesterday', 'June 3', 1e300, 1e20, Date.now() + 100_000_000, '2026-02-30']) {
    const reply = await deliver({ event: 'x', timestamp })
    t.same([reply.statusCode, codeOf(reply)], [400, 'INVALID_REQUEST'], String(timestamp))
    t.match(reply.json().error.details, [{ path: '/timestamp' }])
  }
})

t.test('a body that gives no valid event is 400, with the path of the invalid member', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'custom')
  const cases: Array<[unknown, string?]> = [
    [{}],
    [[]],
    [1],
    ['null'],
    [{ event: '' }],
    [{ event: { a: 1 } }],
    [{ event: 'x'.repeat(1_001) }, '/event'],
    [{ event: 'x', userId: 'u'.repeat(513) }, '/userId']
  ]
  for (const [body, path] of cases) {
    const reply = await deliver(body)
    t.same([reply.statusCode, codeOf(reply)], [400, 'INVALID_REQUEST'], JSON.stringify(body).slice(0, 40))
    if (path !== undefined) t.match(reply.json().error.details, [{ path }])
  }
  t.same(await stored(), [])
})

t.test('a mapping that copies a large part many times is 413', async (t) => {
  const properties = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`p${at}`, '$']))
  const { deliver, stored } = await webhookGateway(t, 'custom', { webhook: { mapping: { properties } } })
  const reply = await deliver({ event: 'x', text: 'y'.repeat(400_000) })
  t.same([reply.statusCode, codeOf(reply)], [413, 'PAYLOAD_TOO_LARGE'])
  t.same(await stored(), [])
  const megabytes = await deliver({ event: 'x', text: 'y'.repeat(80_000) })
  t.same([megabytes.statusCode, codeOf(megabytes)], [413, 'PAYLOAD_TOO_LARGE'])
  t.same(await stored(), [])
  t.equal(
    (await deliver({ event: 'x', text: 'y'.repeat(8_000) })).statusCode,
    200,
    'a mapped event can be larger than an event of a client'
  )
})

t.test('a wide body is 413 if the paths of a mapping would read too many elements', async (t) => {
  const wide = `{"event":"x","list":[${'5,'.repeat(250_000)}5]}`
  const fields = (text: string) => Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`f${at}`, text]))
  const sixes = fields(`$.list[?${Array.from({ length: 30 }, () => '@==6').join('||')}]`)
  const mappings: Array<[WebhookMapping, number]> = [
    [{ each: '$.list[?@ == 5 || @ != 5]', event: 'x' }, 413],
    [{ each: '$.list[?@ == 6]' }, 413],
    [{ each: '$.list[*]' }, 413],
    [{ properties: fields('$.list[*]') }, 413],
    [{ properties: sixes, traits: sixes, context: sixes }, 413],
    [{ properties: { a: '$[*][0]', b: '$.list[-1]', c: '$[?@ == "x"]' } }, 200]
  ]
  for (const [mapping, status] of mappings) {
    const { deliver, stored } = await webhookGateway(t, 'custom', { webhook: { mapping } })
    const reply = await deliver(wide)
    const name = JSON.stringify(mapping).slice(0, 100)
    t.same([reply.statusCode, codeOf(reply)], [status, status === 413 ? 'PAYLOAD_TOO_LARGE' : undefined], name)
    t.equal((await stored()).length, status === 413 ? 0 : 1)
  }
})

t.test('a list of 500 elements is read by 30 paths of one mapping', async (t) => {
  const properties = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`f${at}`, `$.lines[?@.n != ${at}].n`]))
  const { deliver } = await webhookGateway(t, 'custom', { webhook: { mapping: { properties } } })
  t.equal((await deliver({ event: 'x', lines: Array.from({ length: 500 }, (_, n) => ({ n })) })).statusCode, 200)
})
