// Tasks of a person who knows what they want and not where it is: each starts at the overview and follows names that
// are on the screen.
import t from 'tap'

import { seedSource } from '../../helpers/console-events.js'
import { ownerCaller, sendEvent } from '../../helpers/console-sources.js'
import { openConsole } from '../../helpers/console.js'
import type { Console } from '../../helpers/console.js'

/** A console at its overview, after the sign-in. */
async function overview (t: Parameters<typeof openConsole>[0], seed?: (parts: Console) => Promise<unknown>) {
  const parts = await openConsole(t)
  if (parts === null) return null
  const seeded = await seed?.(parts)
  const { page, at, signIn } = parts
  await page.goto(at(''))
  await signIn()
  await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor()
  const open = async (name: string) => {
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click()
    await page.getByRole('heading', { name, exact: true }).waitFor()
  }
  return { ...parts, open, seeded }
}

t.test('"let shop.example.com send events": a domain is added to a source', async (t) => {
  const parts = await overview(t, async (parts) => await (await ownerCaller(parts))('POST', '/sources', { name: 'Shop' }))
  if (parts === null) return
  const { page, open } = parts
  const { pipeline_key: key } = parts.seeded as { pipeline_key: string }
  t.equal(await sendEvent(parts, key, { event: 'x' }, 'https://shop.example.com'), 403)
  await open('Sources')
  await page.getByRole('link', { name: 'Shop', exact: true }).click()
  await page.getByRole('link', { name: 'Domains', exact: true }).click()
  await page.getByLabel('Domains', { exact: true }).fill('shop.example.com')
  await page.getByRole('button', { name: 'Save' }).first().click()
  await page.getByText(/saved/i).first().waitFor()
  t.equal(await sendEvent(parts, key, { event: 'x' }, 'https://shop.example.com'), 200)
})

t.test('"why does nothing arrive from blog.example.com?": the overview leads to the cause and its remedy', async (t) => {
  const parts = await overview(t, async (parts) => {
    const source = await seedSource(parts)
    await source.send({ type: 'track', event: 'Read', userId: 'ann' }, 'https://blog.example.com')
    return source
  })
  if (parts === null) return
  const { page } = parts
  const source = parts.seeded as Awaited<ReturnType<typeof seedSource>>
  await page.getByText('ORIGIN_NOT_ALLOWED').first().waitFor()
  await page.getByRole('link', { name: /refused events/i }).last().click()
  await page.getByRole('link', { name: 'Origin not allowed' }).first().click()
  await page.getByRole('button', { name: 'Allow blog.example.com for this source' }).click()
  await page.getByRole('button', { name: 'Allow the domain' }).click()
  await page.getByText(/may send events now\. Replay/).waitFor()
  const reply = await source.send({ type: 'track', event: 'Read', userId: 'ann' }, 'https://blog.example.com')
  t.equal(reply.statusCode, 200)
})

t.test('"lock this user out now": the list of embeds has the button', async (t) => {
  const parts = await overview(t)
  if (parts === null) return
  const { app, page, open } = parts
  const { cookies: [cookie] } = await app.inject({ method: 'POST', url: '/demo/session', payload: { user: 'ann@example.com' } })
  const headers = { cookie: `${cookie?.name}=${cookie?.value}` }
  const embed = async () => (await app.inject({ url: '/api/generate-token', headers })).statusCode
  t.equal(await embed(), 200)
  await open('Embeds')
  await page.getByRole('button', { name: 'Lock out a user…' }).click()
  await page.getByRole('textbox', { name: 'User', exact: true }).fill('ann@example.com')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: 'Revoke the user now' }).click()
  await page.getByText('Blocked', { exact: true }).waitFor()
  t.equal(await embed(), 403)
})

t.test('"this key leaked, replace it without losing events": both keys work, and then the new one', async (t) => {
  const parts = await overview(t, async (parts) => await (await ownerCaller(parts))('POST', '/sources', { name: 'Shop' }))
  if (parts === null) return
  const { page, open, store } = parts
  const { id, pipeline_key: leaked } = parts.seeded as { id: string, pipeline_key: string }
  await open('Sources')
  await page.getByRole('link', { name: 'Shop', exact: true }).click()
  await page.getByRole('link', { name: 'Keys', exact: true }).click()
  await page.getByRole('button', { name: /Main key/ }).click()
  await page.getByRole('menuitem', { name: 'Rotate…' }).click()
  await page.getByRole('button', { name: 'Rotate the pipeline key' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByText(/old key|previous key/i).first().waitFor()
  const now = (await store.sources.get('default', id))?.pipelineKey ?? ''
  t.not(now, leaked)
  t.equal(await sendEvent(parts, leaked, { event: 'x' }), 200, 'the leaked key, until the pages have the new one')
  t.equal(await sendEvent(parts, now, { event: 'x' }), 200)
})

t.test('"which embeds did ann@example.com open?": the list is filtered by the user', async (t) => {
  const parts = await overview(t)
  if (parts === null) return
  const { app, page, open } = parts
  for (const user of ['ann@example.com', 'viewer@example.com']) {
    const { cookies: [cookie] } = await app.inject({ method: 'POST', url: '/demo/session', payload: { user } })
    await app.inject({ url: '/api/generate-token', headers: { cookie: `${cookie?.name}=${cookie?.value}` } })
  }
  await open('Embeds')
  await page.getByRole('link', { name: 'viewer@example.com' }).waitFor()
  await page.getByLabel('User id').fill('ann@example.com')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByRole('link', { name: 'viewer@example.com' }).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'ann@example.com' }).waitFor()
})
