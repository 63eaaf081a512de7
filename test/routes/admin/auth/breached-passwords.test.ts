import { createHash } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import type { BreachRange } from '../../../../lib/passwords/breach-check.js'
import { createPasswordsOfAnyCost } from '../../../../lib/passwords/index.js'
import { PASSWORD, adminApp } from '../../../helpers/admin.js'
import { usersApp } from '../../../helpers/admin-users.js'
import { logReader } from '../../../helpers/log-reader.js'

const NEW_PASSWORD = 'another unguessable one'
const SHA1 = createHash('sha1').update(NEW_PASSWORD).digest('hex').toUpperCase()

async function setUp (t: Test, breachCheck: BreachRange) {
  const passwords = await createPasswordsOfAnyCost({ memoryCost: 64, timeCost: 1, breachCheck })
  const log = logReader()
  const admin = await adminApp(t, { auth: { passwords }, server: { logger: { level: 'warn', stream: log.stream } } })
  await admin.addUser('ann@example.com')
  const { access_token } = await admin.login('ann@example.com')
  const change = () => admin.post('password', { current_password: PASSWORD, new_password: NEW_PASSWORD }, access_token)
  return { ...admin, change, log }
}

t.test('a new password of a breach list is refused and the old one stays', async (t) => {
  const asked: string[] = []
  const { change, login } = await setUp(t, async (prefix) => {
    asked.push(prefix)
    return `${SHA1.slice(5)}:12`
  })
  const reply = await change()
  t.equal(reply.statusCode, 400)
  t.match(reply.json().error, {
    code: 'INVALID_REQUEST',
    details: [{ path: '/new_password', message: /list of breached passwords/ }]
  })
  t.same(asked, [SHA1.slice(0, 5)])
  await login('ann@example.com')
})

t.test('a password in no list is accepted', async (t) => {
  const { change, login } = await setUp(t, async () => `${'0'.repeat(35)}:12`)
  t.equal((await change()).statusCode, 204)
  await login('ann@example.com', NEW_PASSWORD)
})

t.test('without the list a password is accepted, and the log says so without the password', async (t) => {
  const { change, login, log } = await setUp(t, async () => {
    throw new Error('the list is away')
  })
  t.equal((await change()).statusCode, 204)
  await login('ann@example.com', NEW_PASSWORD)
  const line = log.lines().find(({ msg }) => String(msg).includes('not compared with breached passwords'))
  t.match(line, { level: 40, err: { message: 'the list is away' } })
  t.notOk(JSON.stringify(log.lines()).includes(NEW_PASSWORD))
})

t.test('a reset and an invitation refuse it as well, and their links stay valid', async (t) => {
  const passwords = await createPasswordsOfAnyCost({
    memoryCost: 64,
    timeCost: 1,
    breachCheck: async (prefix) => prefix === SHA1.slice(0, 5) ? `${SHA1.slice(5)}:12` : `${'0'.repeat(35)}:1`
  })
  const { addUser, login, post, tokenOf } = await usersApp(t, { auth: { passwords } })
  await addUser('ann@example.com', 'owner')
  const { access_token } = await login('ann@example.com')
  await post('/v1/admin/users/invite', { email: 'bob@example.com', role: 'viewer' }, access_token)
  await post('/v1/admin/auth/password-reset', { email: 'ann@example.com' })
  const routes: ReadonlyArray<readonly [string, string, string]> = [
    ['/v1/admin/invitations/accept', 'password', await tokenOf('invitation')],
    ['/v1/admin/auth/password-reset/confirm', 'new_password', await tokenOf('password_reset')]
  ]
  for (const [url, field, token] of routes) {
    const refused = await post(url, { token, [field]: NEW_PASSWORD })
    t.equal(refused.statusCode, 400, url)
    t.match(refused.json().error.details, [{ path: `/${field}`, message: /breached/ }])
    t.ok((await post(url, { token, [field]: 'not in any list of them' })).statusCode < 300, url)
  }
})
