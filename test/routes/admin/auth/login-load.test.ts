import t from 'tap'

import { createPasswords } from '../../../../lib/passwords/index.js'
import { PASSWORD, adminApp } from '../../../helpers/admin.js'

t.test('A05: while 100 logins wait for argon2id at full cost, other requests are answered in time', async (t) => {
  const passwords = await createPasswords()
  const { app, addUser, post } = await adminApp(t, { auth: { passwords }, before: async (app) => { app.get('/healthz', async () => 'ok') } })
  await addUser('ann@example.com')
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const state = { done: false }
  const logins = Promise.all(Array.from({ length: 100 }, (_, i) => post('login', { email: i % 2 ? `u${i}@example.com` : 'ann@example.com', password: i % 2 ? 'x' : PASSWORD })))
    .finally(() => { state.done = true })
  const times: number[] = []
  const began = performance.now()
  while (!state.done) {
    const start = performance.now()
    await (await fetch(`${origin}/healthz`)).text()
    times.push(performance.now() - start)
  }
  const whole = performance.now() - began
  const replies = await logins
  t.same([200, 401].map((status) => replies.filter(({ statusCode }) => statusCode === status).length), [50, 50])
  const slowest = Math.max(...times)
  t.comment(`${times.length} pings in ${whole.toFixed(0)} ms, the slowest took ${slowest.toFixed(1)} ms`)
  t.ok(times.length >= 100, 'there is an answer for each login, at the least')
  t.ok(slowest < whole / 4, 'and none waits until the logins are through')
})
