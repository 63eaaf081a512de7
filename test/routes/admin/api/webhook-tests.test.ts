import t from 'tap'
import type { Test } from 'tap'

import ingestion from '../../../../routes/ingestion/index.js'
import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'

const INVOICE = {
  id: 'evt_1', type: 'invoice.paid', created: 1_718_000_000, data: { object: { customer: 'cus_42', amount_paid: 4200 } }
}

async function withWebhook (t: Test, body: object = { provider: 'stripe', secret: 'whsec_0123456789abcdefghij' }) {
  const admin = await adminApp(t, { before: async (app) => { await app.register(ingestion) } })
  const owner = await caller(admin)
  const source = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const webhook = (await owner.send('POST', `/sources/${source.id}/webhooks`, body)).json()
  const path = `/sources/${source.id}/webhooks/${webhook.id}`
  return { admin, owner, source, path, test: async (sample: object) => await owner.send('POST', `${path}/test`, sample) }
}

t.test('a sample delivery becomes the events that a real one would store, and nothing is stored', async (t) => {
  const { owner, source, test } = await withWebhook(t)
  const reply = await test({ body: INVOICE })
  t.equal(reply.statusCode, 200)
  const { events, errors } = reply.json()
  t.same(errors, [])
  t.match(events, [{
    type: 'track',
    event: 'invoice.paid',
    messageId: 'evt_1',
    userId: 'cus_42',
    timestamp: '2024-06-10T06:13:20.000Z',
    sourceId: source.id,
    authMethod: 'signature',
    properties: { id: 'evt_1' }
  }])
  t.same((await owner.get(`/events?source_id=${source.id}`)).json().data, [])
  t.equal((await owner.get(`/stats?source_id=${source.id}`)).json().events.totals.accepted, 0)
})

t.test('the mapping reads the headers of the sample, in any case', async (t) => {
  const { test } = await withWebhook(t, { provider: 'shopify', secret: 'a-secret-of-shopify-0123456789' })
  const body = { id: 7, customer: { id: 42 } }
  const { events } = (await test({ body, headers: { 'X-Shopify-Topic': 'orders/paid' } })).json()
  t.match(events, [{ event: 'orders/paid', userId: '42' }])
})

t.test('a sample whose events would all be refused has the reason of each, and status 200', async (t) => {
  const { test } = await withWebhook(t, {
    provider: 'hubspot', secret: 'a-secret-of-hubspot-0123456789', mapping: { userId: null, event: '$.name' }
  })
  const { events, errors } = (await test({ body: [{ eventId: 1 }, { eventId: 2, name: 'Known' }] })).json()
  t.match(events, [{ event: 'Known' }])
  t.match(errors, [{ index: 0, code: 'INVALID_REQUEST' }])
  const none = (await test({ body: [{ eventId: 1 }, { eventId: 2 }] })).json()
  t.same(none.events, [])
  t.match(none.errors, [{ index: 0, code: 'INVALID_REQUEST' }, { index: 1, code: 'INVALID_REQUEST' }])
})

t.test('another mapping is tried without being saved, and a mistake in it is 400 with its place', async (t) => {
  const { owner, path, test } = await withWebhook(t)
  const { events } = (await test({ body: INVOICE, mapping: { event: 'Paid {$.id}' } })).json()
  t.match(events, [{ event: 'Paid evt_1' }])
  t.equal((await owner.get(path)).json().mapping, null)
  const wrong = await test({ body: INVOICE, mapping: { event: '$[' } })
  t.equal(wrong.statusCode, 400)
  t.match(wrong.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/mapping/event' }] })
})

t.test('a body that is neither an object nor an array is 400, and a webhook of another source is 404', async (t) => {
  const { owner, path, test } = await withWebhook(t)
  t.equal((await test({ body: 'paid' })).statusCode, 400)
  t.equal((await test({})).statusCode, 400)
  const other = (await owner.send('POST', '/sources', { name: 'Other' })).json()
  const id = path.split('/').at(-1)
  t.equal((await owner.send('POST', `/sources/${other.id}/webhooks/${id}/test`, { body: INVOICE })).statusCode, 404)
})

t.test('a server that does not receive events says that a delivery cannot be tried', async (t) => {
  const owner = await caller(await adminApp(t))
  const source = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const webhook = (await owner.send('POST', `/sources/${source.id}/webhooks`, { provider: 'standard' })).json()
  const reply = await owner.send('POST', `/sources/${source.id}/webhooks/${webhook.id}/test`, { body: INVOICE })
  t.equal(reply.statusCode, 404)
  t.match(reply.json().error.message, /does not accept events/)
})
