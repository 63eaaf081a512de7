import t from 'tap'

import { createPasswordsOfAnyCost } from '../../../../lib/passwords/index.js'
import { PASSWORD, adminApp } from '../../../helpers/admin.js'

t.test('of 200 logins at the same time those beyond the waiting hashes are 503 with Retry-After', async (t) => {
  const passwords = await createPasswordsOfAnyCost({ memoryCost: 64, timeCost: 1, concurrency: 1, maxWaiting: 20 })
  const { addUser, login, post } = await adminApp(t, { auth: { passwords, lockout: { max: 22 } } })
  await addUser('ann@example.com')
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, at) => post('login', { email: 'ann@example.com', password: `wrong ${at}` }))
  )
  const refused = replies.filter(({ statusCode }) => statusCode === 503)
  const answered = replies.filter(({ statusCode }) => statusCode === 401)
  t.equal(refused.length + answered.length, 200)
  for (const { headers, json } of refused) {
    t.match(headers, { 'retry-after': /^[1-9]\d*$/ })
    t.equal(json().error.code, 'UNAVAILABLE')
  }
  // 21 failures do not lock the account. If the refused logins counted, they would.
  t.equal(answered.length, 21)
  await login('ann@example.com', PASSWORD)
})

t.test('never more hashes wait than maxWaiting', async (t) => {
  const passwords = await createPasswordsOfAnyCost({ memoryCost: 64, timeCost: 1, concurrency: 1, maxWaiting: 5 })
  const results = await Promise.allSettled(Array.from({ length: 200 }, () => passwords.verify(null, 'x')))
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 6, 'one runs and five wait')
  t.ok(results.every((result) => result.status === 'fulfilled' || result.reason.code === 'UNAVAILABLE'))
  t.equal(await passwords.verify(null, 'x'), false)
})
