import t from 'tap'

import { gateway } from '../../helpers/gateway.js'
import { logReader } from '../../helpers/log-reader.js'
import { webhookGateway } from '../../helpers/webhook-gateway.js'

const VALID = { type: 'track', event: 'x', userId: 'u' }

function readLog () {
  const log = logReader()
  const of = (message: string) => log.lines().filter(({ msg }) => msg === message)
  return {
    log,
    server: { logger: { level: 'info', stream: log.stream } },
    refused: () => of('event refused'),
    omitted: () => of('event refused; lines left out')
  }
}

t.test('a refused event of a batch is logged with its index, the property and the rule, and without its values',
  async (t) => {
    const { log, server, refused } = readLog()
    const { post, source } = await gateway(t, { server, ingestion: { eventLimit: 1_000 } })
    const response = await post('/v1/batch', {
      batch: [
        VALID,
        { ...VALID, type: 'SECRET' },
        { ...VALID, timestamp: 'SECRET' },
        { ...VALID, writeKey: 'dk_live_SECRET' },
        { ...VALID, properties: { text: 'SECRET'.repeat(1_000) } },
        'SECRET'
      ]
    })
    t.equal(response.json().rejected, 5)
    const common = { level: 30, route: '/v1/batch', sourceId: source.id, reqId: String }
    t.match(refused(), [
      { ...common, code: 'INVALID_REQUEST', status: 400, index: 1, reason: /^\/type must be equal to one of .*: track/ },
      { ...common, code: 'INVALID_REQUEST', status: 400, index: 2, reason: /^\/timestamp / },
      { ...common, code: 'INVALID_PIPELINE_KEY', status: 401, index: 3 },
      { ...common, code: 'PAYLOAD_TOO_LARGE', status: 413, index: 4, reason: 'The event is too large' },
      { ...common, code: 'INVALID_REQUEST', status: 400, index: 5, reason: 'must be object' }
    ])
    t.notMatch(log.text(), 'SECRET')
  })

t.test('500 refused events are 5 lines, and one line with the count of the others', async (t) => {
  const { server, refused, omitted } = readLog()
  const { app, post, source } = await gateway(t, { server })
  const response = await post('/v1/batch', { batch: Array(500).fill({ ...VALID, type: 'SECRET' }) })
  t.equal(response.json().rejected, 500)
  t.same(refused().map(({ index }) => index), [0, 1, 2, 3, 4])
  await app.close()
  t.match(omitted(), [{ code: 'INVALID_REQUEST', route: '/v1/batch', sourceId: source.id, omitted: 495 }])
})

t.test('a refused event of a delivery of a provider is logged', async (t) => {
  const { log, server, refused } = readLog()
  const mapping = { each: '$.events[*]', event: '$.name', userId: '$.user' }
  const { deliver, source } = await webhookGateway(t, 'custom', { server, webhook: { mapping } })
  const response = await deliver({ events: [{ name: 'x', user: 'u' }, { user: 'SECRET' }] })
  t.equal(response.json().rejected, 1, response.body)
  t.match(refused(), [{ route: '/v1/webhook', sourceId: source.id, index: 1, code: 'INVALID_REQUEST', reason: /^\/event/ }])
  t.notMatch(log.text(), 'SECRET')
})
