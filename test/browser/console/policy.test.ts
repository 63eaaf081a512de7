import t from 'tap'

import { openConsole } from '../../helpers/console.js'

const NAME = '<img src=x onerror="document.title=1"><script>document.title = 2</script>'

t.test('markup in the name of a source is shown as text', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, app, ownerToken, complaints } = parts
  const headers = { authorization: `Bearer ${await ownerToken()}` }
  const created = await app.inject({ method: 'POST', url: '/v1/admin/sources', headers, payload: { name: NAME } })
  t.equal(created.statusCode, 201)
  await page.goto(at('sources'))
  await signIn()
  await page.getByRole('link', { name: NAME }).click()
  await page.getByRole('heading', { name: NAME }).waitFor()
  t.equal(await page.locator('main img, main script').count(), 0)
  t.match(await page.title(), /onerror/, 'the title of the tab is text too')
  t.same(complaints, [])
})

t.test('the policy stops code, markup and requests that an attacker would inject', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at } = parts
  await page.goto(at(''))
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  // As a script of the page, not of the debugger: `evaluate` runs it there.
  const attempt = (code: string) => page.evaluate<string>(`(async () => {
    try { ${code}; return 'done' } catch (error) { return error.name }
  })()`)
  t.equal(await attempt("document.body.innerHTML = '<b>x</b>'"), 'TypeError', 'Trusted Types refuse markup')
  t.equal(await attempt("document.createElement('script').src = '/x.js'"), 'TypeError', 'and URLs of scripts')
  t.equal(await attempt("trustedTypes.createPolicy('mine', { createHTML: (text) => text })"), 'TypeError', 'and policies')
  t.equal(await attempt("await fetch('http://localhost:9/')"), 'TypeError', 'no request to another origin')
  const violated = await page.evaluate<string[]>(`new Promise((resolve) => {
    const seen = []
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
      seen.push(effectiveDirective)
      if (seen.length === 2) resolve(seen.sort())
    })
    const style = document.createElement('style')
    style.textContent = 'body { color: red }'
    const frame = document.createElement('iframe')
    frame.src = '/console/'
    document.body.append(style, frame)
  })`)
  t.same(violated, ['frame-src', 'style-src-elem'])
})
