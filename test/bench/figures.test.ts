import t from 'tap'

import { figuresOf, spreadOf, verdictOf } from '../../bench/routes/figures.js'
import type { Shooting, Spread } from '../../bench/routes/figures.js'

const round = (figures: Partial<Shooting>): Shooting => ({
  user: 10,
  system: 10,
  rate: 100,
  p50: 1,
  p99: 2,
  failed: 0,
  ...figures
})
const measured = (ratio: Spread, failed = 0) => ({ ratio, failed })
const KNOWN = { median: 2, low: 1.9, high: 2.1 }

t.test('a spread is the median with the quartiles, in any order of the rounds', async (t) => {
  t.same(spreadOf([3, 1, 5, 2, 4]), { median: 3, low: 2, high: 4 })
})

t.test('the spread of three rounds is their lowest and highest value', async (t) => {
  t.same(spreadOf([3, 1, 2]), { median: 2, low: 1, high: 3 })
})

t.test('one disturbed round of five does not change the spread', async (t) => {
  t.same(spreadOf([1, 2, 3, 4, 100]), { median: 3, low: 2, high: 4 })
})

t.test('a ratio compares each round with the bare route of the same round', async (t) => {
  // The machine is twice as slow in the second round, which changes no ratio.
  const rounds = [round({ user: 20, system: 10 }), round({ user: 40, system: 20 })]
  const { ratio, userRatio } = figuresOf(rounds, [round({}), round({ user: 20, system: 20 })])
  t.same(ratio, { median: 1.5, low: 1.5, high: 1.5 })
  t.same(userRatio, { median: 2, low: 2, high: 2 })
})

t.test('failed requests of all rounds are summed', async (t) => {
  t.equal(figuresOf([round({ failed: 1 }), round({ failed: 2 })], [round({}), round({})]).failed, 3)
})

t.test('a row with a failed request fails, however fast it is', async (t) => {
  t.equal(verdictOf(measured({ median: 1, low: 1, high: 1 }, 1), KNOWN), 'failed')
})

t.test('a row without a bare route to compare with fails', async (t) => {
  t.equal(verdictOf(figuresOf([round({})], []), KNOWN), 'failed')
})

t.test('a row that the baseline does not contain is new', async (t) => {
  t.equal(verdictOf(measured({ median: 9, low: 9, high: 9 }), undefined), 'new')
})

t.test('a ratio above the baseline by more than the spread is slower', async (t) => {
  t.equal(verdictOf(measured({ median: 2.25, low: 2.2, high: 2.3 }), KNOWN), 'slower')
})

t.test('a ratio within the spread of the baseline is the same', async (t) => {
  t.equal(verdictOf(measured({ median: 2.15, low: 2.1, high: 2.2 }), KNOWN), 'same')
})

t.test('a ratio within the spread of a noisier run is the same', async (t) => {
  t.equal(verdictOf(measured({ median: 2.5, low: 1.8, high: 3 }), KNOWN), 'same')
})

t.test('a difference of less than 5 % is the same, even if all rounds agree', async (t) => {
  t.equal(verdictOf(measured({ median: 2.09, low: 2.09, high: 2.09 }), { median: 2, low: 2, high: 2 }), 'same')
})

t.test('a ratio below the baseline by more than the spread is faster', async (t) => {
  t.equal(verdictOf(measured({ median: 1.5, low: 1.5, high: 1.5 }), KNOWN), 'faster')
})
