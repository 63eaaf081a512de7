import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'

const TURN = 'new Promise((resolve) => setTimeout(resolve))'
const browser = await openBrowser(t, { backForwardCache: true })
if (browser === null) process.exit(0)

t.test('each change of the path within the page is a page view with the previous URL as referrer', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/a')
  await shop.run("history.pushState(null, '', '/b?q=1'), document.title = 'B'")
  await shop.run(TURN)
  await shop.run("history.replaceState({ scroll: 5 }, '', '/b?q=1')")
  await shop.run("history.pushState(null, '', '/b?q=2')")
  await shop.run("location.hash = 'part'")
  await shop.run(TURN)
  await shop.run("history.pushState(null, '', '/c')")
  await shop.page.goBack()
  await shop.run(TURN)
  await shop.run("location.hash = 'other'")
  const views = await shop.stored(4)
  t.match(views.map(({ context: { page } }) => page), [
    { path: '/a', referrer: '' },
    { path: '/b', search: '?q=1', title: 'B', referrer: `${shop.origin}/a` },
    { path: '/c', search: '', referrer: `${shop.origin}/b?q=2` },
    { path: '/b', search: '?q=2', referrer: `${shop.origin}/c` }
  ])
})

t.test('a query that is typed into the URL is no page view, by either call and during the wait for ' +
  'the title', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/search')
  await shop.run(`new Promise((resolve) => {
    let q = ''
    const timer = setInterval(() => {
      q += 'a'
      history[q.length % 3 === 0 ? 'pushState' : 'replaceState']({}, '', '?q=' + q)
      if (q.length === 12) resolve(clearInterval(timer))
    }, 80)
  })`)
  await shop.run("history.pushState({}, '', '/result')")
  t.match((await shop.stored(2)).map(({ context: { page } }) => page), [
    { path: '/search', search: '', title: '/search' },
    { path: '/result', referrer: `${shop.origin}/search?q=${'a'.repeat(12)}` }
  ])
})

t.test('with data-page-views="url" a change of the query is a page view too', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: 'data-page-views="url"' })
  await shop.open('/a')
  await shop.run("history.pushState(null, '', '/b?q=1'), document.title = 'B'")
  await shop.run(TURN)
  await shop.run("history.replaceState({ scroll: 5 }, '', '/b?q=1')")
  await shop.run("history.replaceState(null, '', '/b?q=2')")
  await shop.run("location.hash = 'part'")
  await shop.page.goBack()
  await shop.page.goBack()
  const views = await shop.stored(4)
  t.match(views.map(({ context: { page } }) => page), [
    { path: '/a', referrer: '' },
    { path: '/b', search: '?q=1', title: 'B', referrer: `${shop.origin}/a` },
    { path: '/b', search: '?q=2', referrer: `${shop.origin}/b?q=1` },
    { path: '/a', referrer: `${shop.origin}/b?q=2` }
  ])
})

t.test('a router that redirects causes one page view', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/a')
  await shop.run("history.pushState(null, '', '/login'), history.replaceState(null, '', '/home')")
  t.same(await shop.names(2), ['page /a', 'page /home'])
})

t.test('with data-hash a change of the fragment is a page view', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: 'data-hash="true"' })
  await shop.open('/a#one')
  await shop.run("location.hash = 'two'")
  await shop.run(TURN)
  await shop.run("history.pushState(null, '', '#three')")
  t.same(
    (await shop.stored(3)).map(({ context: { page } }) => page?.['url']),
    ['one', 'two', 'three'].map((hash) => `${shop.origin}/a#${hash}`)
  )
})

t.test('in a fragment router a new path is a page view, and with data-page-views="url" also a new query', async (t) => {
  for (
    const [attribute, paths] of [['', ['#/list', '#/item']], ['data-page-views="url"', ['#/list', '#/list?q=a',
      '#/item']]] as const
  ) {
    const shop = await collectorShop(t, browser, { attributes: `data-hash="true" ${attribute}` })
    await shop.open('/a#/list')
    await shop.run("location.hash = '/list?q=a'")
    await shop.run(TURN)
    await shop.run("location.hash = '/item'")
    t.same(
      (await shop.stored(paths.length)).map(({ context: { page } }) => page?.['url']),
      paths.map((path) => `${shop.origin}/a${path}`)
    )
  }
})

t.test('with data-auto-page="false" only calls of page() are page views', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: 'data-auto-page="false"' })
  await shop.open('/a')
  await shop.run("history.pushState(null, '', '/b')")
  await shop.run("_df.page('Mine')")
  t.same(await shop.names(1), ['page Mine'])
})

t.test('scripts that wrap the history before and after the collector are called, and the collector reports the page ' +
  'view', async (t) => {
  const wrap = (name: string) =>
    `<script>{
    const original = history.pushState
    window.${name} = []
    history.pushState = function (...parameters) { ${name}.push(parameters[2]); return original.apply(this, parameters) }
  }</script>`
  const shop = await collectorShop(t, browser, {
    tags: (origin, key) =>
      `${wrap('before')}<script src="${origin}/d.js" data-pipeline-key="${key}"></script>${wrap('after')}`
  })
  await shop.open('/a')
  await shop.run("history.pushState({ n: 1 }, '', '/b')")
  t.same(await shop.names(2), ['page /a', 'page /b'])
  t.same(await shop.run('[before, after, history.state]'), [['/b'], ['/b'], { n: 1 }])
  await t.rejects(
    shop.run("history.pushState(null, '', 'https://other.test/')"),
    /SecurityError/,
    "the error is the browser's"
  )
})

t.test("a page that comes back from the browser's cache is a new page view and continues to send events", async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/a')
  await shop.run('window.kept = true')
  await shop.open('/b')
  await shop.names(2)
  await shop.page.goBack({ waitUntil: 'commit' })
  t.equal(await shop.run('window.kept'), true, 'the page is the previous page')
  await shop.run("_df.track('Again')")
  t.same(await shop.names(4), ['page /a', 'page /b', 'page /a', 'track Again'])
  t.same(shop.complaints, [])
})

t.test('a script before the title waits for it, and a script that loads late reports the page view', async (t) => {
  const shop = await collectorShop(t, browser, {
    titleLast: true,
    tags: (origin, key) => `<script src="${origin}/d.js" data-pipeline-key="${key}"></script>`
  })
  await shop.open('/early')
  t.match(await shop.stored(1), [{ context: { page: { title: '/early' } } }])
  await shop.open('/plain')
  await shop.run(`{
    const script = document.createElement('script')
    script.src = '${shop.server.origin}/d.js'
    script.dataset.pipelineKey = '${shop.server.key}'
    document.head.append(script)
  }`)
  t.same(await shop.names(2), ['page /early', 'page /plain'])
})
