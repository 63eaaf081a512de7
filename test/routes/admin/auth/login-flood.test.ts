import t from 'tap'

import { createPasswordsOfAnyCost } from '../../../../lib/passwords/index.js'
import type { Passwords } from '../../../../lib/passwords/index.js'
import { PASSWORD, adminApp } from '../../../helpers/admin.js'

const LOGINS = 200

/** Lets the first 200 verifications begin at the same time, however fast the store is. */
function together (passwords: Passwords): Passwords {
  let arrived = 0
  let open = (): void => {}
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    ...passwords,
    async verify (hash, password) {
      if (++arrived === LOGINS) open()
      await all
      return await passwords.verify(hash, password)
    }
  }
}

t.test('200 concurrent logins beyond the queue of hashes are 503 with Retry-After', async (t) => {
  const hasher = await createPasswordsOfAnyCost({ memoryCost: 64, timeCost: 1, concurrency: 1, maxWaiting: 20 })
  const { addUser, login, post } = await adminApp(t, { auth: { passwords: together(hasher), lockout: { max: 22 } } })
  await addUser('ann@example.com')
  const replies = await Promise.all(
    Array.from({ length: LOGINS }, (_, at) => post('login', { email: 'ann@example.com', password: `wrong ${at}` }))
  )
  t.equal(replies.filter(({ statusCode }) => statusCode === 401).length, 21, 'one hash runs and 20 wait')
  const refused = replies.filter(({ statusCode }) => statusCode === 503)
  t.equal(refused.length, LOGINS - 21)
  for (const { headers, json } of refused) {
    t.match(headers, { 'retry-after': /^[1-9]\d*$/ })
    t.equal(json().error.code, 'UNAVAILABLE')
  }
  // 21 failures do not lock the account. If the refused logins counted, they would.
  await login('ann@example.com', PASSWORD)
})

t.test('at most maxWaiting hashes wait', async (t) => {
  const passwords = await createPasswordsOfAnyCost({ memoryCost: 64, timeCost: 1, concurrency: 1, maxWaiting: 5 })
  const results = await Promise.allSettled(Array.from({ length: 200 }, () => passwords.verify(null, 'x')))
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 6, 'one runs and five wait')
  t.ok(results.every((result) => result.status === 'fulfilled' || result.reason.code === 'UNAVAILABLE'))
  t.equal(await passwords.verify(null, 'x'), false)
})
