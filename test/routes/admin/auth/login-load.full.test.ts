import t from 'tap'

import { createPasswords } from '../../../../lib/passwords/index.js'
import { PASSWORD, adminApp } from '../../../helpers/admin.js'

t.test('other requests receive responses while 200 logins wait for argon2id at full cost', async (t) => {
  const passwords = await createPasswords()
  const { app, addUser, post } = await adminApp(t, {
    auth: { passwords },
    before: async (app) => {
      app.get('/healthz', async () => 'ok')
    }
  })
  await addUser('ann@example.com')
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const state = { ended: 0 }
  const count = <Reply>(reply: Reply): Reply => {
    state.ended++
    return reply
  }
  const logins = Promise.all(Array.from({ length: 200 }, (_, i) => {
    return post('login', { email: i % 2 ? `u${i}@example.com` : 'ann@example.com', password: i % 2 ? 'x' : PASSWORD })
      .then(count)
  }))
  let pings = 0
  /** The highest number of logins that ended during one other request. */
  let most = 0
  for (; state.ended < 200; pings++) {
    const before = state.ended
    await (await fetch(`${origin}/healthz`)).text()
    most = Math.max(most, state.ended - before)
  }
  const replies = await logins
  t.same([200, 401].map((status) => replies.filter(({ statusCode }) => statusCode === status).length), [100, 100])
  t.comment(`${pings} other requests were answered; during one of them at most ${most} logins ended`)
  t.ok(most <= 25, 'no other request waits for all logins')
})
