import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'

import { SHOP, keptEvents, seedSource } from '../../helpers/console-events.js'
import { openConsole } from '../../helpers/console.js'

/** The name of the focused element, and whether its focus is visible. */
async function focus (page: Page): Promise<{ name: string, isLost: boolean, isVisible: boolean }> {
  return await page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null
    const isLost = element === null || element === document.body
    const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent
    const name = element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? ''
    const style = element === null ? null : getComputedStyle(element)
    const isVisible = style !== null && (style.outlineStyle !== 'none' || style.boxShadow !== 'none')
    return { name: name.trim(), isLost, isVisible }
  })
}

/** Presses Tab until something with the name has the focus; each stop must be visible. */
async function tabTo (t: Test, page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab')
    const now = await focus(page)
    if (!now.isLost && !now.isVisible) t.fail(`the focus is not visible on ${now.name}`)
    if (name.test(now.name)) return
  }
  throw new Error(`Tab does not reach ${String(name)}`)
}

/** Fails if the focus fell back to the body, from where Tab starts at the top again. */
async function keepsFocus (t: Test, page: Page, step: string): Promise<void> {
  t.notOk((await focus(page)).isLost, `the focus is kept: ${step}`)
}

t.test('a person signs in and creates a source by keyboard alone', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, first, store } = parts
  await page.goto(at(''))
  await page.getByLabel('Email').waitFor()
  await keepsFocus(t, page, 'sign-in')
  if (!/Email/.test((await focus(page)).name)) await tabTo(t, page, /^Email/)
  await page.keyboard.type(first.email)
  await tabTo(t, page, /^Password/)
  await page.keyboard.type(first.generatedPassword ?? '')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor()
  await tabTo(t, page, /^Sources$/)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Sources', exact: true }).waitFor()
  await keepsFocus(t, page, 'the list of sources')
  await tabTo(t, page, /^New source$/)
  await page.keyboard.press('Enter')
  await page.getByLabel('Name').waitFor()
  await keepsFocus(t, page, 'a new source')
  if (!/^Name/.test((await focus(page)).name)) await tabTo(t, page, /^Name/)
  await page.keyboard.type('Shop')
  await page.keyboard.press('Enter')
  await page.getByLabel('Domains', { exact: true }).waitFor()
  await keepsFocus(t, page, 'the second step')
  if (!/^Domains/.test((await focus(page)).name)) await tabTo(t, page, /^Domains/)
  await page.keyboard.type('shop.example.com')
  await tabTo(t, page, /^Create the source$/)
  await page.keyboard.press('Enter')
  await page.getByText('Waiting for the first event').waitFor()
  await keepsFocus(t, page, 'the third step')
  const [source] = (await store.sources.list('default', { limit: 1 })).data
  t.match(source, { name: 'Shop', domains: ['shop.example.com'] })
})

t.test('a person finds an event by the palette, and replays a refused one, by keyboard alone', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn } = parts
  const source = await seedSource(parts)
  await source.send({ type: 'track', event: 'Signed Up', messageId: 'm-1', userId: 'ann' }, SHOP)
  await source.send({ type: 'track', event: 'Order Paid', messageId: 'm-2', userId: 'bob' }, 'https://blog.example.com')
  await keptEvents(source, 1)
  await page.goto(at('profile'))
  await signIn()
  await page.getByRole('heading', { name: 'Profile', exact: true }).waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Find a page or a command' }).waitFor()
  await keepsFocus(t, page, 'the palette')
  await page.keyboard.type('events')
  await page.keyboard.press('Enter')
  await page.getByText(/accepted and/).waitFor()
  await keepsFocus(t, page, 'after the palette')
  await tabTo(t, page, /^Stored/)
  await page.keyboard.press('Enter')
  await page.getByLabel('User id').waitFor()
  await keepsFocus(t, page, 'the tab of stored events')
  await tabTo(t, page, /^User id/)
  await page.keyboard.type('ann')
  await page.keyboard.press('Enter')
  await page.waitForURL(/user_id=ann/)
  await page.getByRole('link', { name: 'Signed Up' }).waitFor()
  await keepsFocus(t, page, 'after the search')
  await tabTo(t, page, /^Signed Up/)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Signed Up' }).waitFor()
  await keepsFocus(t, page, 'the event')

  await page.keyboard.press('Control+k')
  await page.keyboard.type('refused')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'Origin not allowed' }).waitFor()
  await keepsFocus(t, page, 'the refused events')
  await tabTo(t, page, /^Origin not allowed/)
  await page.keyboard.press('Enter')
  await page.getByText('m-2', { exact: true }).waitFor()
  await tabTo(t, page, /^Allow blog\.example\.com/)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await keepsFocus(t, page, 'the question')
  if (!/^Allow the domain/.test((await focus(page)).name)) await tabTo(t, page, /^Allow the domain/)
  await page.keyboard.press('Enter')
  await page.getByText(/may send events now\. Replay/).waitFor()
  await tabTo(t, page, /^Replay the event/)
  await page.keyboard.press('Enter')
  await page.getByText(/The event was replayed/).waitFor()
  const { data } = await source.admin<{ data: object[] }>('GET', 'events?message_id=m-2')
  t.equal(data.length, 1, 'stored once')
})
