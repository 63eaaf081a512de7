import t from 'tap'

import { LastUses, lastUsesOf } from '../../lib/last-uses.js'

const MINUTE = 60_000

function recorder (retryDelay?: number) {
  const writes: Array<ReadonlyArray<{ key: string, at: number }>> = []
  const state = { fails: false, errors: 0 }
  const uses = new LastUses({
    store: async (batch) => {
      if (state.fails) throw new Error('no disk')
      writes.push(batch)
    },
    precision: 10 * MINUTE,
    ...retryDelay === undefined ? {} : { retryDelay },
    onError: () => { state.errors++ }
  })
  return { uses, writes, state }
}

t.test('a key is stored once per precision, with other keys in one write', async (t) => {
  const { uses, writes } = recorder()
  for (let at = 0; at < 10 * MINUTE; at += 1_000) for (const key of ['a', 'b']) uses.note(key, at)
  await uses.flush()
  uses.note('a', 10 * MINUTE - 1)
  await uses.flush()
  uses.note('a', 10 * MINUTE)
  await uses.flush()
  t.same(writes, [[{ key: 'a', at: 0 }, { key: 'b', at: 0 }], [{ key: 'a', at: 10 * MINUTE }]])
})

t.test('a use is stored again after the clock was set back', async (t) => {
  const { uses, writes } = recorder()
  uses.note('a', 100 * MINUTE)
  uses.note('a', 5 * MINUTE)
  await uses.flush()
  t.same(writes, [[{ key: 'a', at: 5 * MINUTE }]])
})

t.test('after a failed write the next use is stored when the retry delay has passed', async (t) => {
  for (const [retryDelay, first] of [[undefined, 1], [MINUTE, MINUTE]] as const) {
    const { uses, writes, state } = recorder(retryDelay)
    state.fails = true
    uses.note('a', 0)
    await uses.flush()
    t.equal(state.errors, 1)
    state.fails = false
    uses.note('a', first - 1)
    await uses.flush()
    t.equal(writes.length, retryDelay === undefined ? 1 : 0)
    uses.note('a', MINUTE)
    await uses.flush()
    t.equal(writes.length, 1)
  }
})

t.test('all callers share the recorder of one owner', async (t) => {
  const [owner, other] = [{}, {}]
  const options = { store: async () => {}, precision: MINUTE, onError: () => {} }
  t.equal(lastUsesOf(owner, options), lastUsesOf(owner, options))
  t.not(lastUsesOf(owner, options), lastUsesOf(other, options))
})
