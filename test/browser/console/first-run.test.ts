import t from 'tap'

import { setUpLink } from '../../../server/set-up-link.js'
import { openConsole } from '../../helpers/console.js'

const PASSWORD = 'violet anchors drift slowly'

t.test('the owner of a new server chooses a password by the printed link, is signed in, and the link is used up', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, store, secrets, first, complaints, context } = parts
  const { email, generatedPassword } = first
  const link = await setUpLink(store, secrets.JWT_SECRET, { email, accountUrl: at('account'), showsEmail: true }) ?? ''
  const requested: string[] = []
  page.on('request', (request) => requested.push(`${request.url()} ${request.headers()['referer'] ?? ''}`))
  await page.goto(link)
  await page.getByRole('heading', { name: 'Welcome' }).waitFor()
  t.equal(page.url(), at('account'), 'the token has left the address')
  const token = new URLSearchParams(link.split('?')[1]).get('token') ?? 'none'
  t.notOk(requested.some((line) => !line.startsWith(at('account#')) && line.includes(token)))
  await page.getByLabel('Password', { exact: true }).fill('password12345')
  await page.getByRole('button', { name: 'Start' }).click()
  await page.locator('input[name=new_password][aria-invalid=true]').waitFor()
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  t.same(complaints, [])

  const logIn = async (password: string | null) =>
    (await parts.app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })).statusCode
  t.equal(await logIn(generatedPassword), 401, 'the printed password no longer works')
  t.equal(await logIn(PASSWORD), 200)
  const other = await context.newPage()
  await other.goto(link)
  await other.getByLabel('Password', { exact: true }).fill('another anchor drifts slowly')
  await other.getByRole('button', { name: 'Start' }).click()
  await other.getByRole('alert').getByText('The link is not valid').waitFor()
})
