import t from 'tap'

import { gateway } from '../../helpers/gateway.js'
import { liveGateway } from '../../helpers/live-gateway.js'

const CLIENT = '203.0.113.9'

t.test('no address is stored for a client that sends 0.0.0.0 or :: as its address', async (t) => {
  const { post, signed, accepted } = await gateway(t, { server: { trustProxy: true } })
  const from = { 'x-forwarded-for': CLIENT }
  const spellings = ['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::0', '::ffff:0.0.0.0']
  for (const ip of spellings) {
    t.equal((await post('/v1/track', { userId: 'u1', event: 'E', context: { ip } }, from)).statusCode, 200, ip)
    t.equal((await post('/v1/batch', { batch: [{ type: 'page' }], context: { ip } }, from)).statusCode, 200, ip)
    t.equal((await signed('/v1/track', { userId: 'u1', event: 'E', context: { ip } }, from)).statusCode, 200, ip)
  }
  const events = await accepted()
  t.equal(events.length, 3 * spellings.length)
  t.ok(events.every(({ ip }) => ip === ''))
  t.notMatch(JSON.stringify(events), CLIENT)
})

t.test('another address of an unsigned client is replaced by the client address, and a signed address is ' +
  'kept', async (t) => {
  const { post, signed, stored } = await gateway(t, { server: { trustProxy: true } })
  const from = { 'x-forwarded-for': CLIENT }
  for (const ip of ['198.51.100.1', '0.0.0.1', '::1', '0', '', 0, ':', '...']) {
    t.equal((await post('/v1/track', { event: 'E', context: { ip } }, from)).statusCode, 200)
    t.match((await stored()).at(-1), { ip: CLIENT, context: { ip: CLIENT } }, String(ip))
  }
  await post(
    '/v1/batch',
    { batch: [{ type: 'page', context: { ip: '198.51.100.1' } }], context: { ip: '0.0.0.0' } },
    from
  )
  t.match((await stored()).at(-1), { ip: CLIENT, context: { ip: CLIENT } }, 'the event overrides the batch')
  await signed('/v1/track', { userId: 'u', event: 'E', context: { ip: '198.51.100.1' } }, from)
  t.match((await stored()).at(-1), { ip: '198.51.100.1', context: { ip: '198.51.100.1' } })
})

t.test('the live view shows no address of refused events with the address 0.0.0.0', async (t) => {
  const { watch, send, source } = await liveGateway(t)
  const made = await source()
  const stream = await watch('?outcome=refused')
  const context = { ip: '0.0.0.0' }
  await send(made, '/v1/t', { messageId: 'alone', context })
  await send(made, '/v1/batch', { batch: [{ type: 'track', messageId: 'one', context }] })
  const own = { type: 'track', messageId: 'own', context: { ip: '198.51.100.1' } }
  await send(made, '/v1/batch', { batch: [{ type: 'track', messageId: 'shared' }, own], context })
  await send(made, '/v1/t', { messageId: 'usual' })
  const shown = { alone: '', one: '', shared: '', own: '127.0.0.1', usual: '127.0.0.1' }
  for (const [messageId, ip] of Object.entries(shown)) {
    t.equal((await stream.until('refused', (data) => data['messageId'] === messageId)).data['ip'], ip, messageId)
  }
})
