import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { anApiKey } from '../../../../conformance/token-store/fixtures.js'
import { UNAVAILABLE } from '../../../../lib/errors.js'
import { generateApiKey } from '../../../../signing/api-key.js'
import { sha256Hex } from '../../../../signing/digest.js'
import { exportEvents, linesOf, openExport, storeEvents, textOf } from '../../../helpers/event-export.js'
import { holdTimers } from '../../../helpers/held-timers.js'
import { liveGateway } from '../../../helpers/live-gateway.js'
import type { LiveGateway } from '../../../helpers/live-gateway.js'

/** More than the buffers of a connection hold. */
const COUNT = 4_000
const payload = JSON.stringify({ event: 'Import', properties: { text: 'x'.repeat(4_000) } })
const large = () => ({ payload })

const ENDS: ReadonlyArray<readonly [what: string, end: (gateway: LiveGateway) => unknown]> = [
  ['the access token expires', ({ clock }) => {
    clock.now += 900_000
  }],
  ['the user logs out everywhere', ({ owner }) => owner.send('POST', '/auth/logout-all')],
  ['the user is disabled', async (gateway) => {
    await gateway.addUser('another@example.com', 'owner', 'acme')
    await gateway.store.members.update('acme', gateway.owner.userId, { disabled: true })
  }],
  ['the store fails', ({ store }) => {
    store.sessions.access = async () => {
      throw new UNAVAILABLE()
    }
  }]
]

for (const [what, end] of ENDS) {
  t.test(`${what}: a running export ends after the next check, with the cursor where it continues`, async (t) => {
    const checks = holdTimers(t, 1_000)
    const gateway = await liveGateway(t)
    await storeEvents(gateway, COUNT, large)
    const response = await openExport(gateway)
    checks.run()
    await sleep(20)
    await end(gateway)
    checks.run()
    const { events, end: last } = linesOf(await textOf(response) ?? '')
    t.ok(events.length < COUNT / 2, `${events.length} events`)
    t.match(last, { complete: false, reason: 'access_ended', count: events.length, cursor: String })
    t.match((await gateway.audited('events.exported', 'acme'))[0], {
      changes: { outcome: 'access_ended', count: events.length }
    })
  })
}

t.test('the export of an API key ends after the key was revoked, and not before', async (t) => {
  const checks = holdTimers(t, 1_000)
  const gateway = await liveGateway(t)
  await storeEvents(gateway, COUNT, large)
  const key = generateApiKey()
  const { id } = await gateway.store.apiKeys.create(
    anApiKey({ orgId: 'acme', role: 'viewer', permissions: ['events:read'], digest: sha256Hex(key) })
  )
  const whole = await openExport(gateway, '', key)
  checks.run()
  t.equal(linesOf(await textOf(whole) ?? '').end?.complete, true)
  const response = await openExport(gateway, '', key)
  await gateway.store.apiKeys.revoke('acme', id)
  checks.run()
  t.match(linesOf(await textOf(response) ?? '').end, { complete: false, reason: 'access_ended' })
  const stranger = generateApiKey()
  await gateway.store.apiKeys.create(
    anApiKey({ orgId: 'acme', role: 'owner', permissions: ['sources:read'], digest: sha256Hex(stranger) })
  )
  t.equal((await exportEvents(gateway, '', {}, stranger)).status, 403)
})
