import { readFile } from 'node:fs/promises'

import t from 'tap'

import { openConsole } from '../../helpers/console.js'
import { SHOP, keptEvents, seedSource, sendShopEvents } from '../../helpers/console-events.js'
import { until } from '../../helpers/until.js'

const FOREIGN = 'https://shop.example.com'

t.test('a person finds the event of a foreign page, allows its domain, and replays it: stored once, and live', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, context, at, signIn, complaints } = parts
  const source = await seedSource(parts)
  const stored = async (id: string) =>
    (await source.admin<{ data: object[] }>('GET', `events?message_id=${id}`)).data.length
  t.equal((await source.send({ type: 'track', event: 'Signed Up', messageId: 'm-1', userId: 'ann' }, FOREIGN)).statusCode, 403)
  await source.send({ type: 'track', event: 'Signed Up', messageId: 'm-2', userId: 'bob' }, FOREIGN)
  await keptEvents(source, 2)

  await page.goto(at(`refused-events?source_id=${source.id}`))
  await signIn()
  const watcher = await context.newPage()
  await watcher.goto(at('events'))
  await watcher.getByText(/accepted and/).waitFor()

  await page.getByRole('link', { name: 'Origin not allowed' }).last().click()
  await page.getByText('m-1', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Replay the event' }).click()
  await page.getByText(/Still refused/).waitFor()
  t.equal(await stored('m-1'), 0, 'without the domain it stays refused')

  await page.getByRole('button', { name: 'Allow shop.example.com for this source' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  const domains = async () => (await source.admin<{ domains: string[] }>('GET', `sources/${source.id}`)).domains
  t.same(await domains(), ['www.example.com'], 'nothing changes without an answer')
  await page.getByRole('button', { name: 'Allow shop.example.com for this source' }).click()
  await page.getByRole('button', { name: 'Allow the domain' }).click()
  await page.getByText(/shop\.example\.com may send events now\. Replay/).waitFor()
  t.same(await domains(), ['www.example.com', 'shop.example.com'])

  await page.getByRole('button', { name: 'Replay the event' }).click()
  await page.getByText(/The event was replayed/).waitFor()
  await page.getByRole('button', { name: 'Replay the event' }).waitFor({ state: 'detached' })
  t.equal(await stored('m-1'), 1, 'stored once')
  const row = watcher.getByRole('button', { name: /Accepted.*Signed Up.*ann/ })
  await row.waitFor()
  await row.click()
  await watcher.getByText('"m-1"').waitFor()
  await watcher.getByRole('link', { name: 'Open the event' }).click()
  await watcher.getByRole('heading', { name: 'Signed Up' }).waitFor()

  await page.goBack()
  await page.getByRole('button', { name: 'Replay all…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Replay all' }).click()
  await page.getByText('1 event is stored now.').waitFor()
  t.same([await stored('m-1'), await stored('m-2')], [1, 1], 'the first one is not stored again')
  t.same(complaints, [])
})

t.test('the live view shows what is refused, pauses, and follows the filters of the URL', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, complaints } = parts
  const source = await seedSource(parts)
  await page.goto(at('events'))
  await signIn()
  await page.getByText(/accepted and/).waitFor()
  await source.send({ type: 'track', event: 'First', userId: 'ann' }, FOREIGN)
  await page.getByRole('button', { name: /Refused.*ORIGIN_NOT_ALLOWED.*shop\.example\.com/ }).waitFor()

  await page.getByRole('button', { name: 'Pause' }).click()
  await source.send({ type: 'track', event: 'Second', userId: 'ann' }, SHOP)
  await page.getByRole('button', { name: 'Continue (1 new)' }).waitFor()
  t.equal(await page.getByRole('button', { name: /Second/ }).count(), 0, 'the list does not move while it is paused')
  await page.getByRole('button', { name: 'Continue (1 new)' }).click()
  await page.getByRole('button', { name: /Second/ }).waitFor()

  await page.getByLabel('Outcome').selectOption('accepted')
  await page.getByText('Waiting for events').waitFor()
  t.match(page.url(), /outcome=accepted/)
  await page.getByText('Live', { exact: true }).last().waitFor()
  await page.getByText(/accepted and/).waitFor()
  await source.send({ type: 'track', event: 'Third', userId: 'ann' }, FOREIGN)
  await source.send({ type: 'track', event: 'Fourth', userId: 'ann' }, SHOP)
  await page.getByRole('button', { name: /Fourth/ }).waitFor()
  t.equal(await page.locator('.live-list > li').count(), 1)
  await page.goBack()
  await until('the back button restores the filter', async () => await page.getByLabel('Outcome').inputValue() === '')
  t.same(complaints, [])
})

t.test('a person finds stored events and exports what the filters select, and keeps the refused ones', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, complaints } = parts
  const source = await seedSource(parts, { keep_refused: false })
  await sendShopEvents(source)
  // Without the dialog of the operating system the file is a download.
  await page.addInitScript('delete globalThis.showSaveFilePicker')
  await page.goto(at('events?tab=stored'))
  await signIn()
  await page.getByLabel('User id').fill('usr_4821')
  await page.keyboard.press('Enter')
  await page.waitForURL(/user_id=usr_4821/)
  const rows = 5
  await until('the list has the events of the user alone', async () =>
    await page.locator('tbody tr').count() === rows && await page.getByRole('cell', { name: 'usr_4821' }).count() === rows)

  for (const format of ['ndjson', 'csv'] as const) {
    await page.getByRole('button', { name: 'Export…' }).click()
    await page.getByLabel('Format').selectOption(format)
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export', exact: true }).click()
    ])
    const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n')
    t.match(file.suggestedFilename(), new RegExp(`^events-.*\\.${format}$`))
    t.equal(lines.length, format === 'csv' ? rows + 1 : rows, `${format}: the events of the filter, without other lines`)
    await page.getByText(/The file is complete/).waitFor()
    await page.getByRole('dialog').getByText('Close', { exact: true }).click()
  }

  await page.goto(at(`refused-events?source_id=${source.id}`))
  await page.getByText('No refused event is kept').waitFor()
  await page.getByRole('button', { name: 'Keep refused events of Web shop…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Keep refused events' }).click()
  await page.getByText('Nothing was refused').or(page.getByText('No refused event matches')).waitFor()
  t.equal((await source.admin<{ keep_refused: boolean }>('GET', `sources/${source.id}`)).keep_refused, true)
  t.same(complaints, [])
})
