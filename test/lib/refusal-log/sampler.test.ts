import t from 'tap'

import { LineSampler } from '../../../lib/refusal-log/sampler.js'
import type { LineKind } from '../../../lib/refusal-log/sampler.js'

const KIND: LineKind = { line: 'request refused', level: 'info', code: 'FORBIDDEN', status: 403 }

t.test('the lines and the omitted lines of any number of kinds add up, and kinds above 1 000 share one', (t) => {
  const reports: Array<[LineKind, number]> = []
  const sampler = new LineSampler((...report) => reports.push(report))
  let lines = 0
  for (let at = 0; at < 5_000; at++) {
    for (let time = 0; time < 20; time++) {
      if (sampler.admits({ ...KIND, sourceId: `source-${at}` }, `reason ${time}`)) lines++
    }
  }
  sampler.end()
  t.equal(lines, 1_001 * 10)
  t.equal(reports.length, 1_001)
  t.equal(reports.reduce((sum, [, omitted]) => sum + omitted, lines), 100_000)
  t.match(reports.at(-1), [{ code: 'FORBIDDEN', sourceId: undefined }, 4_000 * 20 - 10])
  t.end()
})

t.test('codes without bound share one kind', (t) => {
  let reports = 0
  const sampler = new LineSampler(() => reports++)
  for (let at = 0; at < 50_000; at++) sampler.admits({ ...KIND, code: `CODE_${at}` }, '')
  t.ok(sampler.sweep() !== null)
  sampler.end()
  t.equal(sampler.sweep(), null)
  t.equal(reports, 1)
  t.end()
})

t.test('subjects are compared by their first 200 characters', (t) => {
  const sampler = new LineSampler(() => {})
  const long = 'x'.repeat(200)
  for (let at = 0; at < 5; at++) t.ok(sampler.admits(KIND, long + String(at)))
  t.notOk(sampler.admits(KIND, long))
  t.ok(sampler.admits(KIND, 'y'))
  t.end()
})
