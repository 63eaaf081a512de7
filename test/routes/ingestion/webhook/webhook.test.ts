import { gzipSync } from 'node:zlib'

import t from 'tap'

import { generateWebhookId } from '../../../../signing/webhooks/index.js'
import { codeOf } from '../../../helpers/gateway.js'
import { logReader } from '../../../helpers/log-reader.js'
import { WEBHOOK_SECRET, signed, webhookGateway } from '../../../helpers/webhook-gateway.js'

const PROVIDERS = ['stripe', 'shopify', 'hubspot', 'standard', 'custom'] as const
const EVENT = { id: 'evt_1', type: 'invoice.paid', event: 'Invoice Paid' }

for (const provider of PROVIDERS) {
  const body = provider === 'hubspot' ? '[{"eventId":1,"subscriptionType":"contact.creation"}]' : JSON.stringify(EVENT)
  const headers: Record<string, string> = provider === 'shopify' ? { 'x-shopify-topic': 'orders/create' } : {}

  t.test(`${provider}: a delivery with a valid signature is stored, and any other delivery is 401`, async (t) => {
    const { deliver, send, stored } = await webhookGateway(t, provider)
    const other = body.replace('Paid', 'Sent').replace('":1', '":2').replace('evt_1', 'evt_2')
    const refusals = [
      await send(body, headers),
      await deliver(body, headers, { secret: 'another secret' }),
      await deliver(body, {
        ...headers,
        'stripe-signature': 't=1,v1=00',
        'x-shopify-hmac-sha256': 'AA==',
        'x-hubspot-signature-v3': 'AA==',
        'webhook-signature': 'v1,',
        'x-acme-signature': 'sha256='
      })
    ]
    for (const { statusCode, body, headers } of refusals) {
      t.equal(statusCode, 401)
      t.equal(JSON.parse(body).error.code, 'INVALID_SIGNATURE')
      t.equal(headers['access-control-allow-origin'], undefined)
    }
    t.same(await stored(), [])
    const reply = await deliver(body, headers)
    t.same([reply.statusCode, reply.json()], [200, { success: true, accepted: 1 }])
    t.equal((await deliver(other, headers)).statusCode, 200)
    const events = await stored()
    t.equal(events.length, provider === 'standard' ? 1 : 2, 'the second delivery has the id of the first')
    t.match(events[0], { authMethod: 'signature', type: 'track', environment: 'live' })
  })
}

t.test('an old delivery is TIMESTAMP_OUT_OF_RANGE with a valid signature, and INVALID_SIGNATURE ' +
  'otherwise', async (t) => {
  for (const provider of ['stripe', 'hubspot', 'standard'] as const) {
    const { deliver, stored } = await webhookGateway(t, provider)
    for (const off of [-301_000, 302_000]) {
      const reply = await deliver(EVENT, {}, { at: Date.now() + off })
      t.same([reply.statusCode, codeOf(reply)], [401, 'TIMESTAMP_OUT_OF_RANGE'], `${provider} ${off}`)
      const guess = await deliver(EVENT, {}, { at: Date.now() + off, secret: 'a guess' })
      t.same([guess.statusCode, codeOf(guess)], [401, 'INVALID_SIGNATURE'])
    }
    t.equal(
      (await deliver(provider === 'hubspot' ? [EVENT] : EVENT, {}, { at: Date.now() - 290_000 })).statusCode,
      provider === 'hubspot' ? 400 : 200
    )
    t.equal((await stored()).length, provider === 'hubspot' ? 0 : 1)
  }
})

t.test('an unknown id, a disabled webhook and a disabled source get the response of an invalid ' +
  'signature', async (t) => {
  const { app, deliver, send, store, source, webhook, url, stored } = await webhookGateway(t, 'stripe')
  const bad = await send(EVENT)
  const same = async (name: string, to = url) => {
    const reply = await deliver(EVENT, {}, { url: to })
    t.same(
      [reply.statusCode, reply.body, reply.headers['content-type']],
      [401, bad.body, bad.headers['content-type']],
      name
    )
  }
  for (
    const id of [
      generateWebhookId(),
      '',
      'wh_',
      webhook.id.toLowerCase(),
      `${webhook.id}x`,
      `${webhook.id}%00`,
      `%20${webhook.id}`,
      '__proto__',
      source.id,
      `${webhook.id}&source=${webhook.id}`
    ]
  ) await same(id, `/v1/webhook?source=${id}`)
  await same('no query', '/v1/webhook')
  await same('another name', `/v1/webhook?Source=${webhook.id}`)
  t.equal((await deliver(EVENT)).statusCode, 200)
  await store.webhooks.update('acme', source.id, webhook.id, { enabled: false })
  await same('disabled')
  await store.webhooks.update('acme', source.id, webhook.id, { enabled: true })
  await store.sources.update('acme', source.id, { enabled: false })
  await same('its source disabled')
  await store.sources.update('acme', source.id, { enabled: true })
  t.equal((await deliver({ ...EVENT, id: 'evt_2' })).statusCode, 200)
  await store.sources.delete('acme', source.id)
  await same('its source deleted')
  t.equal((await stored()).length, 2)
  for (const method of ['GET', 'PUT', 'OPTIONS'] as const) {
    t.equal((await app.inject({ method, url })).statusCode, 404, method)
  }
})

t.test('look-ups of unknown ids are limited, and a known webhook still works', async (t) => {
  const { deliver, send, store } = await webhookGateway(t, 'stripe', {
    ingestion: { guessLimit: { max: 5, timeWindow: 60_000 } }
  })
  t.equal((await deliver(EVENT)).statusCode, 200)
  let lookups = 0
  const resolve = store.webhooks.resolve.bind(store.webhooks)
  Object.defineProperty(store.webhooks, 'resolve', {
    value: (id: string) => {
      lookups++
      return resolve(id)
    }
  })
  const codes: unknown[] = []
  for (let i = 0; i < 20; i++) codes.push(codeOf(await send(EVENT, {}, `/v1/webhook?source=${generateWebhookId()}`)))
  t.same(codes, [...Array.from({ length: 5 }, () => 'INVALID_SIGNATURE'), ...Array.from({ length: 15 }, () =>
    'RATE_LIMITED')])
  t.equal(lookups, 5)
  t.equal((await deliver(EVENT)).statusCode, 200)
})

t.test('the signature covers the exact bytes: the same JSON in another form is 401', async (t) => {
  const { deliver, send, stored } = await webhookGateway(t, 'custom')
  const forms = ['{"event":"a","messageId":"1"}', '{ "event": "a", "messageId": "2" }\n',
    '{"messageId":"3","event":"\\u00e9"}', '{"x":"1","x":"2","event":"é","messageId":"4"}']
  for (const form of forms) {
    const { 'x-acme-signature': signature = '' } = signed('custom', Buffer.from(form), WEBHOOK_SECRET, 0, '')
    t.equal((await deliver(form)).statusCode, 200)
    for (const other of forms) {
      const reply = await send(other, { 'x-acme-signature': signature })
      t.same([reply.statusCode, codeOf(reply)], other === form ? [200, undefined] : [401, 'INVALID_SIGNATURE'])
    }
  }
  t.equal((await stored()).length, 4)
})

t.test('a repeated delivery is stored once, by the id of the provider or else by its signature', async (t) => {
  const stripe = await webhookGateway(t, 'stripe')
  for (const seconds of [0, 1, 2, 60]) {
    t.equal((await stripe.deliver(EVENT, {}, { at: Date.now() - seconds * 1000 })).statusCode, 200)
  }
  t.match(await stripe.stored(), [{ messageId: 'evt_1' }])
  t.equal((await stripe.stored()).length, 1)

  const custom = await webhookGateway(t, 'custom')
  for (let i = 0; i < 3; i++) t.equal((await custom.deliver({ event: 'x' })).statusCode, 200)
  t.match(await custom.stored(), [{ messageId: /^signed-[0-9a-f]{40}-0$/ }])
  t.equal((await custom.stored()).length, 1, 'without an id, by its signature')
})

t.test('after a rotation both secrets are valid until the overlap ends', async (t) => {
  const { deliver, store, source, webhook } = await webhookGateway(t, 'stripe')
  const status = async (secret: string) => (await deliver(EVENT, {}, { secret })).statusCode
  await store.webhooks.rotateSecret('acme', source.id, webhook.id, {
    secret: 'the next one',
    overlapUntil: Date.now() + 60_000
  })
  t.same([await status(WEBHOOK_SECRET), await status('the next one')], [200, 200])
  await store.webhooks.rotateSecret('acme', source.id, webhook.id, { secret: 'the third', overlapUntil: 0 })
  t.same([await status(WEBHOOK_SECRET), await status('the next one'), await status('the third')], [401, 401, 200])
})

t.test('a signed body must be JSON in UTF-8 with an accepted media type, and within the limit', async (t) => {
  const { deliver, send, stored } = await webhookGateway(t, 'stripe', { ingestion: { webhookLimit: 1_000 } })
  const cases: Array<[string | Buffer, Record<string, string>, number, string]> = [
    ['{"id":1,}', {}, 400, 'INVALID_JSON'],
    ['', {}, 400, 'INVALID_JSON'],
    [Buffer.from([0x7b, 0xff, 0x7d]), {}, 400, 'INVALID_JSON'],
    ['{"__proto__":{"x":1},"type":"a"}', {}, 400, 'INVALID_REQUEST'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, {}, 400, 'INVALID_REQUEST'],
    ['{"type":"a","x":1e400}', {}, 400, 'INVALID_REQUEST'],
    ['{"type":"a"}', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{"type":"a"}', { 'content-type': 'application/json; charset=utf-16' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{"type":"a"}', { 'content-encoding': 'br' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [`{"type":"${'x'.repeat(1_000)}"}`, {}, 413, 'PAYLOAD_TOO_LARGE']
  ]
  for (const [body, headers, status, code] of cases) {
    const reply = await deliver(body, headers)
    t.same([reply.statusCode, codeOf(reply)], [status, code], String(body).slice(0, 40))
    if (status === 413) continue
    const unsigned = await send(body, headers)
    t.same([unsigned.statusCode, codeOf(unsigned)], [401, 'INVALID_SIGNATURE'], 'the signature is checked first')
  }
  t.same(await stored(), [])
  t.equal((await deliver('{"type":"a","id":"1"}', { 'content-type': 'text/plain; charset=utf-8' })).statusCode, 200)
  const zipped = await deliver(gzipSync('{"type":"b","id":"2"}'), { 'content-encoding': 'gzip' })
  t.equal(zipped.statusCode, 200, 'the signature covers the compressed bytes')
  t.match(await stored(), [{ event: 'a' }, { event: 'b' }])
})

t.test('events of a test source have the environment test, and address and agent of the provider', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'stripe', {
    source: { environment: 'test' },
    server: { trustProxy: true }
  })
  await deliver(EVENT, { 'user-agent': 'Stripe/1.0', 'x-forwarded-for': '203.0.113.9' })
  t.match(await stored(), [{
    environment: 'test',
    userAgent: 'Stripe/1.0',
    ip: '203.0.113.9',
    authMethod: 'signature'
  }])
})

t.test('the user agent of a provider does not make its events bots', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'stripe', { source: { bots: 'drop' } })
  t.equal((await deliver(EVENT, { 'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)' })).statusCode, 200)
  t.equal((await stored()).length, 1)
})

t.test('deliveries of webhooks count against the event rate of their source', async (t) => {
  const { deliver, stored } = await webhookGateway(t, 'stripe', { source: { rateLimit: 2 } })
  const codes: unknown[] = []
  for (let i = 0; i < 4; i++) codes.push(codeOf(await deliver({ ...EVENT, id: `evt_${i}` })))
  t.same(codes.slice(0, 2), [undefined, undefined])
  t.ok(codes.includes('RATE_LIMITED'), 'providers retry')
  t.equal((await stored()).length, codes.filter((code) => code === undefined).length)
})

t.test('hubspot: the configured url is the signed url, behind any proxy', async (t) => {
  const url = 'https://public.example.com/in/v1/webhook'
  const { webhook, send, store, source } = await webhookGateway(t, 'hubspot', { webhook: { url } })
  const body = Buffer.from('[{"eventId":1,"subscriptionType":"a"}]')
  const query = `?x=%40a&source=${webhook.id}`
  const headers = signed('hubspot', body, WEBHOOK_SECRET, Date.now(), `${url}?x=@a&source=${webhook.id}`)
  t.equal((await send(body, headers, `/v1/webhook${query}`)).statusCode, 200)
  t.equal((await send(body, headers, `/v1/webhook?source=${webhook.id}`)).statusCode, 401, 'another query')
  await store.webhooks.update('acme', source.id, webhook.id, { url: null })
  t.equal((await send(body, headers, `/v1/webhook${query}`)).statusCode, 401)
})

t.test('a failing sink is 503 with Retry-After', async (t) => {
  const { deliver, sink } = await webhookGateway(t, 'stripe')
  Object.defineProperty(sink, 'write', {
    value: async () => {
      throw Object.assign(new Error('away'), { statusCode: 503 })
    }
  })
  const reply = await deliver(EVENT)
  t.same([reply.statusCode, codeOf(reply)], [503, 'UNAVAILABLE'])
  t.ok(reply.headers['retry-after'])
})

t.test('invalid data from a custom store is 500, and the next delivery is stored', async (t) => {
  const { app, deliver, store, webhook, url } = await webhookGateway(t, 'custom')
  const resolved = await store.webhooks.resolve(webhook.id)
  if (resolved === null) throw new Error('there is a webhook')
  const wrong = [
    { ...resolved, webhook: { ...resolved.webhook, provider: 'of a later version' } },
    { ...resolved, secrets: undefined },
    { ...resolved, webhook: { ...resolved.webhook, custom: { ...resolved.webhook.custom, hash: 'sha3' } } }
  ]
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const answer of wrong) {
    Object.defineProperty(store.webhooks, 'resolve', { value: () => answer, configurable: true })
    const reply = await fetch(origin + url, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', 'x-acme-signature': `sha256=${'00'.repeat(32)}` }
    })
    t.same([reply.status, (await reply.json() as { error: { code: string } }).error.code], [500, 'INTERNAL_ERROR'])
  }
  Object.defineProperty(store.webhooks, 'resolve', { value: () => resolved, configurable: true })
  t.equal((await deliver(EVENT)).statusCode, 200)
})

t.test('neither the id nor the signature nor the secret is logged', async (t) => {
  const log = logReader()
  const { deliver, send, webhook } = await webhookGateway(t, 'stripe', {
    server: { logger: { level: 'trace', stream: log.stream } }
  })
  await deliver(EVENT)
  await send(EVENT, { 'stripe-signature': 't=1,v1=canary' })
  t.match(log.text(), /\/v1\/webhook\?source=\*\*\*/)
  for (const secret of [webhook.id, WEBHOOK_SECRET, 'canary']) t.notOk(log.text().includes(secret))
})
