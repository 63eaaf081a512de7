import t from 'tap'

import { banner } from '../../server/banner.js'
import { readConfig } from '../../server/config/index.js'
import { setUpLink } from '../../server/set-up-link.js'
import { demoApp } from '../helpers/server-app.js'

const ACCOUNT = 'http://127.0.0.1:3000/console/account'

function tokenOf (link: string | null): string {
  return new URLSearchParams((link ?? '').split('?')[1]).get('token') ?? ''
}

t.test('the link of the first start sets the password of the first administrator, once', async (t) => {
  const { app, store, secrets, first } = await demoApp(t)
  const link = await setUpLink(store, secrets.JWT_SECRET, { email: first.email, accountUrl: ACCOUNT, showsEmail: true })
  t.match(link, `${ACCOUNT}#/setup?token=`)
  const payload = { token: tokenOf(link), new_password: 'violet anchors drift slowly' }
  const confirm = () => app.inject({ method: 'POST', url: '/v1/admin/auth/password-reset/confirm', payload })
  t.equal((await confirm()).statusCode, 204)
  const again = await confirm()
  t.same([again.statusCode, again.json().error.code], [401, 'INVALID_TOKEN'])
})

t.test('the link ends after 30 minutes', async (t) => {
  const { store, secrets, first } = await demoApp(t)
  const before = Date.now()
  const starts: number[] = []
  const accountLinks = {
    ...store.accountLinks,
    startReset: async ({ expiresAt }: { expiresAt: number }) => {
      starts.push(expiresAt)
      return true
    }
  }
  await setUpLink({ ...store, users: store.users, accountLinks }, secrets.JWT_SECRET, {
    email: first.email,
    accountUrl: ACCOUNT,
    showsEmail: true
  })
  t.equal(Math.round(((starts[0] ?? 0) - before) / 60_000), 30)
})

t.test('the link contains the email only if the server may print it', async (t) => {
  const { store, secrets, first: { email } } = await demoApp(t)
  const linkOf = async (showsEmail: boolean) =>
    await setUpLink(store, secrets.JWT_SECRET, { email, accountUrl: ACCOUNT, showsEmail }) ?? ''
  t.match(await linkOf(true), `&email=${encodeURIComponent(email)}`)
  const without = await linkOf(false)
  t.match(without, `${ACCOUNT}#/reset?token=`)
  t.notMatch(without, /email|@|%40/)
})

t.test('there is no link for an unknown administrator', async (t) => {
  const { store, secrets } = await demoApp(t)
  const gone = { email: 'gone@example.com', accountUrl: ACCOUNT, showsEmail: true }
  t.equal(await setUpLink(store, secrets.JWT_SECRET, gone), null)
})

t.test('the first start prints the console and the link; without the console, neither', async (t) => {
  const first = { email: 'admin@example.com', generatedPassword: 'x'.repeat(43), pipelineKey: null }
  const origin = 'http://127.0.0.1:3000'
  const lines = banner({ origin, config: readConfig({}), first, setUp: `${ACCOUNT}#/setup?token=abc` }).split('\n')
  t.ok(lines.includes(`  Console     ${origin}/console`))
  t.ok(lines.includes(`  ${ACCOUNT}#/setup?token=abc`))
  const without = banner({ origin, config: readConfig({ CONSOLE: 'off' }), first })
  t.notMatch(without, 'console')
  t.match(without, `  Sign-in     ${origin}/sign-in`)
})
