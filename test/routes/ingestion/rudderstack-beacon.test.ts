import t from 'tap'

import { codeOf, gateway } from '../../helpers/gateway.js'
import { makeSource, SHOP } from '../../helpers/source.js'

const BATCH = JSON.stringify({
  batch: [{ type: 'track', event: 'e', anonymousId: 'a' }],
  sentAt: new Date().toISOString()
})

t.test("a beacon of RudderStack's browser SDK is accepted as a batch with its key in ?writeKey=", async (t) => {
  const { app, key, stored } = await gateway(t)
  const send = async (query: string, headers: Record<string, string> = {}, url = '/beacon/v1/batch') =>
    app.inject({
      method: 'POST',
      url: `${url}?${query}`,
      payload: BATCH,
      headers: { origin: SHOP, 'content-type': 'text/plain', ...headers }
    })
  const response = await send(`writeKey=${key}`)
  t.equal(response.statusCode, 200)
  t.same(response.json(), { success: true, accepted: 1 })
  t.equal((await send(`writeKey=${key}&wk=${key}`)).statusCode, 200)
  t.equal((await send('', { authorization: `Bearer ${key}` })).statusCode, 200)
  t.equal((await stored()).length, 3)

  t.equal((await send(`writeKey=${key}`, { origin: 'https://evil.test' })).statusCode, 403)
  t.equal(
    codeOf(await send(`writeKey=${key}`, {}, '/v1/batch')),
    'INVALID_PIPELINE_KEY',
    'other paths ignore the parameter'
  )
  t.equal((await stored()).length, 3)
})

t.test('a beacon without a key, or with different keys, is 401', async (t) => {
  const { app, key, store, stored } = await gateway(t)
  const other = await makeSource(store)
  const send = async (query: string, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: `/beacon/v1/batch?${query}`,
      payload: BATCH,
      headers: { 'content-type': 'text/plain', ...headers }
    })
  for (
    const query of ['', 'writeKey', 'writeKey=', 'writeKey=x', `writeKey=${key}&writeKey=${key}`,
      `writeKey=${key}&wk=${other.key}`, `writekey=${key}`]
  ) {
    const response = await send(query)
    t.equal(response.statusCode, 401, query)
    t.equal(codeOf(response), 'INVALID_PIPELINE_KEY', query)
  }
  t.equal((await send(`writeKey=${key}`, { authorization: `Bearer ${other.key}` })).statusCode, 401)
  t.equal((await stored()).length, 0)
})
