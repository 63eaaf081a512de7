import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import t from 'tap'
import type { Test } from 'tap'

import { openConsoleWithMail } from '../../helpers/console-mail.js'
import { sendEvent } from '../../helpers/console-sources.js'
import { watch } from '../../helpers/console.js'
import { setUpLink } from '../../../server/set-up-link.js'

const PASSWORD = 'violet anchors drift slowly'

/** A site of another origin with the code `html` in its page. */
async function site (t: Test, html: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(`<!doctype html><title>Shop</title><link rel="icon" href="data:,">${html}`)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the owner of a new server collects an event, mends a refused one, and shares the console with another person',
  async (t) => {
    const parts = await openConsoleWithMail(t)
    if (parts === null) return
    const { app, page, browser, at, origin, store, secrets, first, signIn, linkTo, complaints } = parts
    const email = first.email
    let authorization = ''
    page.on('request', (request) => { authorization = request.headers()['authorization'] ?? authorization })
    const link = await setUpLink(store, secrets.JWT_SECRET, { email, accountUrl: at('account'), showsEmail: true }) ?? ''
    await page.goto(link)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor()
    await page.getByRole('button', { name: /^Account of/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await signIn(email, PASSWORD)

    const navigation = page.getByRole('navigation')
    const open = async (name: string) => {
      await navigation.getByRole('link', { name, exact: true }).first().click()
      await page.getByRole('heading', { name, exact: true }).first().waitFor()
    }
    await open('Sources')
    await page.getByRole('link', { name: 'New source' }).click()
    await page.getByLabel('Name').fill('Shop')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByLabel('Domains', { exact: true }).fill('https://www.example.com')
    await page.getByRole('button', { name: 'Create the source' }).click()
    await page.getByText('Waiting for the first event').waitFor()
    await page.getByRole('button', { name: 'I have kept it' }).click()
    const code = await page.getByRole('group', { name: 'Browser script code' }).textContent() ?? ''
    const shop = await site(t, code)
    const created = (await store.sources.list('default', { limit: 1 })).data[0]
    const id = created?.id ?? ''
    const oldKey = created?.pipelineKey ?? ''
    t.ok(code.includes(oldKey), 'the code has the key of the source')

    await page.getByRole('link', { name: 'Go to the source' }).click()
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByLabel('Keep refused events').check()
    const acceptance = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Acceptance' }) })
    await acceptance.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The settings are saved.').waitFor()

    await open('Events')
    await page.getByText(/accepted and/).waitFor()
    const visitor = await (await browser.newContext()).newPage()
    await Promise.all([visitor.waitForEvent('requestfailed'), visitor.goto(shop)])
    // The preflight of the page is refused, so the browser sends the event only when the page is left: as a beacon.
    await visitor.goto('about:blank')
    await page.getByRole('button', { name: /Refused.*ORIGIN_NOT_ALLOWED/ }).waitFor()

    await open('Refused events')
    const refused = page.getByRole('link', { name: 'Origin not allowed' })
    // Refused events are stored in batches; the list loads again by itself.
    await refused.first().click()
    await page.getByRole('button', { name: /^Allow .* for this source$/ }).click()
    await page.getByRole('button', { name: 'Allow the domain' }).click()
    await page.getByText(/may send events now\. Replay/).waitFor()
    t.ok((await store.sources.get('default', id))?.domains.includes(shop), 'the domain is allowed')
    await page.getByRole('button', { name: 'Replay the event' }).click()
    await page.getByText(/The event was replayed/).waitFor()
    const { data } = (await app.inject({ url: `/v1/admin/events?source_id=${id}`, headers: { authorization } })).json()
    t.match(data, { length: 1 }, 'stored once')

    await open('Events')
    await page.getByText(/accepted and/).waitFor()
    const next = await (await browser.newContext()).newPage()
    await next.goto(shop)
    await page.getByRole('button', { name: /Accepted.*page/i }).first().waitFor()
    t.pass('the event of the next visitor is accepted, and seen live')

    await open('Sources')
    await page.getByRole('table').getByRole('link', { name: 'Shop', exact: true }).click()
    await page.getByRole('link', { name: 'Keys', exact: true }).click()
    await page.getByRole('button', { name: 'Actions of Main key' }).click()
    await page.getByRole('menuitem', { name: 'Rotate…' }).click()
    await page.getByRole('dialog').getByLabel('The old pipeline key also works').selectOption('0')
    await page.getByRole('button', { name: 'Rotate the pipeline key' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const newKey = (await store.sources.get('default', id))?.pipelineKey ?? ''
    t.not(newKey, oldKey)
    t.same(
      [await sendEvent(parts, oldKey, { event: 'A' }), await sendEvent(parts, newKey, { event: 'A' })], [401, 200],
      'the old key is refused'
    )

    await open('Users')
    await page.getByRole('button', { name: 'Invite a user' }).click()
    await page.getByLabel('Email').fill('ann@example.com')
    await page.getByLabel('Role').selectOption('editor')
    await page.getByRole('button', { name: 'Send the invitation' }).click()
    await page.getByRole('cell', { name: 'ann@example.com' }).waitFor()
    const other = await (await browser.newContext()).newPage()
    watch(other, origin, complaints)
    await other.goto(await linkTo('ann@example.com', 'invitation'))
    await other.getByLabel('New password', { exact: true }).fill(PASSWORD)
    await other.getByRole('button', { name: 'Accept the invitation' }).click()
    await other.getByRole('link', { name: 'Sign in' }).click()
    await signIn('ann@example.com', PASSWORD, other)
    await other.getByRole('heading', { name: 'Overview', exact: true }).waitFor()

    await page.getByRole('link', { name: 'Members' }).click()
    await page.getByRole('link', { name: 'ann@example.com' }).click()
    await page.getByLabel('Role in this organisation').selectOption('viewer')
    await page.getByRole('button', { name: 'Change the role' }).click()
    await page.getByText('ann@example.com now has the role viewer.').waitFor()
    const ann = await store.users.findByEmail('ann@example.com')
    t.equal((await store.members.get('default', ann?.id ?? ''))?.role, 'viewer')

    const third = await (await browser.newContext()).newPage()
    await third.goto(at('sources'))
    await signIn(email, PASSWORD, third)
    await third.getByRole('link', { name: 'Demo' }).waitFor()
    await open('Profile')
    await page.getByRole('button', { name: 'End…' }).first().click()
    await page.getByRole('button', { name: 'End the session' }).click()
    await page.getByText('The session has ended.').waitFor()
    await third.getByRole('link', { name: 'Demo' }).click()
    await third.getByRole('dialog', { name: 'Your session has ended' }).waitFor()

    await open('Audit log')
    for (const sentence of [
      'signed in', 'created the source Shop', 'changed the source Shop', 'replayed a refused event',
      /rotated the pipeline key .*of Shop/, /invited ann@example\.com/, 'accepted an invitation',
      'changed the user ann@example.com', 'ended one of their other sessions'
    ]) {
      await page.getByRole('main').getByText(sentence).first().waitFor()
      t.pass(`the audit log says: ${String(sentence)}`)
    }
    t.same(complaints, [])
  })
