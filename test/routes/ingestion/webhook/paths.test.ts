import t from 'tap'

import { compilePath } from '../../../../routes/ingestion/webhook/json-path.js'

const BUDGET = 100_000

/** An array of `length` numbers, and a count of the elements that were read. */
function countedList (length: number): { list: number[], read(): number } {
  let read = 0
  const list = new Proxy(Array<number>(length).fill(5), {
    get (target, name) {
      if (typeof name === 'string' && /^\d/.test(name)) read++
      return Reflect.get(target, name) as unknown
    }
  })
  return { list, read: () => read }
}

t.test('a path that would read more elements than its budget reads no element', async (t) => {
  for (const path of ['$.list[*]', '$.list[?@ == 6]', '$.list[?@ == 5 || @ != 5]', '$.list[1:]']) {
    const { list, read } = countedList(BUDGET + 1)
    const work = { left: BUDGET }
    t.throws(() => [...compilePath(path).find({ list }, work)], { code: 'PAYLOAD_TOO_LARGE' }, path)
    t.equal(read(), 0, path)
  }
})

t.test('all paths of a mapping share one budget, and each element costs at least one step', async (t) => {
  const { list, read } = countedList(1_000)
  const work = { left: BUDGET }
  const path = compilePath('$.list[?@ == 6]')
  let rounds = 0
  t.throws(() => {
    for (;; rounds++) t.equal([...path.find({ list }, work)].length, 0)
  }, { code: 'PAYLOAD_TOO_LARGE' })
  t.ok(rounds > 0 && read() <= BUDGET, `${rounds} rounds, ${read()} elements read`)
})

t.test('an element with an index costs a few steps, for a list of any length', async (t) => {
  const { list, read } = countedList(1_000_000)
  const work = { left: BUDGET }
  for (const path of ['$.list[0]', '$.list[-1]']) {
    t.equal([...compilePath(path).find({ list }, work)][0]?.value, 5, path)
  }
  t.ok(read() <= 4 && BUDGET - work.left <= 4 * 2, `${read()} elements read`)
})
