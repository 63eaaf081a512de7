import t from 'tap'

import { pagePaths } from '../../helpers/console-pages.js'
import { seedSources } from '../../helpers/console-sources.js'
import { openConsole, overflow } from '../../helpers/console.js'
import { until } from '../../helpers/until.js'

t.test('no page scrolls sideways in a window of 1280 x 800 pixels that is zoomed to 200 %', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { browser, at, signIn } = parts
  await seedSources(parts)
  // A zoom of 200 % halves the width of the page in CSS pixels.
  const context = await browser.newContext({
    viewport: { width: 640, height: 400 }, deviceScaleFactor: 2, reducedMotion: 'reduce'
  })
  const page = await context.newPage()
  await page.goto(at('profile'))
  await signIn(undefined, undefined, page)
  await page.getByRole('heading', { name: 'Profile', exact: true }).waitFor()
  const paths = await pagePaths()
  t.ok(paths.length > 10, 'the pages are found')
  for (const path of paths) {
    await page.goto(at(path))
    await page.locator('main h1').waitFor()
    await until('nothing is loading', async () => await page.getByText('Loading').count() === 0)
    t.equal(await overflow(page), 0, `/${path}`)
  }
  await context.close()
})
