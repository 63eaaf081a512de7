import t from 'tap'

import { Semaphore } from '../../lib/semaphore.js'

/** A task that runs until it is released. */
function held (): { task: () => Promise<void>, release: () => void, isStarted: () => boolean } {
  let release = () => {}
  let started = false
  const done = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    task: () => {
      started = true
      return done
    },
    release,
    isStarted: () => started
  }
}

t.test('tasks wait for a permit and start in the order of their calls', async (t) => {
  const semaphore = new Semaphore({ permits: 2 })
  const tasks = [held(), held(), held(), held()]
  const all = tasks.map(({ task }) => semaphore.run(task))
  for (const [at, { release }] of tasks.entries()) {
    await new Promise(setImmediate)
    t.same(tasks.map(({ isStarted }) => isStarted()), tasks.map((_task, other) => other < at + 2))
    release()
  }
  await Promise.all(all)
  t.equal(await semaphore.run(async () => 'result'), 'result')
})

t.test('a task that fails releases its permit', async (t) => {
  const semaphore = new Semaphore({ permits: 1 })
  const fails = async () => {
    throw new Error('failed')
  }
  await Promise.all([t.rejects(semaphore.run(fails), /failed/), t.rejects(semaphore.run(fails), /failed/)])
  t.equal(await semaphore.run(async () => 'result'), 'result')
})

t.test('a task is refused when the waiting tasks have the maximum weight, and accepted when they have ' +
  'started', async (t) => {
  const semaphore = new Semaphore({ permits: 1, maxWaiting: 10, onFull: () => new Error('full') })
  const first = held()
  const running = semaphore.run(first.task)
  const heavy = semaphore.run(async () => 'heavy', { weight: 9 })
  const light = semaphore.run(async () => 'light')
  await t.rejects(semaphore.run(async () => 'refused'), /full/)
  first.release()
  await running
  t.same(await Promise.all([heavy, light]), ['heavy', 'light'])
  t.equal(await semaphore.run(async () => 'next'), 'next')
})

t.test('a task that waits too long rejects, does not run and frees its place', async (t) => {
  const semaphore = new Semaphore({ permits: 1, maxWaiting: 1, maxWait: 1, onOverdue: () => new Error('overdue') })
  const first = held()
  const running = semaphore.run(first.task)
  const late = held()
  await t.rejects(semaphore.run(late.task), /overdue/)
  first.release()
  await running
  t.equal(await semaphore.run(async () => 'next'), 'next')
  t.notOk(late.isStarted())
})

t.test('a task whose signal aborts while it waits rejects with the reason and never runs', async (t) => {
  const semaphore = new Semaphore({ permits: 1 })
  const first = held()
  const running = semaphore.run(first.task)
  const [aborted, next] = [held(), held()]
  const controller = new AbortController()
  const waiting = semaphore.run(aborted.task, { signal: controller.signal })
  const last = semaphore.run(next.task)
  controller.abort(new Error('client left'))
  await t.rejects(waiting, /client left/)
  await t.rejects(semaphore.run(aborted.task, { signal: controller.signal }), /client left/)
  first.release()
  next.release()
  await Promise.all([running, last])
  t.notOk(aborted.isStarted())
})
