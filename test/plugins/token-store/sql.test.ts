import t from 'tap'

import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { manualClock } from '../../../conformance/clocks.js'
import { tokenStoreContract } from '../../../conformance/token-store/index.js'
import { emptyDatabase } from '../../helpers/pglite.js'

const secretsKeys = ['a key that seals what this test file stores']

t.test('the SQL store holds the contract on PGlite', async (t) => {
  await tokenStoreContract(
    t,
    async ({ now }) => sqlStore(await emptyDatabase(), { secretsKeys, now }),
    () => manualClock()
  )
})
