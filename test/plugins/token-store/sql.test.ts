import t from 'tap'

import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { manualClock } from '../../../conformance/clocks.js'
import { tokenStoreContract } from '../../../conformance/token-store/index.js'
import { emptyDatabase } from '../../helpers/pglite.js'

const secretsKeys = ['a key that seals what this test file stores']

t.test('the SQL store keeps the contract on PGlite', async (t) => {
  await tokenStoreContract(
    t,
    async ({ now }) => sqlStore(await emptyDatabase(), { secretsKeys, now }),
    () => manualClock()
  )
})

t.test('a taken email is a CONFLICT whose message names the email', async (t) => {
  const { users } = sqlStore(await emptyDatabase(), { secretsKeys })
  const user = { orgId: 'org-a', email: 'owner@example.com', passwordHash: 'hash', role: 'owner' } as const
  await users.create(user)
  await t.rejects(users.create({ ...user, email: 'Owner@example.com' }), {
    code: 'CONFLICT',
    message: 'This email is taken'
  })
})
