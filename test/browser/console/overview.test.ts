import t from 'tap'

import { openConsole } from '../../helpers/console.js'
import { poster, seedTraffic, storedCounts } from '../../helpers/console-traffic.js'
import { until } from '../../helpers/until.js'

t.test('the overview shows the counts of the API, for the period in the URL', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, app, ownerToken, complaints } = parts
  await seedTraffic(parts)
  const headers = { authorization: `Bearer ${await ownerToken()}` }
  const totalsOf = async (days: number, interval: string) => {
    const from = new Date(Date.now() - days * 86_400_000).toISOString()
    const reply = await app.inject({ url: '/v1/admin/stats', headers, query: { from, interval } })
    return reply.json().events.totals as { accepted: number, refused_by_code: Record<string, number> }
  }
  const shown = (label: string) =>
    page.locator('.tiles > div', { has: page.getByText(label, { exact: true }) }).locator('.value').textContent()
  const format = new Intl.NumberFormat('en-US')

  await page.goto(at(''))
  await signIn()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.locator('.chart-canvas canvas').waitFor()
  t.equal(page.url(), at(''), 'a sign-in without a path leads to the overview')
  t.match(await page.locator('nav [aria-current=page]').textContent(), 'Overview')
  const day = await totalsOf(1, 'hour')
  t.equal(await shown('Accepted'), format.format(day.accepted))

  await page.getByRole('link', { name: '30 days' }).click()
  await page.waitForURL(at('?period=30d'))
  const month = await totalsOf(30, 'day')
  t.ok(month.accepted > day.accepted * 10)
  await page.locator('.tiles', { hasText: format.format(month.accepted) }).waitFor()
  const row = page.getByRole('row', { name: /ORIGIN_NOT_ALLOWED/ })
  t.match(await row.textContent(), format.format(month.refused_by_code['ORIGIN_NOT_ALLOWED'] ?? -1))

  await page.goBack()
  await page.locator('.tiles', { hasText: format.format(day.accepted) }).waitFor()
  t.equal(page.url(), at(''), 'the back button returns to the former period')

  await page.goto(at('profile'))
  await page.getByRole('heading', { name: 'Profile' }).waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('over')
  await page.keyboard.press('Enter')
  await page.waitForURL(at(''))
  await page.locator('h1:focus', { hasText: 'Overview' }).waitFor()
  t.same(complaints, [])
})

t.test('the chart has the same numbers as a table, and its tooltip follows the arrow keys', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn } = parts
  await seedTraffic(parts)
  await page.goto(at('?period=30d'))
  await signIn()
  await page.getByRole('img', { name: /^Events of the last 30 days: [\d,]+ accepted/ }).focus()
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('ArrowLeft')
  const tooltip = await page.locator('.tooltip').innerText()
  await page.getByRole('button', { name: 'Show as table' }).click()
  await page.locator('.chart-table tbody tr').nth(30).waitFor()
  const cells = await page.locator('.chart-table tbody tr').nth(-2).locator('td').allTextContents()
  t.equal(cells.length, 5)
  for (const cell of cells) t.ok(tooltip.includes(cell), `the tooltip has ${cell}`)
  t.equal(await page.locator('.chart-table tbody tr').count(), 31)
})

t.test('the chart has the colours of the theme, also after it changes', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn } = parts
  await seedTraffic(parts)
  await page.goto(at(''))
  await signIn()
  await page.locator('.chart-canvas canvas').waitFor()
  const drawn = () => page.evaluate<string>("document.querySelector('.chart-canvas canvas').toDataURL()")
  const light = await drawn()
  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('menuitemradio', { name: 'Dark theme' }).click()
  await page.locator('html[data-theme=dark]').waitFor()
  await until('another theme, other colours', async () => await drawn() !== light)
})

t.test('the overview loads the counts again every 30 s, and says why nothing arrives', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, app, store } = parts
  await page.clock.install()
  await page.goto(at(''))
  await signIn()
  await page.getByRole('heading', { name: 'No event has arrived yet' }).waitFor()
  const { data: [source] } = await store.sources.list('default', { limit: 1 })
  const send = async (origin: string) => {
    const headers = { authorization: `Bearer ${source?.pipelineKey}`, origin }
    return (await app.inject({ method: 'POST', url: '/v1/t', headers, payload: { userId: 'a', event: 'b' } })).statusCode
  }
  t.equal(await send('https://elsewhere.example'), 403)
  await page.clock.runFor(30_000)
  await page.getByText('Everything was refused.').waitFor()
  t.equal(await page.getByText('https://elsewhere.example').count(), 0, 'the source keeps no refused events')
  t.equal(await send(source?.domains[0] ?? ''), 200)
  await page.clock.runFor(30_000)
  await page.getByRole('row', { name: /^Demo 1 100\s?% 1 / }).waitFor()
})

t.test('an expiring key and a used quota are announced to an admin, and not to a viewer', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, browser, store, app } = parts
  const [shop = ''] = await seedTraffic(parts)
  const post = await poster(parts)
  await post(`sources/${shop}`, { daily_quota: 1 }, 'PATCH')
  // Also just after midnight, when the day has no other event.
  storedCounts(app).table.add('stored', 'default', shop, 'accepted', Date.now(), 1, 100)
  await post(`sources/${shop}/keys`, { name: 'Old banner', expires_at: new Date(Date.now() + 90_000_000).toISOString() })
  await page.goto(at(''))
  await signIn()
  const notices = page.getByRole('region', { name: 'Notices' })
  await notices.getByText('has used up its quota of 1 events today').waitFor()
  await notices.getByText('Old banner').waitFor()
  await notices.getByRole('link', { name: 'Web shop' }).first().click()
  await page.getByRole('heading', { name: 'Web shop' }).waitFor()

  // The viewer has the password of the owner.
  const { passwordHash = '' } = await store.users.findByEmail(parts.first.email) ?? {}
  await store.users.create({ orgId: 'default', email: 'viewer@example.com', passwordHash, role: 'viewer' })
  const other = await (await browser.newContext()).newPage()
  const refused: string[] = []
  other.on('response', (response) => { if (response.status() === 403) refused.push(response.url()) })
  await other.goto(at(''))
  await parts.signIn('viewer@example.com', parts.first.generatedPassword ?? '', other)
  await other.locator('.chart-canvas canvas').waitFor()
  await other.getByRole('row', { name: /Web shop/ }).waitFor()
  t.equal(await other.getByRole('region', { name: 'Notices' }).count(), 0)
  t.same(refused, [], 'the page asks for nothing that the role may not read')
})
