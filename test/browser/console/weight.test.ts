import t from 'tap'

import { openConsole } from '../../helpers/console.js'

t.test('the first screen is less than 150 KB compressed, and so is the first page after the sign-in', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn } = parts
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.enable')
  let bytes = 0
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength })
  await page.goto(at('sources'))
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  t.comment(`the sign-in: ${bytes} bytes`)
  t.ok(bytes > 5_000 && bytes < 150_000, `the sign-in has ${bytes} bytes`)
  await signIn()
  await page.getByRole('link', { name: 'Demo' }).waitFor()
  t.comment(`with the list of sources: ${bytes} bytes`)
  t.ok(bytes < 150_000, `with the list of sources it is ${bytes} bytes`)
  await page.getByRole('link', { name: 'Overview' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  t.comment(`with the overview and its charts too: ${bytes} bytes`)
  t.ok(bytes < 150_000, `with the overview and its charts too it is ${bytes} bytes`)
})
