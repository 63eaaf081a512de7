import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import t from 'tap'

import { aRefusedEvent } from '../../conformance/token-store/fixtures.js'
import { listed } from '../../conformance/event-sink/fixtures.js'
import { privatePostgres } from '../helpers/postgres.js'
import { replayingGateway, unreplayed } from '../helpers/replaying-gateway.js'
import type { ReplayingGateway } from '../helpers/replaying-gateway.js'
import { makeSource } from '../helpers/source.js'

const ORG = 'acme'
const KILLS = Number(process.env.KILLS ?? 4)
const EVENTS = KILLS * 60
const LIMITS = { maxRows: 100_000, maxBytes: 100_000_000 }
/** Longer than the claim of a replay. */
const CLAIM = 200_000
const HOUR = 3_600_000
const FIXTURE = fileURLToPath(new URL('fixtures/replay-refused.ts', import.meta.url))
const LOADER = new URL('../loader/import.mjs', import.meta.url).href

t.setTimeout(KILLS * 150_000)

/** Adds refused events that are older than the 24 hours for which the sink knows ids. */
async function addRefused ({ store }: ReplayingGateway, count: number): Promise<void> {
  const { source } = await makeSource(store, { domains: ['https://shop.example.com'] })
  const at = Date.now() - 50 * HOUR
  await store.refusedEvents.append(
    Array.from({ length: count }, (_, index) =>
      aRefusedEvent({ orgId: ORG, sourceId: source.id, receivedAt: at + index % 7 })),
    LIMITS
  )
}

async function storedIds ({ sink }: ReplayingGateway): Promise<string[]> {
  return (await listed(sink, ORG, {}, 1_000)).map(({ messageId }) => messageId)
}

t.test('a process that is killed during replays leaves events that another one stores, each once', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const first = await replayingGateway(postgres.url)
  await addRefused(first, EVENTS)
  await first.close()
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [`--import=${LOADER}`, FIXTURE, postgres.url, ORG], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    t.teardown(() => child.kill('SIGKILL'))
    const exited = once(child, 'exit')
    for (let calls = 0; calls < 5; calls++) await Promise.race([once(child.stdout, 'data'), exited])
    child.kill('SIGKILL')
    t.equal((await exited)[1], 'SIGKILL')
  }
  const last = await replayingGateway(postgres.url, CLAIM)
  t.teardown(() => last.close())
  // Deletes the ids of old events, which the sink would recognise.
  await last.sink.sweep?.()
  for (;;) {
    const ids = await unreplayed(last, ORG, 100)
    if (ids.length === 0) break
    await last.app.eventReplay.replay(ORG, ids)
  }
  const ids = await storedIds(last)
  t.equal(new Set(ids).size, EVENTS, 'every event is stored')
  t.equal(ids.length, EVENTS, 'no event is stored twice')
})

t.test('an event that was stored but not marked is not stored again, after the sink has forgotten it', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const one = await replayingGateway(postgres.url)
  t.teardown(() => one.close())
  await addRefused(one, 5)
  const ids = await unreplayed(one, ORG, 10)
  const { refusedEvents } = one.store
  refusedEvents.settle = async () => { throw new Error('the process ends here') }
  for (const id of ids) await t.rejects(one.app.eventReplay.replay(ORG, [id]))
  t.equal((await storedIds(one)).length, 5)
  const other = await replayingGateway(postgres.url, CLAIM)
  t.teardown(() => other.close())
  await other.sink.sweep?.()
  const results = await other.app.eventReplay.replay(ORG, ids)
  t.match(results, ids.map((id) => ({ id, outcome: 'replayed', events: { stored: 0, duplicate: 1 } })))
  t.equal((await storedIds(other)).length, 5)
})
