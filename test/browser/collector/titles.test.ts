import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'
import type { Shop } from '../../helpers/collector-shop.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

const wait = (milliseconds: number) => `new Promise((resolve) => setTimeout(resolve, ${milliseconds}))`

async function titles (shop: Shop, count: number): Promise<unknown[]> {
  return (await shop.stored(count)).map(({ context: { page } }) => [page?.['path'], page?.['title']])
}

for (
  const [when, script] of [
    ['before the URL', "document.title = 'Second', history.pushState({}, '', '/second')"],
    ['in the same turn', "history.pushState({}, '', '/second'), document.title = 'Second'"],
    ['in the next frame',
      "history.pushState({}, '', '/second'), requestAnimationFrame(() => { document.title = 'Second' })"],
    ['60 ms later', "history.pushState({}, '', '/second'), setTimeout(() => { document.title = 'Second' }, 60)"],
    ['twice, the second time after 200 ms',
      "history.pushState({}, '', '/second'), document.title = 'Loading', setTimeout(() => { document.title = " +
        "'Second' }, 200)"]
  ] as const
) {
  t.test(`a page view has the title that is set ${when}`, async (t) => {
    const shop = await collectorShop(t, browser)
    await shop.open('/first')
    await titles(shop, 1)
    await shop.run(script)
    t.same(await titles(shop, 2), [['/first', '/first'], ['/second', 'Second']])
  })
}

t.test('a page view has the title that is set after the visitor went back', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/first')
  await shop.run("history.pushState({}, '', '/second'), document.title = 'Second'")
  await titles(shop, 2)
  await shop.run(
    "addEventListener('popstate', () => setTimeout(() => { document.title = 'First again' }, 60)), history.back()"
  )
  t.same((await titles(shop, 3))[2], ['/first', 'First again'])
})

t.test('the first page view waits for a title that a script sets', async (t) => {
  const shop = await collectorShop(t, browser, {
    head: "<script>addEventListener('load', () => setTimeout(() => { document.title = 'Rendered' }, 60))</script>"
  })
  await shop.open('/first')
  t.same(await titles(shop, 1), [['/first', 'Rendered']])
})

t.test('a page that is left before its title is known is reported with the visible title, in order ' +
  'with other events', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/first')
  await shop.run("_df.track('On first'), history.pushState({}, '', '/second')")
  await shop.run(wait(50))
  await shop.run(
    "document.title = 'Second', _df.track('On second'), history.pushState({}, '', '/third'), document.title = 'Third'"
  )
  await shop.run(wait(50))
  await shop.leave("_df.track('On third')")
  t.same(await shop.names(6), ['page /first', 'track On first', 'page /second', 'track On second', 'page /third',
    'track On third'])
  t.same((await titles(shop, 6)).filter((_, index) => index % 2 === 0), [['/first', '/first'], ['/second', 'Second'], [
    '/third',
    'Third'
  ]])
})

t.test('a page view has the time of the navigation, and does not overtake or delay events before it', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/first')
  await shop.run("for (let n = 0; n < 10; n++) _df.track('Before')")
  await shop.names(11)
  const before = await shop.run('Date.now()') as number
  await shop.run("history.pushState({}, '', '/second')")
  await shop.run(wait(0))
  const after = await shop.run('Date.now()') as number
  await shop.run("for (let n = 0; n < 10; n++) _df.track('After')")
  const view = (await shop.stored(22))[11]
  t.equal(view?.context['page']?.['path'], '/second')
  const time = Date.parse(String(view?.['timestamp']))
  t.ok(before <= time && time <= after, `${before} ${time} ${after}`)
})

t.test('a page that is hidden or not rendered reports its page views', async (t) => {
  const shop = await collectorShop(t, browser, { head: '<script>window.requestAnimationFrame = () => 0</script>' })
  await shop.open('/first')
  await shop.run("history.pushState({}, '', '/second'), setTimeout(() => { document.title = 'Second' }, 60)")
  t.same(await titles(shop, 2), [['/first', '/first'], ['/second', 'Second']])
  await shop.run(
    "Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' }), history.pushState({}, '', " +
      "'/third'), document.title = 'Third'"
  )
  await shop.run("document.dispatchEvent(new Event('visibilitychange'))")
  t.same((await titles(shop, 3))[2], ['/third', 'Third'])
})
