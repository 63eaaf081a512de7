import t from 'tap'

import { openBrowser } from '../../../helpers/browser.js'
import { certifiedOidc } from '../../../helpers/certified-oidc.js'
import { freePort } from '../../../helpers/free-port.js'
import { oidcLogin, SSO } from '../../../helpers/oidc-login.js'

const PAGE = `<!doctype html><title>Login</title><a href="${SSO}/oidc/idp/start?return_to=%2Fsources">Log in</a><p></p>
<script type="module">
const values = new URLSearchParams(location.hash.slice(1))
history.replaceState(null, '', location.pathname)
const show = (text) => { document.querySelector('p').textContent = text }
if (values.has('sso_error')) show(values.get('sso_error'))
if (values.has('sso')) {
  const response = await fetch('${SSO}/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: values.get('sso') })
  })
  const { access_token: token } = await response.json()
  const me = await fetch('/v1/admin/auth/me', { headers: { authorization: 'Bearer ' + token } })
  show((await me.json()).email + ' at ' + values.get('return_to'))
}
</script>`

t.test('a person logs in at a certified provider with a browser', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const { issuer } = await certifiedOidc(t, { appUrl: `${publicUrl}${SSO}/oidc/idp` })
  const login = await oidcLogin(t, { issuer, publicUrl })
  login.app.get('/login', (_request, reply) => reply.type('text/html').send(PAGE))
  await login.app.listen({ port, host: '127.0.0.1' })
  const page = await browser.newPage()
  await page.goto(`${publicUrl}/login`)
  await page.click('a')
  await page.fill('input[name=login]', 'ann')
  await page.fill('input[name=password]', 'any')
  await page.click('button[type=submit]')
  await page.click('button[type=submit]')
  await page.waitForFunction('document.querySelector("p")?.textContent !== ""')
  t.equal(await page.textContent('p'), 'ann@example.com at /sources')
  t.equal(page.url(), `${publicUrl}/login`, 'no code in the address')

  await page.goto(`${publicUrl}${SSO}/oidc/idp/start`)
  await page.waitForFunction('document.querySelector("p")?.textContent !== ""')
  t.match(await page.textContent('p'), 'ann@example.com', 'the provider knows the person')
  const cookies = await page.context().cookies()
  t.same(cookies.filter(({ name }) => name.startsWith('__Host-')), [], 'no cookie of a login remains')
})
