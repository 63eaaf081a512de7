import t from 'tap'

import { EventRate } from '../../../lib/limits/event-rate.js'
import type { EventRateOptions } from '../../../lib/limits/event-rate.js'

type Limited = Parameters<EventRate['wait']>[0]

const shop: Limited = { id: 'shop', rateLimit: null }

function limited (options: EventRateOptions | false = {}): { rate: EventRate, advance(milliseconds: number): void } {
  let time = 5_000
  const rate = new EventRate(options === false ? false : { now: () => time, ...options })
  return {
    rate,
    advance: (milliseconds) => {
      time += milliseconds
    }
  }
}

/** The number of single events that are accepted in sequence, at most `most`. */
function sent (rate: EventRate, source = shop, most = 5_000): number {
  let count = 0
  while (count < most && rate.wait(source) === 0) {
    rate.debit(source, 1)
    count++
  }
  return count
}

t.test('a source can send exactly its limit at one moment, by default a thousand events', async (t) => {
  for (
    const [options, source, expected] of [
      [{}, shop, 1_000],
      [{ max: 7 }, shop, 7],
      [{ max: 1 }, shop, 1],
      [{}, { id: 'own', rateLimit: 3 }, 3],
      [{ max: 5 }, { id: 'more', rateLimit: 1_200 }, 1_200],
      [false, { id: 'own', rateLimit: 4 }, 4],
      [false, shop, 5_000]
    ] as const
  ) {
    const { rate } = limited(options)
    t.equal(sent(rate, source), expected, JSON.stringify([options, source]))
  }
})

t.test('a bucket refills within a second, up to its limit', async (t) => {
  const { rate, advance } = limited({ max: 10 })
  t.equal(sent(rate), 10)
  t.equal(rate.wait(shop), 100)
  advance(99)
  t.equal(sent(rate), 0)
  advance(1)
  t.equal(sent(rate), 1)
  advance(500)
  t.equal(sent(rate), 5)
  advance(3_600_000)
  t.equal(sent(rate), 10, 'an idle hour saves up no events')
})

t.test('a bucket refills whole events at any limit, although it adds up fractions', async (t) => {
  for (const max of [1, 3, 7, 49, 333, 1_000]) {
    const { rate, advance } = limited({ max })
    sent(rate)
    for (let second = 0; second < 20; second++) {
      for (let part = 0; part < 10; part++) advance(100.1)
      t.ok(sent(rate) >= max, `${max} a second, second ${second}`)
    }
  }
})

t.test('a batch can exceed the limit once, and the excess delays the next batch', async (t) => {
  const { rate, advance } = limited({ max: 100 })
  sent(rate, shop, 99)
  t.equal(rate.wait(shop), 0, 'one event is left')
  rate.debit(shop, 500)
  t.equal(rate.wait(shop), 5_000)
  t.equal(rate.reset(shop), 5_990)
  advance(4_990)
  t.equal(sent(rate), 0)
  advance(10)
  t.equal(sent(rate), 1)
})

t.test('two sources and two limiters have separate buckets', async (t) => {
  const { rate } = limited({ max: 2 })
  const other = limited({ max: 2 })
  t.equal(sent(rate), 2)
  t.equal(sent(rate, { id: 'another', rateLimit: null }), 2)
  t.equal(sent(other.rate), 2)
})

t.test('a changed limit applies immediately, also to a debt', async (t) => {
  const { rate, advance } = limited()
  const small = { id: 'shop', rateLimit: 1 }
  rate.debit(small, 500)
  t.equal(rate.wait(small), 500_000)
  t.equal(rate.wait({ id: 'shop', rateLimit: 1_000 }), 500)
  advance(3_600_000)
  t.equal(sent(rate, { id: 'shop', rateLimit: 10 }), 10, 'no more than the new limit')
})

t.test('no wait is longer than an hour, even with a limit of 0', async (t) => {
  const { rate } = limited()
  for (const rateLimit of [0, 0.1]) {
    const source = { id: `${rateLimit}`, rateLimit }
    rate.debit(source, 1_000)
    t.equal(rate.wait(source), 3_600_000)
    t.equal(rate.reset(source), 3_600_000)
  }
})

t.test('the default clock is monotonic', async (t) => {
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  const rate = new EventRate({ max: 1 })
  t.equal(sent(rate), 1)
  Date.now = () => now() - 360_000
  t.ok(rate.wait(shop) > 0 && rate.wait(shop) <= 1_000)
  Date.now = () => now() + 360_000
  t.ok(rate.wait(shop) > 0 && rate.wait(shop) <= 1_000)
})

t.test('the number of buckets is bounded, and the least recently used are dropped', async (t) => {
  const { rate } = limited({ max: 1 })
  for (let at = 0; at <= 10_000; at++) rate.debit({ id: `source ${at}`, rateLimit: null }, 1)
  t.equal(rate.wait({ id: 'source 0', rateLimit: null }), 0)
  t.ok(rate.wait({ id: 'source 10000', rateLimit: null }) > 0)
})

t.test('an invalid option stops the start', async (t) => {
  for (
    const options of [true, null, 5, { max: 0 }, { max: -1 }, { max: 1.5 }, { max: '10' }, { max: NaN }, {
      max: Infinity
    }, { now: 5 }]
  ) {
    t.throws(
      () => new EventRate(options as never),
      { code: 'INVALID_OPTIONS', message: /^ingestion: "eventRate/ },
      JSON.stringify(options)
    )
  }
})
