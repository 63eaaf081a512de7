import t from 'tap'

import { authorizeByHost } from '../../lib/authorize.js'
import { FORBIDDEN, UNAUTHORIZED } from '../../lib/errors.js'

/** A query builder of a database library is such an object: it has `then`, but is no promise. */
function thenable<T> (value: T): Promise<T> {
  return { then: (onValue: (value: T) => unknown) => onValue(value) } as unknown as Promise<T>
}

const user = { id: 'ann' }

t.test('the user of a synchronous function is known at once', async (t) => {
  t.equal(authorizeByHost(() => user), user)
  t.equal(authorizeByHost(() => 'ann'), 'ann')
})

t.test('the user of an asynchronous function is awaited, also of a query that is no promise', async (t) => {
  t.equal(await authorizeByHost(async () => user), user)
  t.equal(await authorizeByHost(() => thenable(user)), user)
})

t.test('no user is 401, whether the function is synchronous or not', async (t) => {
  for (const none of [null, undefined]) {
    t.throws(() => authorizeByHost(() => none), UNAUTHORIZED)
    await t.rejects(async () => await authorizeByHost(async () => none), UNAUTHORIZED)
    await t.rejects(async () => await authorizeByHost(() => thenable(none)), UNAUTHORIZED)
  }
})

t.test('an error with status 403 is FORBIDDEN, whether it is thrown or rejected', async (t) => {
  const refused = Object.assign(new Error('no'), { statusCode: 403 })
  t.throws(() => authorizeByHost(() => { throw refused }), FORBIDDEN)
  await t.rejects(async () => await authorizeByHost(async () => { throw refused }), FORBIDDEN)
})
