import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { caller } from '../../../helpers/admin-caller.js'
import { exportEvents, linesOf, openExport, storeEvents, textOf } from '../../../helpers/event-export.js'
import { liveGateway } from '../../../helpers/live-gateway.js'

/** More than the buffers of a connection hold. */
const COUNT = 4_000
const payload = JSON.stringify({ event: 'Import', properties: { text: 'x'.repeat(4_000) } })
const large = () => ({ payload })

t.test('app.close() ends an export, which another server continues without gap or repeat', async (t) => {
  const gateway = await liveGateway(t)
  const events = await storeEvents(gateway, COUNT, large)
  const response = await openExport(gateway)
  const csv = await openExport(gateway, '?format=csv')
  const unread = textOf(csv)
  const closing = gateway.app.close()
  const first = linesOf(await textOf(response) ?? '')
  t.equal(await unread, null, 'CSV is cut off')
  await closing
  t.match(first.end, { complete: false, reason: 'server_closing', cursor: String })
  t.ok(first.events.length < COUNT)
  const closed = (await gateway.audited('events.exported', 'acme', 2)).filter(({ action }) => action === 'events.exported')
  t.same(closed.map(({ changes }) => changes?.['outcome']), ['server_closing', 'server_closing'])

  const other = await liveGateway(t)
  await storeEvents(other, COUNT, large)
  const second = linesOf(await (await exportEvents(other, `?cursor=${first.end?.cursor}`)).text())
  t.equal(second.end?.complete, true)
  t.same([...first.events, ...second.events].map(({ messageId }) => messageId),
    events.map(({ messageId }) => messageId).reverse())
})

t.test('server.close() of the host ends the exports before the app is closed', async (t) => {
  const gateway = await liveGateway(t)
  await storeEvents(gateway, COUNT, large)
  const response = await openExport(gateway)
  const closed = new Promise((resolve) => gateway.app.server.close(resolve))
  // The export is read slowly, and does not reach its end before the next check.
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk
    if (!text.includes('server_closing')) await sleep(1)
  }
  t.match(linesOf(text).end, { complete: false, reason: 'server_closing' })
  await closed
})

t.test('a client that does not read is disconnected, and its place is free again', async (t) => {
  const gateway = await liveGateway(t, { api: { exports: { stallTimeout: 1_000, maxExports: 1 } } })
  await storeEvents(gateway, COUNT, large)
  const response = await openExport(gateway)
  const cut = once(response, 'close').catch(() => {})
  const refused = await exportEvents(gateway)
  t.equal(refused.status, 429)
  const [entry] = await gateway.audited('events.exported', 'acme')
  t.match(entry, { changes: { outcome: 'client_stalled' } })
  response.on('error', () => {}).resume()
  await cut
  t.notOk(response.complete)
  t.equal((await exportEvents(gateway, '?user_id=none')).status, 200)
})

t.test('the exports of an organisation and of the process are limited, and a closed export makes room', async (t) => {
  const gateway = await liveGateway(t, { api: { exports: { maxExports: 2, maxExportsTotal: 3 } } })
  await storeEvents(gateway, COUNT, large)
  await storeEvents(gateway, COUNT, (n) => ({ ...large(), orgId: 'other', sourceId: 'other', messageId: `other${n}` }))
  const stranger = await caller(gateway, 'viewer', 'other')
  const mine = [await openExport(gateway), await openExport(gateway)]
  const theirs = await openExport(gateway, '', stranger.token)
  t.same([...mine, theirs].map(({ statusCode }) => statusCode), [200, 200, 200])
  for (const token of [gateway.owner.token, stranger.token]) {
    const response = await exportEvents(gateway, '', {}, token)
    t.equal(response.status, 429)
    t.equal(response.headers.get('retry-after'), '30')
    t.match(await response.json(), { error: { code: 'RATE_LIMITED' } })
  }
  mine[0]?.on('error', () => {}).destroy()
  t.match((await gateway.audited('events.exported', 'acme'))[0], { changes: { outcome: 'client_closed' } })
  t.equal((await openExport(gateway, '', stranger.token)).statusCode, 200)
  t.equal((await exportEvents(gateway)).status, 429)
})

t.test('an export outlasts the time limit for handlers', async (t) => {
  const gateway = await liveGateway(t, { server: { handlerTimeout: 300 } })
  await storeEvents(gateway, COUNT, large)
  const response = await openExport(gateway)
  await sleep(600)
  t.equal(linesOf(await textOf(response) ?? '').end?.complete, true)
})
