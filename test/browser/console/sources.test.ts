import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'

import { openConsole } from '../../helpers/console.js'
import { ownerCaller, sendEvent } from '../../helpers/console-sources.js'

/** A site of another origin. `paste` sets what is in its page. */
async function site (t: Test) {
  let html = ''
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(`<!doctype html><title>Shop</title><link rel="icon" href="data:,">${html}`)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, paste (code: string) { html = code } }
}

/** Saves the section with a title. */
async function save (page: Page, title: string) {
  const section = page.locator('section').filter({ has: page.getByRole('heading', { name: title }) })
  await section.getByRole('button', { name: 'Save' }).click()
}

t.test('a source is created in three steps, and the script of the last step turns it green from a page of another origin',
  async (t) => {
    const parts = await openConsole(t)
    if (parts === null) return
    const { page, at, signIn, store, browser, complaints } = parts
    const shop = await site(t)
    await page.goto(at('sources'))
    await signIn()
    await page.getByRole('link', { name: 'New source' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.locator('input[name=name][aria-invalid=true]').waitFor()
    await page.getByLabel('Name').fill('Shop')
    await page.getByLabel('Environment').selectOption('test')
    await page.getByRole('button', { name: 'Continue' }).click()

    const domains = page.getByLabel('Domains', { exact: true })
    await domains.fill(`${shop.origin}/cart`)
    await page.getByText(`A domain has no path. Write ${shop.origin}.`).waitFor()
    await page.getByRole('button', { name: 'Create the source' }).click()
    await page.locator('textarea[aria-invalid=true]').waitFor()
    t.equal((await store.sources.list('default', { limit: 10 })).data.length, 1, 'nothing was created')
    await page.goBack()
    t.equal(await page.getByLabel('Name').inputValue(), 'Shop', 'the first step keeps its entries')
    await page.goForward()
    await domains.fill(shop.origin)
    await page.getByRole('button', { name: 'Create the source' }).click()
    await page.getByText('Waiting for the first event').waitFor()

    const [source] = (await store.sources.list('default', { limit: 1 })).data
    t.match(source, { name: 'Shop', environment: 'test', domains: [shop.origin], pipelineKey: /^dk_test_/ })
    const secret = await page.locator('.secret pre').textContent() ?? ''
    t.equal(secret.slice(0, source?.serverSecretPrefix.length), source?.serverSecretPrefix)
    await page.getByRole('button', { name: 'I have kept it' }).click()
    await page.locator('.secret').waitFor({ state: 'detached' })

    shop.paste(await page.getByRole('group', { name: 'Browser script code' }).textContent() ?? '')
    const visitor = await (await browser.newContext()).newPage()
    await visitor.goto(shop.origin)
    await page.getByText('Events arrive').waitFor()
    await page.getByText(`The newest: page from ${shop.origin}/`).waitFor()
    await page.getByRole('link', { name: 'Go to the source' }).click()
    await page.getByRole('heading', { name: 'Shop', exact: true }).waitFor()
    t.same(complaints, [])
    await visitor.context().close()
  })

t.test('a page whose origin is missing is shown while waiting, and is accepted after its domain is added', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store } = parts
  const call = await ownerCaller(parts)
  const { id, pipeline_key: key } = await call('POST', '/sources', { name: 'Shop', domains: ['shop.example.com'] })
  const live = page.waitForResponse((response) => response.url().includes('/events/live'))
  await page.goto(at(`sources/${id}`))
  await signIn()
  await live
  await page.getByText('Waiting for the first event').waitFor()
  t.equal(await sendEvent(parts, key, { event: 'Opened' }, 'https://blog.example.com'), 403)
  await page.getByText('was refused: the origin is not allowed').waitFor()
  await page.getByRole('button', { name: 'Add https://blog.example.com to the domains' }).click()
  await page.getByText('https://blog.example.com may send now.').waitFor()
  t.same((await store.sources.get('default', id))?.domains, ['shop.example.com', 'https://blog.example.com'])
  t.equal(await sendEvent(parts, key, { event: 'Opened' }, 'https://blog.example.com'), 200)
  await page.getByText('Events arrive').waitFor()
})

t.test('the main key is rotated with an overlap and then at once, and a named key is created, disabled and deleted',
  async (t) => {
    const parts = await openConsole(t)
    if (parts === null) return
    const { page, at, signIn, store, complaints } = parts
    const call = await ownerCaller(parts)
    const { id, pipeline_key: first } = await call('POST', '/sources', { name: 'Shop', domains: ['shop.example.com'] })
    const current = async () => (await store.sources.get('default', id))?.pipelineKey ?? ''
    const act = async (key: string, item: string) => {
      await page.getByRole('button', { name: `Actions of ${key}` }).click()
      await page.getByRole('menuitem', { name: item }).click()
    }
    const rotate = async (overlap: string) => {
      await act('Main key', 'Rotate…')
      await page.getByRole('dialog').getByLabel('The old pipeline key also works').selectOption(overlap)
      await page.getByRole('button', { name: 'Rotate the pipeline key' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await page.goto(at(`sources/${id}?tab=keys`))
    await signIn()
    await rotate('86400')
    await page.getByText(/works for 23 h 59 min/).waitFor()
    const second = await current()
    await page.getByRole('cell', { name: second }).waitFor()
    t.not(second, first)
    t.same([await sendEvent(parts, first, { event: 'A' }), await sendEvent(parts, second, { event: 'A' })], [200, 200])
    await rotate('0')
    await page.getByText(/works for 23 h/).waitFor({ state: 'detached' })
    const third = await current()
    t.same([await sendEvent(parts, second, { event: 'A' }), await sendEvent(parts, third, { event: 'A' })], [401, 200])
    t.equal(await sendEvent(parts, first, { event: 'A' }), 401, 'the oldest key ends too')

    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByLabel('Name').fill('Blog')
    await page.getByLabel('Own domains').check()
    await page.getByLabel('Domains', { exact: true }).fill('blog.example.com')
    await page.getByRole('button', { name: 'Create the key' }).click()
    await page.getByRole('cell', { name: /^Blog/ }).waitFor()
    const named = (await store.sourceKeys.list('default', id))?.find(({ name }) => name === 'Blog')
    t.match(named, { domains: ['blog.example.com'], expiresAt: null })
    const send = async () => await sendEvent(parts, named?.pipelineKey ?? '', { event: 'B' }, 'https://blog.example.com')
    t.equal(await send(), 200)
    await act('Blog', 'Disable…')
    await page.getByRole('button', { name: 'Disable the key' }).click()
    await page.getByRole('cell', { name: /^Blog.*Disabled/ }).waitFor()
    t.equal(await send(), 401)
    await act('Blog', 'Delete…')
    await page.getByRole('button', { name: 'Delete the key' }).click()
    await page.getByText('No named key yet').waitFor()
    t.equal((await store.sourceKeys.list('default', id))?.length, 1)
    t.same(complaints, [])
  })

t.test('a webhook is created with a secret that is shown once, its mapping is tried and saved, and it is deleted',
  async (t) => {
    const parts = await openConsole(t)
    if (parts === null) return
    const { page, at, signIn, store, app, complaints } = parts
    const call = await ownerCaller(parts)
    const { id } = await call('POST', '/sources', { name: 'Shop' })
    await page.goto(at(`sources/${id}?tab=webhooks`))
    await signIn()
    await page.getByRole('button', { name: 'New webhook' }).click()
    await page.getByLabel('Service').selectOption('github')
    await page.getByRole('button', { name: 'Create the webhook' }).click()
    await page.getByRole('heading', { name: 'GitHub' }).waitFor()
    t.match(await page.locator('.secret pre').textContent(), /^[\w-]{43}$/)
    await page.getByRole('button', { name: 'I have kept it' }).click()

    await page.getByRole('button', { name: 'Test', exact: true }).click()
    await page.getByText('The delivery becomes one event.').waitFor()
    t.match(JSON.parse(await page.getByRole('group', { name: 'The events' }).textContent() ?? ''), {
      event: 'push', userId: '583231'
    })
    await page.getByLabel('Mapping').fill('{"event": "$["}')
    await page.getByRole('button', { name: 'Test and save the mapping' }).click()
    await page.locator('textarea[name=mapping][aria-invalid=true]').waitFor()
    await page.getByLabel('Mapping').fill('{"event": "$.nothing"}')
    await page.getByRole('button', { name: 'Test and save the mapping' }).click()
    await page.getByText('The mapping is not saved').waitFor()
    const unsaved = (await store.webhooks.list('default', id, { limit: 1 }))?.data[0]
    t.notSame(unsaved?.mapping, { event: '$.nothing' })
    await page.getByLabel('Mapping').fill('{"event": "Pushed to {$.ref}"}')
    await page.getByRole('button', { name: 'Test and save the mapping' }).click()
    await page.getByText('The mapping is saved.').waitFor()
    const [webhook] = (await store.webhooks.list('default', id, { limit: 1 }))?.data ?? []
    t.same(webhook?.mapping, { event: 'Pushed to {$.ref}' })
    const { data } = await call('GET', `/events?source_id=${id}`)
    t.same(data, [], 'a test stores nothing')

    await page.getByRole('button', { name: 'Actions of GitHub' }).click()
    await page.getByRole('menuitem', { name: 'Delete…' }).click()
    await page.getByRole('button', { name: 'Delete the webhook' }).click()
    await page.getByText('No webhook yet').waitFor()
    const reply = await app.inject({ method: 'POST', url: `/v1/webhook?source=${webhook?.id}`, payload: {} })
    t.equal(reply.statusCode, 401)
    t.same(complaints, [])
  })

t.test('quotas and settings are saved, and an editor is offered only what the role may change', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, complaints } = parts
  const call = await ownerCaller(parts)
  const { id, pipeline_key: key } = await call('POST', '/sources', { name: 'Shop' })
  await page.goto(at(`sources/${id}?tab=settings`))
  await signIn()
  await page.getByLabel('Events a day').fill('2')
  await save(page, 'Limits')
  await page.getByText('The settings are saved.').waitFor()
  t.match(await store.sources.get('default', id), { dailyQuota: 2, monthlyQuota: null })
  for (let sent = 0; sent < 2; sent++) t.equal(await sendEvent(parts, key, { event: 'A' }), 200)
  await page.reload()
  await page.getByText('Used up', { exact: true }).waitFor()
  await page.getByLabel('Keep refused events').check()
  await save(page, 'Acceptance')
  await page.getByText('The settings are saved.').waitFor()
  t.match(await store.sources.get('default', id), { keepRefused: true, bots: 'tag', dailyQuota: 2 })

  const owner = await store.users.findByEmail(parts.first.email)
  await store.users.create({
    orgId: 'default', email: 'ed@example.com', passwordHash: owner?.passwordHash ?? '', role: 'editor'
  })
  const context = await parts.browser.newContext()
  const editor = await context.newPage()
  await editor.goto(at(`sources/${id}?tab=settings`))
  await signIn('ed@example.com', undefined, editor)
  await editor.getByLabel('Events a second').fill('50')
  t.equal(await editor.getByLabel('Events a day').count(), 0)
  t.equal(await editor.getByRole('button', { name: 'Delete…' }).count(), 0)
  await save(editor, 'Limits')
  await editor.getByText('The settings are saved.').waitFor()
  t.match(await store.sources.get('default', id), { rateLimit: 50, dailyQuota: 2 })
  await editor.getByRole('link', { name: 'Keys' }).click()
  await editor.getByRole('cell', { name: key }).waitFor()
  t.equal(await editor.getByRole('button', { name: /^Actions of/ }).count(), 0)
  t.same(complaints, [])
  await context.close()
})
