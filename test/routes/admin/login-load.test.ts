import t from 'tap'

import { createPasswords } from '../../../plugins/passwords.js'
import { PASSWORD, adminApp } from '../../helpers/admin.js'

t.test('A05: while 100 logins wait for argon2id at full cost, other requests are answered in time', async (t) => {
  const passwords = await createPasswords()
  const { app, addUser, post } = await adminApp(t, { auth: { passwords }, before: async (app) => { app.get('/healthz', async () => 'ok') } })
  await addUser('ann@example.com')
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const state = { done: false }
  const logins = Promise.all(Array.from({ length: 100 }, (_, i) => post('login', { email: i % 2 ? `u${i}@example.com` : 'ann@example.com', password: i % 2 ? 'x' : PASSWORD })))
    .finally(() => { state.done = true })
  const times: number[] = []
  while (!state.done) {
    const start = performance.now()
    await (await fetch(`${origin}/healthz`)).text()
    times.push(performance.now() - start)
  }
  const replies = await logins
  t.same([200, 401].map((status) => replies.filter(({ statusCode }) => statusCode === status).length), [50, 50])
  const p99 = times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0
  t.comment(`${times.length} pings, p99 ${p99.toFixed(1)} ms`)
  t.ok(p99 < 200, `p99 of /healthz is ${p99.toFixed(1)} ms`)
})
