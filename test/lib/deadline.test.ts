import t from 'tap'

import { waitAtMost, withDeadline } from '../../lib/deadline.js'

const never = new Promise<never>(() => {})
const overdue = () => new Error('overdue')

/** The number of timers that keep the process alive. */
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

t.test('work that settles in time settles the call, and no timer is left', async (t) => {
  const before = timers()
  t.equal(await withDeadline(Promise.resolve('value'), 60_000, overdue), 'value')
  await t.rejects(withDeadline(Promise.reject(new Error('failed')), 60_000, overdue), /failed/)
  await waitAtMost(Promise.resolve(), 60_000)
  await t.rejects(waitAtMost(Promise.reject(new Error('failed')), 60_000), /failed/)
  t.equal(timers(), before)
})

t.test('work that exceeds its time rejects with the error of the caller, or the wait for it ends', async (t) => {
  await t.rejects(withDeadline(never, 1, overdue), /overdue/)
  await waitAtMost(never, 1)
})

t.test('work that fails after its deadline causes no unhandled rejection', async (t) => {
  let fail = (_error: Error) => {}
  const work = new Promise<void>((_resolve, reject) => { fail = reject })
  await t.rejects(withDeadline(work, 1, overdue), /overdue/)
  await waitAtMost(work, 1)
  fail(new Error('late'))
  await new Promise(setImmediate)
})
