import t from 'tap'

import { hmacSha256 } from '../../../signing/digest.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { makeSource } from '../../helpers/source.js'
import { githubCases, nistCases, rfc4231Cases, signatures } from '../../signing/vectors.js'

t.test('published keys, bodies and signatures are verified over HTTP', async (t) => {
  const cases = [
    ...rfc4231Cases.map(({ key, data, tag }) => ({
      secret: `hex:${key}`,
      body: Buffer.from(data, 'hex'),
      header: `sha256=${tag.hex}`,
      valid: !tag.truncated
    })),
    ...nistCases.map(({ key, data_text, tag }) => ({
      secret: `hex:${key}`,
      body: Buffer.from(data_text),
      header: `sha256=${tag}`,
      valid: true
    })),
    ...githubCases.flatMap(({ secret, body, header, valid }) =>
      body === undefined ? [] : [{ secret, body: Buffer.from(body), header, valid }]
    ),
    ...signatures.datafly.map(({ secret, body, header }) => ({ secret, body: Buffer.from(body), header, valid: true }))
  ]
  t.ok(cases.length > 12)
  const { post, store } = await gateway(t)
  for (const { secret, body, header, valid } of cases) {
    const { key } = await makeSource(store, { serverSecret: secret, allowWeakSecret: true })
    const response = await post('/v1/events', body, { authorization: `Bearer ${key}`, 'x-datafly-signature': header })
    if (valid) t.not(response.statusCode, 401, header)
    else t.same([response.statusCode, codeOf(response)], [401, 'INVALID_SIGNATURE'], header)
  }
})

t.test('a signature of another source is 401, and nothing is stored', async (t) => {
  const { post, store, stored } = await gateway(t)
  const other = await makeSource(store)
  const body = '{"event":"e","userId":"u"}'
  const response = await post('/v1/t', body, {
    'x-datafly-signature': `sha256=${hmacSha256(other.secret, body).toString('hex')}`
  })
  t.equal(response.statusCode, 401)
  t.equal(codeOf(response), 'INVALID_SIGNATURE')
  t.equal((await stored()).length, 0)
})

t.test('a signed event requires a userId or an anonymousId', async (t) => {
  const { signed, stored } = await gateway(t)
  for (const body of [{ event: 'e' }, { event: 'e', userId: '' }, { event: 'e', userId: '', anonymousId: '' }]) {
    const response = await signed('/v1/t', body)
    t.equal(response.statusCode, 400)
    t.equal(codeOf(response), 'INVALID_REQUEST')
  }
  for (const body of [{ event: 'e', userId: 'u' }, { event: 'e', anonymousId: 'a' }]) {
    t.equal((await signed('/v1/t', body)).statusCode, 200)
  }
  t.match(await stored(), [{ userId: 'u', authMethod: 'signature' }, { anonymousId: 'a', authMethod: 'signature' }])
})

t.test('equal signed events without a messageId are separate events', async (t) => {
  const { signed, stored } = await gateway(t)
  const order = { type: 'track', event: 'Order Completed', userId: 'u' }
  for (let i = 0; i < 3; i++) t.equal((await signed('/v1/events', order)).body, '{"success":true}')
  for (let i = 0; i < 2; i++) {
    t.equal((await signed('/v1/batch', { batch: [order, order] })).body, '{"success":true,"accepted":2}')
  }
  const ids = (await stored()).map(({ messageId }) => String(messageId))
  t.equal(new Set(ids).size, 7)
  t.ok(ids.every((id) => /^[0-9a-f-]{36}$/.test(id)))
})

t.test('context.ip of a signed event is stored, and context.ip of an unsigned event is replaced', async (t) => {
  const { post, signed, stored, accepted } = await gateway(t)
  const context = { ip: '203.0.113.9', locale: 'en' }
  await signed('/v1/t', { event: 'signed', userId: 'u', context })
  await post('/v1/t', { event: 'unsigned', userId: 'u', context })
  await post('/v1/batch', { context, batch: [{ type: 'page' }] })
  await signed('/v1/batch', {
    context: { ip: '2001:db8::1' },
    batch: [{ type: 'page', userId: 'u' }, { type: 'page', userId: 'u', context }]
  })
  t.same((await accepted()).map(({ ip }) => ip), ['203.0.113.9', '127.0.0.1', '127.0.0.1', '2001:db8::1',
    '203.0.113.9'])
  t.same((await stored()).map(({ context }) => context), [
    context,
    { ip: '127.0.0.1', locale: 'en' },
    { ip: '127.0.0.1', locale: 'en' },
    { ip: '2001:db8::1' },
    context
  ])
  for (const ip of ['', 'localhost', '1.2.3', 1, '1.2.3.4, 5.6.7.8', {}]) {
    t.equal((await signed('/v1/t', { event: 'e', userId: 'u', context: { ip } })).statusCode, 400, JSON.stringify(ip))
    t.equal((await post('/v1/t', { event: 'e', context: { ip } })).statusCode, 200)
  }
})
