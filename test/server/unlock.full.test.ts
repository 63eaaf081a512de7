import t from 'tap'

import { runProgram, startServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy } from '../helpers/server-session.js'
import { storeOfServer } from '../helpers/stores.js'

const EMAIL = 'admin@example.com'

t.test('create-admin --unlock and --reset end a lock-out on a running server', async (t) => {
  const store = await storeOfServer(t, 'PostgreSQL')
  if (store === null) return
  const variables = { ...store.variables, DATA_DIR: store.dataDir, LOGIN_RATE_MAX: '1000' }
  const server = await startServerProcess(t, store.dataDir, variables)
  const { password } = printedBy(server)
  const command = async (args: string[], more: Record<string, string> = {}) => {
    const program = await runProgram(t, ['create-admin', ...args], { ...variables, ...more })
    const { code } = await program.ended
    return { code, stdout: program.stdout(), stderr: program.stderr() }
  }
  const lockOut = async () => {
    for (let i = 0; i < 5; i++) await t.rejects(logIn(server, 'wrong', EMAIL), /INVALID_CREDENTIALS/)
    await t.rejects(logIn(server, 'wrong', EMAIL), /ACCOUNT_LOCKED/)
  }

  await lockOut()
  t.match(await command(['--email', 'Admin@Example.com', '--unlock']), { code: 0, stdout: `Unlocked ${EMAIL}\n` })
  await logIn(server, password)

  await lockOut()
  t.match(await command(['--email', EMAIL, '--reset'], { ADMIN_PASSWORD: 'a-password-of-my-own' }), { code: 0 })
  await logIn(server, 'a-password-of-my-own')
  t.match(await command(['--email', 'nobody@example.com', '--unlock']), {
    code: 1,
    stderr: 'there is no administrator nobody@example.com'
  })
})
