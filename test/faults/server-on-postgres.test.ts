import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { done } from '../helpers/cluster-call.js'
import { cluster } from '../helpers/cluster.js'
import { sendEvents } from '../helpers/event-load.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'

const SERVERS = 5

t.test(`${SERVERS} servers that start at the same time on an empty PostgreSQL create one administrator and ` +
  'one source, and share all data', async (t) => {
  const made = await cluster(t, { mode: 'PostgreSQL', instances: SERVERS })
  if (made === null) return
  const { instances, password, pipelineKey, token } = made
  t.equal(instances.map(printedBy).filter((printed) => printed.password !== '').length, 1)
  t.equal(await made.store.users.count(), 1)
  for (const at of instances) {
    t.match(await done(at, '/readyz'), { status: 'ready', durability: 'disk' })
    const { data } = await done(at, '/v1/admin/sources', { token })
    t.same((data as Array<{ pipeline_key: string }>).map(({ pipeline_key: key }) => key), [pipelineKey])
  }

  const loads = instances.map(({ origin }) => sendEvents(origin, pipelineKey, { connections: 2 }))
  while (loads.some(({ acknowledged }) => acknowledged.length < 50)) await sleep(5)
  for (const load of loads) await load.stop()
  t.same(await Promise.all(instances.map((server) => server.stop().then(({ code }) => code))), instances.map(() => 0))

  const later = await made.start()
  const stored = await storedIds(later, await logIn(later, password))
  t.same(loads.flatMap(({ acknowledged }) => acknowledged).filter((id) => stored.get(id) !== 1), [])
  t.equal(await made.store.users.count(), 1)
})
