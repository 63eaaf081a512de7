import t from 'tap'

import { MemoryCounts } from '../../../lib/counts/memory-counts.js'
import { EventQuotas } from '../../../lib/limits/event-quota.js'
import type { WithQuota } from '../../../lib/limits/event-quota.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOON = Date.UTC(2028, 1, 29, 12)

function setUp (quotas: Partial<WithQuota> = { dailyQuota: 10 }, counts = new MemoryCounts()) {
  const state = { now: NOON, reads: 0, fails: false, errors: 0 }
  const source: WithQuota = { id: 'source-1', orgId: 'org-a', dailyQuota: null, monthlyQuota: null, ...quotas }
  const quota = new EventQuotas({
    read: async (orgId, id, from, to) => {
      state.reads++
      if (state.fails) throw new Error('no disk')
      const totals = await counts.totals(orgId, { kind: 'stored', id, outcome: 'accepted', from, to })
      return totals.reduce((sum, { events }) => sum + events, 0)
    },
    refreshEvery: 5_000,
    now: () => state.now,
    onError: () => { state.errors++ }
  })
  const store = (events: number, at = state.now, id = source.id) =>
    counts.table.add('stored', 'org-a', id, 'accepted', at, events, 0)
  /** Stores events as a writer does; resolves with whether there was room. */
  async function write (events = 1, duplicates = 0) {
    if (await quota.take(source, events) !== null) return false
    if (events > duplicates) store(events - duplicates)
    quota.settle(source, events, true)
    return true
  }
  return { state, source, quota, counts, store, write }
}

t.test('a source without a quota causes no reads', async (t) => {
  const { quota, source, state } = setUp({})
  for (let at = 0; at < 100; at++) t.equal(quota.used(source), null)
  t.equal(state.reads, 0)
})

t.test('exactly as many events as the quota are accepted, also by concurrent writes', async (t) => {
  const { quota, source, write } = setUp()
  const results = await Promise.all(Array.from({ length: 30 }, () => write()))
  t.equal(results.filter((isAccepted) => isAccepted).length, 10)
  t.same(await quota.used(source), { period: 'day', limit: 10, endsAt: Date.UTC(2028, 2, 1) })
})

t.test('while the quota is far away, a request costs no read until the number is old', async (t) => {
  const { quota, source, state, write } = setUp({ dailyQuota: 1_000 })
  for (let at = 0; at < 50; at++) {
    t.equal(await quota.used(source), null)
    await write()
  }
  t.equal(state.reads, 2, 'one for the day and one for the earlier days of the month')
  state.now += 4_999
  t.equal(quota.used(source), null)
  t.equal(state.reads, 2)
  state.now += 1
  t.equal(quota.used(source), null, 'the request does not wait for the read')
  t.equal(state.reads, 3, 'one for the day')
  await new Promise(setImmediate)
  state.now += 55_000
  t.equal(quota.used(source), null)
  t.equal(state.reads, 5, 'both again after a minute')
})

t.test('events of the day before that are stored after midnight count from the next read on', async (t) => {
  const { quota, source, state, store, write } = setUp({ dailyQuota: null, monthlyQuota: 10 })
  state.now = Date.UTC(2028, 2, 2)
  t.equal(await write(2), true)
  store(8, state.now - 1)
  state.now += 5_000
  t.equal(quota.used(source), null, 'the request does not wait for the read')
  await new Promise(setImmediate)
  t.same(await quota.used(source), { period: 'month', limit: 10, endsAt: Date.UTC(2028, 3, 1) })
})

t.test('a batch that exceeds the quota takes nothing, and smaller writes still fit', async (t) => {
  const { write } = setUp()
  t.same([await write(8), await write(3), await write(2), await write(1)], [true, false, true, false])
})

t.test('duplicates do not count', async (t) => {
  const { write } = setUp()
  t.same([await write(9, 9), await write(9, 5), await write(6), await write(1)], [true, true, true, false])
})

t.test('a failed write gives its room back', async (t) => {
  const { quota, source, write } = setUp()
  t.equal(await quota.take(source, 10), null)
  t.equal(await write(1), false)
  quota.settle(source, 10, false)
  t.equal(await write(10), true)
})

t.test('events that were stored before the start of the process count', async (t) => {
  const { counts, store } = setUp()
  store(9, NOON - 12 * HOUR)
  store(50, NOON - 12 * HOUR - 1)
  store(50, NOON, 'another source')
  const { write } = setUp({ dailyQuota: 10 }, counts)
  t.same([await write(), await write()], [true, false])
})

t.test('the day ends at midnight UTC, and the month with its last day, also in a leap year', async (t) => {
  const { quota, source, state, write } = setUp({ dailyQuota: 4, monthlyQuota: 6 })
  t.same([await write(4), await write(1)], [true, false])
  state.now = Date.UTC(2028, 2, 1) - 1
  t.equal(await write(1), false)
  state.now += 1
  t.same([await write(4), await write(1)], [true, false], 'a new day and a new month')
  state.now += DAY
  t.same([await write(2), await write(1)], [true, false], 'the month has room for 2 more')
  t.same(await quota.used(source), { period: 'month', limit: 6, endsAt: Date.UTC(2028, 3, 1) })
  state.now = Date.UTC(2028, 3, 1)
  t.equal(await write(4), true)
})

t.test('two processes exceed a quota by at most what the other accepts between two reads', async (t) => {
  const counts = new MemoryCounts()
  const [a, b] = [setUp({ dailyQuota: 100 }, counts), setUp({ dailyQuota: 100 }, counts)]
  let accepted = 0
  for (let second = 0; second < 60; second++) {
    for (const { write, state, quota, source } of [a, b]) {
      state.now = NOON + second * 1_000
      await quota.used(source)
      await new Promise(setImmediate)
      for (let at = 0; at < 4; at++) if (await write()) accepted++
    }
  }
  t.ok(accepted >= 100 && accepted <= 100 + 5 * 4, `${accepted} events`)
})

t.test('a raised quota applies at once, and a lowered one refuses', async (t) => {
  const { quota, source, write } = setUp()
  await write(10)
  t.not(await quota.used(source), null)
  t.equal(await quota.used({ ...source, dailyQuota: 11 }), null)
  t.equal(await quota.used({ ...source, dailyQuota: null }), null)
  t.not(await quota.used({ ...source, dailyQuota: 5 }), null)
})

t.test('events are accepted while their number cannot be read, and the failure is reported once a minute', async (t) => {
  const { quota, source, state, store, write } = setUp()
  state.fails = true
  store(100)
  for (let second = 0; second < 59; second++) {
    state.now = NOON + second * 1_000
    t.equal(await quota.used(source), null)
    t.equal(await write(), true)
  }
  t.equal(state.errors, 1)
  t.ok(state.reads <= 2 * 12, 'at most once per "refreshEvery"')
  state.fails = false
  state.now += 5_000
  t.not(await quota.used(source), null)
})
