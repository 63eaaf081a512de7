import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { folderWithDatabase } from '../helpers/database-folder.js'
import { sendEvents } from '../helpers/event-load.js'
import { samplesOf } from '../helpers/metrics.js'
import type { Samples } from '../helpers/metrics.js'
import { startServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'
import { LOADED, storeOfServer, STORES, untilAcknowledged } from '../helpers/stores.js'
import { BOTS } from '../helpers/user-agents.js'

const KILLS = Number(process.env.KILLS ?? 3)
const EVENTS = 'gatehouse_events_total'

t.setTimeout(KILLS * 300_000)

async function scrape (origin: string): Promise<Samples> {
  return samplesOf(await (await fetch(`${origin}/metrics`)).text())
}

t.test('the sums of a mix of events equal the stored rows and the responses', async (t) => {
  const server = await startServerProcess(t, await folderWithDatabase(t), LOADED)
  const { password, pipelineKey } = printedBy(server)
  const token = await logIn(server, password)
  async function admin (method: string, path: string, body?: object): Promise<{ data: Array<{ id: string }> }> {
    const response = await fetch(`${server.origin}/v1/admin/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...body === undefined ? {} : { body: JSON.stringify(body) }
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return await response.json() as { data: Array<{ id: string }> }
  }
  const { data: [source] } = await admin('GET', 'sources')
  await admin('PATCH', `sources/${source?.id}`, { bots: 'drop' })

  async function send (path: string, body: object, key = pipelineKey): Promise<number> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const response = await fetch(server.origin + path, { method: 'POST', headers, body: JSON.stringify(body) })
    await response.text()
    return response.status
  }
  const userAgent = Object.values(BOTS)[0]
  const event = (messageId: string) => ({ type: 'track', event: 'e', userId: 'u', messageId })
  const calls: Array<() => Promise<number>> = []
  for (let number = 0; number < 100; number++) {
    calls.push(
      () => send('/v1/t', event(`single-${number}`)),
      () => send('/v1/t', event(`single-${number}`)),
      () => send('/v1/batch', { batch: [event(`batch-${number}`), event(`batch-${number}`), { type: 'nope' }] }),
      () => send('/v1/t', { ...event(`bot-${number}`), context: { userAgent } }),
      () => send('/v1/t', { ...event('x'), event: 5 }),
      () => send('/v1/t', event('y'), 'dk_unknown')
    )
  }
  for (let from = 0; from < calls.length; from += 60) {
    await Promise.all(calls.slice(from, from + 60).map((call) => call()))
  }

  const samples = await scrape(server.origin)
  const stored = await storedIds(server, token)
  const sum = (outcome: string, code?: string) =>
    samples.sum(EVENTS, { outcome, ...code === undefined ? {} : { code } })
  t.equal(stored.size, 200)
  t.same([...stored.values()].filter((times) => times !== 1), [])
  t.equal(sum('accepted'), stored.size)
  t.equal(sum('deduplicated'), 200)
  t.equal(sum('bot'), 100)
  t.equal(sum('refused', 'INVALID_REQUEST'), 200)
  t.equal(sum('refused', 'INVALID_PIPELINE_KEY'), 100)
  t.equal(samples.sum('gatehouse_sink_flush_events_sum'), sum('accepted') + sum('deduplicated'))
  t.equal(samples.sum('gatehouse_http_requests_total', { route: '/v1/t' }), 500)
  t.equal((await server.stop()).code, 0)
})

for (const kind of STORES) {
  t.test(`after ${KILLS} times kill -9 under load the sums of the metrics equal the rows in ${kind}`, async (t) => {
    const store = await storeOfServer(t, kind)
    if (store === null) return
    const { dataDir, variables } = store
    let server = await startServerProcess(t, dataDir, variables)
    const { password, pipelineKey } = printedBy(server)
    const countStored = async () => (await storedIds(server, await logIn(server, password))).size
    // What was stored before the load, and what the same process has counted of it.
    let storedBefore = 0
    let countedBefore = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      const load = sendEvents(server.origin, pipelineKey, { connections: 8, batching: 3 })
      let shown = 0
      let scrapes = 0
      const killed = new AbortController()
      const { origin } = server
      const scraper = (async () => {
        while (!killed.signal.aborted) {
          // A scrape that the kill interrupts shows nothing.
          await scrape(origin).then((samples) => {
            shown = samples.sum(EVENTS, { outcome: 'accepted' }) - countedBefore
            scrapes++
          }).catch(() => {})
          await sleep(10)
        }
      })()
      await untilAcknowledged(load, 500)
      await sleep(Math.random() * 300)
      await server.kill()
      killed.abort()
      await Promise.all([load.stop(), scraper])

      server = await startServerProcess(t, dataDir, variables)
      const stored = await countStored()
      t.ok(scrapes > 1 && shown > 0, `${scrapes} scrapes`)
      t.ok(shown <= stored - storedBefore, `${shown} shown before the kill, ${stored - storedBefore} stored`)
      t.ok(load.acknowledged.length <= stored - storedBefore, 'no acknowledged event is lost')
      t.equal((await scrape(server.origin)).sum(EVENTS, { outcome: 'accepted' }), 0, 'the counts start anew')

      // What the kill left without a response is sent again; some of it is stored already.
      const again = load.unacknowledged
      const rest = sendEvents(server.origin, pipelineKey, { connections: 8, batching: 3, again })
      await untilAcknowledged(rest, 500)
      await rest.stop()
      const samples = await scrape(server.origin)
      const accepted = samples.sum(EVENTS, { outcome: 'accepted' })
      countedBefore = accepted
      storedBefore = await countStored()
      t.equal(accepted, storedBefore - stored, `${accepted} accepted since the recovery, of ${storedBefore} rows`)
      t.equal(accepted + samples.sum(EVENTS, { outcome: 'deduplicated' }), rest.acknowledged.length)
      t.same(rest.unacknowledged, [])
    }
    await server.stop()
  })
}
