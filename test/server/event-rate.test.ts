import t from 'tap'

import { codeOf } from '../helpers/gateway.js'
import { demoApp } from '../helpers/server-app.js'

const batch = JSON.stringify({ batch: Array.from({ length: 500 }, () => ({ type: 'page', userId: 'u' })) })

t.test('INGEST_KEY_RATE_MAX limits the events per second of a source, 1 000 by default, and 0 ' +
  'disables the limit', async (t) => {
  for (
    const [variables, limit] of [[{}, '1000'], [{ INGEST_KEY_RATE_MAX: '200' }, '200'], [{ INGEST_KEY_RATE_MAX: '0' },
      undefined]] as const
  ) {
    const { app, first } = await demoApp(t, { ...variables, DATABRAIN: 'off', BOLDBI: 'off', DXFEED: 'off' })
    const replies = await Promise.all(Array.from({ length: 12 }, () =>
      app.inject({
        method: 'POST',
        url: '/v1/batch',
        payload: batch,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${first.pipelineKey}` }
      })))
    const refused = replies.filter(({ statusCode }) => statusCode !== 200)
    t.equal(refused.length === 0, limit === undefined, JSON.stringify(variables))
    for (const reply of refused) {
      t.equal(reply.statusCode, 429)
      t.equal(codeOf(reply), 'RATE_LIMITED')
      t.equal(reply.headers['ratelimit-limit'], limit)
    }
  }
})
