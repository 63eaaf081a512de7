import assert from 'node:assert/strict'

import type { Count, CountFilter } from '../../contracts/token-store/index.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 0, 14)

/** Creates a count of the first hour of 2026-01-14. */
function aCount (fields: Partial<Count> = {}): Count {
  const { hour = START } = fields
  return {
    orgId: 'org-a',
    kind: 'source',
    id: 'source-a',
    outcome: 'bot',
    hour,
    events: 1,
    bytes: 0,
    lastAt: hour + 1_000,
    ...fields
  }
}

function week (fields: Partial<CountFilter> = {}): CountFilter {
  return { kind: 'source', from: START, to: START + 7 * DAY, ...fields }
}

export async function countContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('numbers of the same hour are added up, before and after a sweep', async () => {
    const { store } = await create()
    const { counts } = store
    const expected = { id: 'source-a', outcome: 'bot', events: 6, bytes: 60, lastAt: START + 9_000 }
    await counts.add([])
    await counts.add([
      aCount({ events: 2, bytes: 20, lastAt: START + 9_000 }),
      aCount({ events: 1, bytes: 10, lastAt: START + 5_000 })
    ])
    await counts.add([aCount({ events: 3, bytes: 30, lastAt: START + 7_000 })])
    assert.deepEqual(await counts.totals('org-a', week()), [expected])
    await store.sweep({ auditRetention: DAY })
    assert.deepEqual(await counts.totals('org-a', week()), [expected])
    await counts.add([aCount({ events: 1, bytes: 5, lastAt: START })])
    const more = { ...expected, events: 7, bytes: 65 }
    assert.deepEqual(await counts.totals('org-a', week()), [more], 'older and newer rows are added up')
    await store.sweep({ auditRetention: DAY })
    assert.deepEqual(await counts.totals('org-a', week()), [more])
  })

  await t.test('a series has one point per hour or UTC day and outcome, in order of time', async () => {
    const { store } = await create()
    const { counts } = store
    await counts.add([
      aCount({ hour: START + DAY, events: 4 }),
      aCount({ hour: START + 23 * HOUR, events: 2, bytes: 7 }),
      aCount({ hour: START + 23 * HOUR, events: 1, outcome: 'accepted' }),
      aCount({ hour: START, events: 8, id: 'source-b' })
    ])
    const point = (at: number, outcome: string, events: number, bytes = 0) => ({ at, outcome, events, bytes })
    for (const sweeps of [false, true]) {
      if (sweeps) await store.sweep({ auditRetention: DAY })
      assert.deepEqual(await counts.series('org-a', week(), 'hour'), [
        point(START, 'bot', 8),
        point(START + 23 * HOUR, 'accepted', 1),
        point(START + 23 * HOUR, 'bot', 2, 7),
        point(START + DAY, 'bot', 4)
      ])
      assert.deepEqual(await counts.series('org-a', week(), 'day'), [
        point(START, 'accepted', 1),
        point(START, 'bot', 10, 7),
        point(START + DAY, 'bot', 4)
      ])
    }
  })

  await t.test('each filter selects exactly the matching counts of one organisation', async () => {
    const { store } = await create()
    const { counts } = store
    await counts.add([
      aCount({ events: 1 }),
      aCount({ events: 2, hour: START + HOUR }),
      aCount({ events: 4, hour: START + 2 * HOUR }),
      aCount({ events: 8, id: 'source-b' }),
      aCount({ events: 16, outcome: 'refused:RATE_LIMITED' }),
      aCount({ events: 32, kind: 'embed', id: 'source-a' }),
      aCount({ events: 64, kind: 'admin', id: '' }),
      aCount({ events: 128, orgId: 'org-b' }),
      aCount({ events: 256, kind: 'stored' })
    ])
    const cases: Array<[Partial<CountFilter>, number]> = [
      [{}, 31],
      [{ id: 'source-a' }, 23],
      [{ id: 'source-a', outcome: 'bot' }, 7],
      [{ id: 'source' }, 0],
      [{ id: undefined, outcome: undefined }, 31],
      [{ outcome: 'refused:RATE_LIMITED' }, 16],
      [{ outcome: 'refused' }, 0],
      [{ kind: 'embed' }, 32],
      [{ kind: 'admin' }, 64],
      [{ kind: 'admin', id: '' }, 64],
      [{ kind: 'stored' }, 256],
      [{ from: START + HOUR }, 6],
      [{ from: START + 2 * HOUR - 1 }, 6],
      [{ to: START + HOUR }, 25],
      [{ to: START + HOUR + 1 }, 27],
      [{ from: START + HOUR + 1, to: START + HOUR + 2 }, 2],
      [{ from: START + 3 * HOUR }, 0]
    ]
    for (const sweeps of [false, true]) {
      if (sweeps) await store.sweep({ auditRetention: DAY })
      for (const [fields, events] of cases) {
        const totals = await counts.totals('org-a', week(fields))
        const points = await counts.series('org-a', week(fields), 'hour')
        assert.equal(sumOf(totals), events, JSON.stringify(fields))
        assert.equal(sumOf(points), events, JSON.stringify(fields))
      }
      assert.equal(sumOf(await counts.totals('org-b', week())), 128)
      assert.deepEqual(await counts.totals('org-c', week()), [])
    }
  })

  await t.test('totals come the largest first, by id and outcome', async () => {
    const { store: { counts } } = await create()
    await counts.add([
      aCount({ events: 1, id: 'source-a' }),
      aCount({ events: 3, id: 'source-b' }),
      aCount({ events: 2, id: 'source-b', outcome: 'accepted' }),
      aCount({ events: 1, id: 'source-a', hour: START + HOUR })
    ])
    assert.deepEqual(
      (await counts.totals('org-a', week())).map(({ id, outcome, events }) => [id, outcome, events]),
      [['source-b', 'bot', 3], ['source-a', 'bot', 2], ['source-b', 'accepted', 2]]
    )
  })

  await t.test('totals of any range are the sums of its hours, also of days that it cuts', async () => {
    const { store } = await create()
    const { counts } = store
    const hours = [5, 22, 24, 36, 47, 72 + 7, 72 + 8].map((hour) => START + hour * HOUR)
    await counts.add(hours.map((hour, place) => aCount({ hour, events: 2 ** place, bytes: 3 ** place })))
    const ends = [0, 5, 6, 22, 24, 36.5, 47, 48, 72, 72 + 8, 96].map((hour) => START + hour * HOUR)
    for (const sweeps of [false, true]) {
      if (sweeps) await store.sweep({ auditRetention: DAY })
      for (const from of ends) {
        for (const to of ends.filter((end) => end > from)) {
          const own = hours.filter((hour) => hour >= from - from % HOUR && hour < to)
          const last = own.at(-1)
          const places = own.map((hour) => hours.indexOf(hour))
          const expected = last === undefined
            ? []
            : [{
                id: 'source-a',
                outcome: 'bot',
                events: places.reduce((sum, place) => sum + 2 ** place, 0),
                bytes: places.reduce((sum, place) => sum + 3 ** place, 0),
                lastAt: last + 1_000
              }]
          const range = `${(from - START) / HOUR} to ${(to - START) / HOUR}`
          assert.deepEqual(await counts.totals('org-a', week({ from, to })), expected, range)
        }
      }
    }
  })

  await t.test('the latest time of each id is found at any age, the latest first', async () => {
    const { store } = await create()
    const { counts } = store
    const [early, late] = [START - 300 * DAY, START + 5 * DAY]
    await counts.add([
      aCount({ id: 'source-a', hour: early, lastAt: early + 7 }),
      aCount({ id: 'source-a', hour: early - HOUR }),
      aCount({ id: 'source-a', hour: late, outcome: 'refused:RATE_LIMITED' }),
      aCount({ id: 'source-ab', hour: early, lastAt: early + 5 }),
      aCount({ id: 'source-b', hour: late, lastAt: late + 9 }),
      aCount({ id: 'source-b', hour: early }),
      aCount({ id: 'source-c', hour: late, outcome: 'accepted' }),
      aCount({ id: 'source-a', hour: late, kind: 'embed' }),
      aCount({ id: 'source-a', hour: late, orgId: 'org-b' })
    ])
    for (const sweeps of [false, true]) {
      if (sweeps) await store.sweep({ auditRetention: DAY, countRetention: 10_000 * DAY })
      assert.deepEqual(await counts.latest('org-a', { kind: 'source', outcome: 'bot' }), [
        { id: 'source-b', lastAt: late + 9 },
        { id: 'source-a', lastAt: early + 7 },
        { id: 'source-ab', lastAt: early + 5 }
      ])
      assert.deepEqual(
        await counts.latest('org-a', { kind: 'source', id: 'source-a', outcome: 'bot' }),
        [{ id: 'source-a', lastAt: early + 7 }]
      )
    }
    assert.deepEqual(await counts.latest('org-a', { kind: 'admin', outcome: 'bot' }), [])
  })

  await t.test('the latest 1 000 times are those of the last days, or older ones if these have fewer', async () => {
    const { store } = await create()
    const { counts } = store
    for (const [orgId, recent] of [['org-many', 1_100], ['org-few', 900]] as const) {
      const all = Array.from({ length: 1_300 }, (_value, place) => {
        const hour = START + (place >= recent ? place % 3 : 5 + place % 2) * DAY
        return aCount({ orgId, id: `source-${place}`, hour, lastAt: hour + place * 7_919 % 3_600_000 })
      })
      await counts.add(all)
      const expected = all.map(({ id, lastAt }) => ({ id, lastAt })).sort((a, b) => b.lastAt - a.lastAt).slice(0, 1_000)
      for (const sweeps of [false, true]) {
        if (sweeps) await store.sweep({ auditRetention: DAY })
        assert.deepEqual(await counts.latest(orgId, { kind: 'source', outcome: 'bot' }), expected)
      }
    }
  })

  await t.test('large numbers and unusual ids are read back unchanged', async () => {
    const { store } = await create()
    const large = 2 ** 51
    await store.counts.add(AWKWARD_STRINGS.map((id) => aCount({ id, events: large, bytes: large })))
    await store.sweep({ auditRetention: DAY })
    const totals = await store.counts.totals('org-a', week())
    assert.deepEqual(totals.map(({ id }) => id).sort(), [...AWKWARD_STRINGS].sort())
    for (const { events, bytes } of totals) assert.deepEqual([events, bytes], [large, large])
    for (const id of AWKWARD_STRINGS) {
      assert.deepEqual((await store.counts.totals('org-a', week({ id }))).map((total) => total.id), [id])
    }
  })

  await t.test('a sweep deletes the counts of hours that ended before the retention', async () => {
    const { store, clock } = await create()
    const hour = clock.now() - clock.now() % HOUR
    const hours = [hour - 4 * DAY, hour - 2 * DAY - HOUR, hour - 2 * DAY, hour]
    await store.counts.add(hours.map((hour) => aCount({ hour })))
    const kept = async () =>
      (await store.counts.series('org-a', week({ from: 0, to: hour + DAY }), 'hour')).map(({ at }) => at)
    await store.sweep({ auditRetention: DAY })
    assert.deepEqual(await kept(), hours, 'the default keeps 400 days')
    await store.sweep({ auditRetention: DAY, countRetention: 2 * DAY })
    assert.deepEqual(await kept(), hours.slice(2))
  })
}

function sumOf (items: ReadonlyArray<{ events: number }>): number {
  return items.reduce((sum, { events }) => sum + events, 0)
}
