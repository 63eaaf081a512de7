import fc from 'fast-check'
import t from 'tap'

import { rawRequest } from '../../../helpers/raw-socket.js'
import { WEBHOOK_SECRET, signed, webhookGateway } from '../../../helpers/webhook-gateway.js'

const PROVIDERS = ['stripe', 'shopify', 'hubspot', 'standard', 'custom'] as const
const BODY = Buffer.from('[{"event":"é","subscriptionType":"x","type":"y"}]')

for (const provider of PROVIDERS) {
  t.test(`${provider}: a signature header that is sent twice or as a trailer is 401`, async (t) => {
    const { app, url, webhook, stored, store, source } = await webhookGateway(t, provider)
    await store.webhooks.update('acme', source.id, webhook.id, { mapping: { each: '$[*]', event: '$.event' } })
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    const headers = signed(provider, BODY, WEBHOOK_SECRET, Date.now(), origin + url)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    const start = [`POST ${url} HTTP/1.1`, `Host: ${new URL(origin).host}`, 'Connection: close',
      'Content-Type: application/json']
    const length = `Content-Length: ${BODY.length}`
    const text = BODY.toString('latin1')
    for (const line of lines) {
      for (
        const doubled of [[...lines, line], [line, ...lines], [...lines, `${line.split(':')[0]}: x`], [
          `${line.split(':')[0]}:`,
          ...lines
        ]]
      ) {
        const reply = await rawRequest(origin, [...start, length, ...doubled], text)
        t.equal(reply.statusCode, 401, doubled.join(' | ').slice(0, 60))
        t.match(reply.body, '"INVALID_SIGNATURE"')
      }
    }
    const trailer = await rawRequest(
      origin,
      [...start, 'Transfer-Encoding: chunked'],
      `${BODY.length.toString(16)}\r\n${text}\r\n0\r\n${lines.join('\r\n')}\r\n\r\n`
    )
    t.equal(trailer.statusCode, 401)
    t.same(await stored(), [])

    // The chunks split a character.
    const at = BODY.indexOf(0xc3) + 1
    const chunks = [BODY.subarray(0, at), BODY.subarray(at)].map((chunk) =>
      `${chunk.length.toString(16)}\r\n${chunk.toString('latin1')}\r\n`
    )
    const good = await rawRequest(
      origin,
      [...start, ...lines, 'Transfer-Encoding: chunked'],
      `${chunks.join('')}0\r\n\r\n`
    )
    t.equal(good.statusCode, 200, 'in chunks')
    t.match(await stored(), [{ event: 'é' }])
  })
}

const part = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom(
        'id',
        'type',
        'event',
        'data',
        'object',
        'customer',
        'timestamp',
        'created',
        'userId',
        'messageId',
        '__proto__',
        '\ud800',
        'a"\\b'
      ),
      tie('any')
    )
  )
})).any

t.test('no signed body causes a 5xx, and stored events are valid JSON', async (t) => {
  const mapping = {
    properties: { all: '$', first: '$[0]', some: '$[*]', odd: '$["a\\"\\\\b"]', text: '{$.id}-{$.type}' },
    traits: ['$.data', '$'],
    context: '$.data.object'
  }
  for (const provider of PROVIDERS) {
    for (const own of [null, mapping]) {
      const { deliver, stored } = await webhookGateway(t, provider, { webhook: { mapping: own } })
      await fc.assert(
        fc.asyncProperty(part, fc.string({ unit: 'binary', maxLength: 8 }), async (value, text) => {
          for (const body of [JSON.stringify(value), text]) {
            const reply = await deliver(body, { 'x-shopify-topic': 'x' })
            if (reply.statusCode !== 200 && reply.statusCode !== 400) {
              throw new Error(`${reply.statusCode} ${reply.body}`)
            }
          }
        }),
        { numRuns: 150 }
      )
      t.ok(Array.isArray(await stored()), `${provider}: all stored events are readable`)
    }
  }
})
