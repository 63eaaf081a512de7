import t from 'tap'

import tokenStore from '../../plugins/token-store/index.js'
import auditLog from '../../plugins/audit-log/index.js'
import { memoryStore } from '../../plugins/token-store/memory/index.js'
import { PAGE, widgetTokenApp } from '../helpers/widget-token.js'

const ALL = { kind: 'embed', from: 0, to: 8e12 } as const

t.test('minted and refused credentials are counted by product and code, of the organisation of audits', async (t) => {
  const store = memoryStore()
  const { app, ask } = await widgetTokenApp(t, {
    authorize: ({ headers }) => headers['x-user'] === undefined ? null : 'ann'
  }, {}, async (app) => {
    await app.register(tokenStore, { store })
    await app.register(auditLog, { orgId: 'acme' })
  })
  const user = { 'x-user': 'ann' }
  t.equal((await ask({ headers: user })).statusCode, 200)
  t.equal((await ask({ headers: { ...user, origin: PAGE } })).statusCode, 200)
  t.equal((await ask()).statusCode, 401)
  await ask({ method: 'OPTIONS', headers: { origin: PAGE, 'access-control-request-method': 'GET' } })
  await app.outcomeCounts.flush()
  t.same(
    (await store.counts.totals('acme', ALL)).map(({ id, outcome, events }) => [id, outcome, events]),
    [['dxfeed', 'minted', 2], ['dxfeed', 'refused:UNAUTHORIZED', 1]]
  )
  t.same(await store.counts.totals('default', ALL), [])
})

t.test('counts that wait are stored when the app closes', async (t) => {
  const store = memoryStore()
  const { app, ask } = await widgetTokenApp(t, {}, {}, async (app) => { await app.register(tokenStore, { store }) })
  await ask()
  await app.close()
  t.equal((await store.counts.totals('default', ALL))[0]?.events, 1)
})
