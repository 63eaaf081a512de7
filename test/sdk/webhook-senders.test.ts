import '@shopify/shopify-api/adapters/node'

import { Signature } from '@hubspot/api-client/lib/src/utils/signature.js'
import { createSHA256HMAC, HashFormat } from '@shopify/shopify-api/runtime'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import Stripe from 'stripe'
import { Webhook as SvixWebhook } from 'svix'
import t from 'tap'

import { webhookGateway } from '../helpers/webhook-gateway.js'

const WHSEC = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
const HUBSPOT_SECRET = '01234567-89ab-4cde-8f01-23456789abcd'
const SHOPIFY_SECRET = 'shpss_0123456789abcdef0123456789abcdef'

t.test("a delivery that Stripe's own library signs is stored, and one with another secret is refused", async (t) => {
  const secret = 'whsec_test_secret'
  const { send, stored } = await webhookGateway(t, 'stripe', { webhook: { secret } })
  const { webhooks } = new Stripe('sk_test_123')
  const payload = JSON.stringify(
    {
      id: 'evt_1',
      object: 'event',
      type: 'invoice.paid',
      created: Math.floor(Date.now() / 1000),
      data: { object: { customer: 'cus_1', name: 'é' } }
    },
    null,
    2
  )
  const header = (secret: string) => ({ 'stripe-signature': webhooks.generateTestHeaderString({ payload, secret }) })
  t.equal((await send(payload, header(secret))).statusCode, 200)
  t.match(await stored(), [{ event: 'invoice.paid', messageId: 'evt_1', userId: 'cus_1' }])
  t.equal((await send(payload, header('whsec_other'))).statusCode, 401)
  const late = webhooks.generateTestHeaderString({ payload, secret, timestamp: Math.floor(Date.now() / 1000) - 301 })
  t.equal((await send(payload, { 'stripe-signature': late })).json().error.code, 'TIMESTAMP_OUT_OF_RANGE')
})

const SENDERS: Array<
  [name: string, sign: (id: string, at: Date, payload: string) => string, prefix: 'svix' | 'webhook']
> = [
  ['svix', (id, at, payload) => new SvixWebhook(WHSEC).sign(id, at, payload), 'svix'],
  ['svix, under the names of the specification', (id, at, payload) => new SvixWebhook(WHSEC).sign(id, at, payload),
    'webhook'],
  ['standardwebhooks', (id, at, payload) => new StandardWebhook(WHSEC).sign(id, at, payload), 'webhook']
]

for (const [name, sign, prefix] of SENDERS) {
  t.test(`a delivery that ${name} signs is stored under its own id, once`, async (t) => {
    const { send, stored } = await webhookGateway(t, 'standard', { webhook: { secret: WHSEC } })
    const payload = JSON.stringify({ type: 'user.created', data: { id: 'user_1' } })
    const at = new Date()
    const headers = (id: string, time = at) => ({
      [`${prefix}-id`]: id,
      [`${prefix}-timestamp`]: String(Math.floor(time.getTime() / 1000)),
      [`${prefix}-signature`]: sign(id, time, payload)
    })
    for (let repeat = 0; repeat < 2; repeat++) t.equal((await send(payload, headers('msg_1'))).statusCode, 200)
    t.match(await stored(), [{
      event: 'user.created',
      messageId: 'msg_1',
      properties: { id: 'user_1' },
      timestamp: new Date(Math.floor(at.getTime() / 1000) * 1000).toISOString()
    }])
    t.equal((await stored()).length, 1)
    t.equal(
      (await send(payload, { ...headers('msg_1'), [`${prefix}-id`]: 'msg_2' })).statusCode,
      401,
      'the id is signed'
    )
    t.equal(
      (await send(payload, headers('msg_3', new Date(at.getTime() - 301_000)))).json().error.code,
      'TIMESTAMP_OUT_OF_RANGE'
    )
    t.equal((await send('{}', headers('msg_1'))).statusCode, 401)
  })
}

t.test('unsigned headers of the other naming do not change the id or time of a signed delivery', async (t) => {
  const { send, stored } = await webhookGateway(t, 'standard', { webhook: { secret: WHSEC } })
  const payload = JSON.stringify({ type: 'user.created', data: {} })
  const at = new Date()
  const time = String(Math.floor(at.getTime() / 1000))
  const signature = new SvixWebhook(WHSEC).sign('msg_1', at, payload)
  const svix = { 'svix-id': 'msg_1', 'svix-timestamp': time, 'svix-signature': signature }
  for (
    const added of [{ 'webhook-id': 'msg_2' }, { 'webhook-timestamp': '1' }, { 'webhook-signature': signature }, {
      'webhook-id': ''
    }]
  ) {
    t.equal(
      (await send(payload, { ...svix, ...added } as Record<string, string>)).statusCode,
      401,
      JSON.stringify(added)
    )
  }
  const standard = { 'webhook-id': 'msg_1', 'webhook-timestamp': time, 'webhook-signature': signature }
  t.equal((await send(payload, { ...standard, 'svix-id': 'msg_2', 'svix-timestamp': '1' })).statusCode, 200)
  t.same((await stored()).map(({ messageId, timestamp }) => [messageId, timestamp]), [['msg_1',
    new Date(Number(time) * 1000).toISOString()]])
})

t.test("a delivery with the HMAC of Shopify's own library is stored", async (t) => {
  const { send, stored } = await webhookGateway(t, 'shopify', { webhook: { secret: SHOPIFY_SECRET } })
  const payload =
    '{"id":706405506930370084,"email":"bob@example.com","note":"This customer loves ice cream ' +
      '☃","admin_graphql_api_id":"gid://shopify/Customer/706405506930370084"}'
  const headers = async (secret: string) => ({
    'x-shopify-hmac-sha256': await createSHA256HMAC(secret, payload, HashFormat.Base64),
    'x-shopify-topic': 'customers/create',
    'x-shopify-webhook-id': 'b54557e4'
  })
  t.equal((await send(payload, await headers(SHOPIFY_SECRET))).statusCode, 200)
  t.match(await stored(), [{
    event: 'customers/create',
    messageId: /^signed-[0-9a-f]{40}-0$/,
    userId: '706405506930370084'
  }])
  t.equal((await send(payload, await headers('shpss_other'))).statusCode, 401)
})

/** Returns the body of a delivery with one event, and the headers by which HubSpot's library signs it for a URL. */
function hubspotDelivery (url: string, eventId: number): { payload: string, headers: Record<string, string> } {
  const payload = JSON.stringify([{
    eventId,
    subscriptionId: 2,
    portalId: 3,
    occurredAt: 1,
    subscriptionType: 'contact.creation'
  }])
  const timestamp = Date.now()
  const signature = Signature.getSignature('POST', 'v3', {
    signature: '',
    clientSecret: HUBSPOT_SECRET,
    url,
    requestBody: payload,
    timestamp
  })
  return {
    payload,
    headers: { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': String(timestamp) }
  }
}

t.test("a delivery that HubSpot's own library signs for the public URL is stored, with any spelling of the " +
  'host by the proxy', async (t) => {
  const { send, url, stored } = await webhookGateway(t, 'hubspot', {
    webhook: { secret: HUBSPOT_SECRET },
    server: { trustProxy: '127.0.0.1' }
  })
  let eventId = 0
  const deliver = async (signed: string, headers: Record<string, string>) => {
    const delivery = hubspotDelivery(`${signed}${url}`, ++eventId)
    return (await send(delivery.payload, { ...delivery.headers, ...headers })).statusCode
  }
  const https = { 'x-forwarded-proto': 'https' }
  const PUBLIC = 'https://hooks.example.com'
  for (const host of ['hooks.example.com', 'hooks.example.com:443', 'HOOKS.example.com', 'Hooks.Example.com:443']) {
    t.equal(await deliver(PUBLIC, { ...https, host }), 200, host)
    t.equal(
      await deliver(PUBLIC, { ...https, host: '10.0.0.7:3000', 'x-forwarded-host': host }),
      200,
      `forwarded ${host}`
    )
  }
  t.equal(
    await deliver('https://hooks.example.com:443', { ...https, host: 'hooks.example.com:443' }),
    200,
    'a sender that signs the port'
  )
  t.equal(
    await deliver('https://HOOKS.example.com', { ...https, host: 'HOOKS.example.com' }),
    200,
    'a sender that signs the case'
  )
  t.equal(await deliver('http://hooks.example.com', { host: 'hooks.example.com:80' }), 200)
  t.equal(await deliver('https://hooks.example.com:8443', { ...https, host: 'HOOKS.example.com:8443' }), 200)
  t.equal((await stored()).length, 12)
  for (
    const [signed, host] of [['https://evil.example.com', 'hooks.example.com'], [PUBLIC, 'hooks.example.com:8443'], [
      PUBLIC,
      'hooks.example.com:80'
    ], ['http://hooks.example.com', 'hooks.example.com']] as const
  ) {
    t.equal(await deliver(signed, { ...https, host }), 401, `${signed} at ${host}`)
  }
})

t.test("HubSpot's signature is accepted for either spelling of the webhook's URL", async (t) => {
  const { send, url, webhook } = await webhookGateway(t, 'hubspot', {
    webhook: { secret: HUBSPOT_SECRET, url: 'https://HOOKS.example.com:443/in' }
  })
  for (const signed of ['https://hooks.example.com/in', 'https://HOOKS.example.com:443/in']) {
    const { payload, headers } = hubspotDelivery(`${signed}?source=${webhook.id}`, 1)
    t.equal((await send(payload, headers, url)).statusCode, 200, signed)
  }
})
