import t from 'tap'

import { environmentOf, generatePipelineKey, isPipelineKey } from '../../../signing/datafly/pipeline-key.js'

t.test('a new key has its environment and 32 base62 characters, and is not repeated', async (t) => {
  for (const environment of ['live', 'test'] as const) {
    const keys = Array.from({ length: 1000 }, () => generatePipelineKey(environment))
    t.equal(new Set(keys).size, 1000)
    for (const key of keys) {
      t.ok(
        new RegExp(`^dk_${environment}_[0-9A-Za-z]{32}$`).test(key) && isPipelineKey(key) &&
          environmentOf(key) === environment,
        key
      )
    }
  }
})

t.test('each of the 62 characters occurs equally often', async (t) => {
  const counts = new Map<string, number>()
  const rounds = 4000
  for (let round = 0; round < rounds; round++) {
    for (const character of generatePipelineKey('live').slice('dk_live_'.length)) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
  }
  const expected = rounds * 32 / 62
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  t.equal(counts.size, 62)
  // 61 degrees of freedom: above 140 once in tens of millions of runs; taking bytes modulo 62 gives some 1 000.
  t.ok(chiSquare < 140, `chi-square ${chiSquare.toFixed(1)}`)
})

t.test('a key from another system has 6 to 128 letters, digits, hyphens and underscores', async (t) => {
  for (const rest of ['abc123', 'ABC-12', 'abc_12', '______', '------', 'a'.repeat(128), 'xyz789xyz789']) {
    for (const environment of ['live', 'test'] as const) {
      const key = `dk_${environment}_${rest}`
      t.ok(isPipelineKey(key), key)
      t.equal(environmentOf(key), environment, key)
    }
  }
})

t.test('a string of another form is no pipeline key', async (t) => {
  const key = 'dk_live_0123456789abcdefghijABCDEFGHIJ01'
  t.ok(isPipelineKey(key))
  const odd = ['', 'dk_live_', 'dk_live_abc12', `dk_live_${'a'.repeat(129)}`, `${key}\n`, ` ${key}`,
    key.replace('live', 'LIVE'), key.replace('live', 'prod'), key.replace('dk', 'pk'), key.replace('0', '.'),
    key.replace('0', '+'), key.replace('0', 'é'), key.replace('0', '٠'), `${key},${key}`, key.toUpperCase()]
  for (const text of odd) {
    t.notOk(isPipelineKey(text), text)
    t.equal(environmentOf(text), null, text)
  }
})
