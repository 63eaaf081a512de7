import t from 'tap'

import { runProgram, startServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy } from '../helpers/server-session.js'
import { storeOfServer } from '../helpers/stores.js'
import { totpCode } from '../helpers/mfa.js'

const EMAIL = 'admin@example.com'

t.test('create-admin --remove-factors lets a user who lost all factors log in with the password', async (t) => {
  const store = await storeOfServer(t, 'PostgreSQL')
  if (store === null) return
  const variables = { ...store.variables, DATA_DIR: store.dataDir }
  const server = await startServerProcess(t, store.dataDir, variables)
  const { password } = printedBy(server)
  const token = await logIn(server, password)
  const post = async (path: string, body: object) => {
    const response = await fetch(`${server.origin}/v1/admin/auth/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify(body)
    })
    return await response.json() as Record<string, unknown>
  }
  const remove = async (args: string[] = []) => {
    const program = await runProgram(t, ['create-admin', '--email', EMAIL, '--remove-factors', ...args], variables)
    const { code } = await program.ended
    return { code, stdout: program.stdout(), stderr: program.stderr() }
  }
  t.match(await remove(), { code: 1, stderr: `${EMAIL} has no second factor` })
  const { secret } = await post('mfa/totp', { current_password: password })
  t.ok('recovery_codes' in await post('mfa/totp/confirm', { code: totpCode(String(secret), Date.now()) }))
  t.match(await post('login', { email: EMAIL, password }), { mfa_required: true })
  t.match(await remove(['--reset']), { code: 1, stderr: /must be alone/ })
  t.match(await remove(), { code: 0, stdout: `Removed the second factors of ${EMAIL}\n` })
  t.type(await logIn(server, password), 'string')
})
