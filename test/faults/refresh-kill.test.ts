import { fork } from 'node:child_process'
import { once } from 'node:events'

import t from 'tap'

import { generateSecret } from '../../signing/secret-strength/index.js'
import { temporaryFolder } from '../helpers/server-process.js'

const SECRET = generateSecret()
const PASSWORD = 'a quite unguessable one'

interface Pair {
  access_token: string
  refresh_token: string
}

t.test('after a kill between the rotation and its response, the old refresh token revokes the session, and a ' +
  'new login works', async (t) => {
  const dataDir = await temporaryFolder(t)

  async function start (variables: Record<string, string> = {}) {
    const child = fork(new URL('./fixtures/admin-server.ts', import.meta.url), {
      env: { ...process.env, DATA_DIR: dataDir, SECRET, PASSWORD, ...variables }
    })
    const ended = once(child, 'exit')
    t.teardown(async () => {
      child.kill('SIGKILL')
      await ended
    })
    const [origin] = await once(child, 'message') as [string]
    const call = (path: string, body: object | null, token?: string) =>
      fetch(`${origin}/v1/admin/auth${path}`, {
        method: body === null ? 'GET' : 'POST',
        headers: {
          ...(body === null ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
        },
        ...(body === null ? {} : { body: JSON.stringify(body) })
      })
    return {
      child,
      call,
      login: async () => await (await call('/login', { email: 'ann@example.com', password: PASSWORD })).json() as Pair
    }
  }

  const first = await start({ DIE_AFTER_REFRESH: '1' })
  const [phone, laptop] = [await first.login(), await first.login()]
  const gone = once(first.child, 'exit')
  await t.rejects(first.call('/refresh', { refresh_token: phone.refresh_token }), 'no response arrived')
  t.same(await gone, [null, 'SIGKILL'])

  const { call, login } = await start()
  t.equal((await call('/me', null, laptop.access_token)).status, 200, 'nothing was revoked by the kill itself')
  const repeated = await call('/refresh', { refresh_token: phone.refresh_token })
  t.equal(repeated.status, 401)
  t.match(await repeated.json(), { error: { code: 'INVALID_REFRESH_TOKEN' } })
  // A thief could hold the lost successor. Without a grace period its reuse revokes all tokens of the
  // user.
  for (const token of [phone.access_token, laptop.access_token]) t.equal((await call('/me', null, token)).status, 401)
  t.equal((await call('/refresh', { refresh_token: laptop.refresh_token })).status, 401)
  const pair = await login()
  t.equal((await call('/refresh', { refresh_token: pair.refresh_token })).status, 200)
})
