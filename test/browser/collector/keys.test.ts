import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'
import type { ShopOptions } from '../../helpers/collector-shop.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

/** Adds a script with only a URL, as a tag manager does. */
const injected = (url: string) =>
  `<script>{
  const tag = document.createElement('script')
  tag.async = true
  tag.src = '${url}'
  document.head.append(tag)
}</script>`
const init = (key: string, global = '_df') =>
  `<script>window.${global} = window.${global} || []; ${global}.push(['init', '${key}'])</script>`

const tags: Record<string, NonNullable<ShopOptions['tags']>> = {
  'the URL of an injected script': (origin, key) => injected(`${origin}/d.js?key=${key}`),
  'the URL of a script': (origin, key) => `<script async src="${origin}/d.js?v=2&key=${key}"></script>`,
  'the URL of a module': (origin, key) => `<script type="module" src="${origin}/d.js?key=${key}"></script>`,
  'the URL of a module that another module imports': (origin, key) =>
    `<script type="module">import '${origin}/d.js?key=${key}'</script>`,
  'init before the script': (origin, key) => init(key) + injected(`${origin}/d.js`),
  'init in a tag after the script': (origin, key) => `<script src="${origin}/d.js"></script>${init(key)}`,
  'init as a call': (origin, key) => `<script src="${origin}/d.js"></script><script>_df.init('${key}')</script>`,
  'all three places at once': (origin, key) =>
    `${init(key)}<script src="${origin}/d.js?key=${key}" data-pipeline-key="${key}"></script>${init(key)}`,
  'the URL, with an empty attribute': (origin, key) =>
    `<script src="${origin}/d.js?key=${key}" data-pipeline-key=""></script>`
}

for (const [where, make] of Object.entries(tags)) {
  t.test(`the key is found in ${where}`, async (t) => {
    const shop = await collectorShop(t, browser, {
      tags: make,
      head: "<script>window._df = [['identify', 'ann'], ['track', 'Early']]</script>"
    })
    await shop.open('/a')
    await shop.page.waitForFunction('!Array.isArray(_df)')
    await shop.run("_df.track('Late')")
    t.same(await shop.names(4), ['identify /a', 'track Early', 'page /a', 'track Late'])
    t.same(new Set((await shop.stored(4)).map(({ userId }) => userId)), new Set(['ann']))
    t.match((await shop.answered(1))[0], ' /v1/batch ', 'the events are sent to the origin of the script')
    t.same(shop.complaints.filter((text) => !text.includes('data-pipeline-key is missing')), [])
  })
}

t.test('calls before the key wait in memory, and the console names the missing key', async (t) => {
  const shop = await collectorShop(t, browser, { tags: (origin) => `<script src="${origin}/d.js"></script>` })
  await shop.open('/a')
  await shop.run("_df.identify('ann'), _df.push(['track', 'Early'], ['track', 'Second'])")
  t.match(shop.complaints, [/data-pipeline-key is missing.*_df\.push\(\['init', key\]\)/])
  t.equal(await shop.run('localStorage.length'), 0)
  await shop.run("_df.init(), _df.init('dk_live_x'), _df.init(null), _df.push(['init'])")
  t.same(shop.batches, [])
  await shop.run(`_df.push(['track', 'Third'], ['init', '${shop.server.key}'], ['track', 'Fourth'])`)
  t.same(await shop.names(6), ['identify /a', 'track Early', 'track Second', 'track Third', 'track Fourth', 'page /a'])
  t.equal(shop.complaints.length, 2)
  t.match(shop.complaints[1], /init\(\) requires a pipeline key/)
})

t.test('of different keys the attribute takes precedence, then the URL, then init; the console names the ignored keys', async (t) => {
  const other = 'dk_live_another'
  for (
    const [make, complaint] of [
      [
        (origin: string, key: string) =>
          `<script src="${origin}/d.js?key=${other}" data-pipeline-key="${key}"></script>`,
        /different key in the script's URL is ignored/
      ],
      [(origin: string, key: string) => `${init(other)}<script src="${origin}/d.js?key=${key}"></script>`,
        /init\(\) with another pipeline key is ignored/],
      [
        (origin: string, key: string) =>
          `<script src="${origin}/d.js" data-pipeline-key="${key}"></script>${init(other)}`,
        /init\(\) with another pipeline key is ignored/
      ]
    ] as const
  ) {
    const shop = await collectorShop(t, browser, { tags: make })
    await shop.open('/a')
    t.same(await shop.names(1), ['page /a'])
    t.match(shop.complaints, [complaint])
    t.equal(shop.complaints.length, 1)
  }
})

t.test('each setting can be in the URL, by its name without data-, and the attribute takes precedence', async (t) => {
  const shop = await collectorShop(t, browser, {
    tags: (origin, key) =>
      `<script src="${origin}/d.js?key=${key}&global=shop&page-views=url&hash=true&identity=cookie&auto-page=false" data-auto-page="true"></script>`
  })
  await shop.open('/a#x')
  await shop.run("shop.track('e'), history.replaceState({}, '', '?q=1#x')")
  t.same(await shop.names(3), ['page /a', 'track e', 'page /a'])
  t.match((await shop.context.cookies(shop.server.origin)).map(({ name }) => name), ['_dfid'])
  t.equal((await shop.stored(3))[2]?.context['page']?.['url'], `${shop.origin}/a?q=1#x`)

  const gpc = await collectorShop(t, browser, {
    head: '<script>Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true })</script>',
    tags: (origin, key) => injected(`${origin}/d.js?key=${key}&gpc=respect`)
  })
  await gpc.open('/a')
  await gpc.page.waitForFunction("typeof _df === 'object'")
  await gpc.run("_df.track('e')")
  await gpc.open('/plain')
  t.same(await gpc.names(0), [])
})

t.test('with a misspelt setting no event is sent and the console shows a warning', async (t) => {
  for (
    const [attribute, complaint] of [['data-page-views="none"', /data-page-views/], ['data-global="a-b"',
      /data-global/]] as const
  ) {
    const shop = await collectorShop(t, browser, { attributes: attribute })
    await shop.open('/a')
    await shop.page.waitForFunction("typeof _df === 'object'")
    await shop.open('/plain')
    t.match(shop.complaints, [complaint])
    t.same(await shop.names(0), [])
  }
})

t.test('a key from another system works like a generated key', async (t) => {
  for (const key of ['dk_live_abc123', 'dk_test_a-b_C9', `dk_live_${'x'.repeat(128)}`]) {
    const shop = await collectorShop(t, browser, {
      gateway: { source: { pipelineKey: key, environment: key.includes('live') ? 'live' : 'test' } }
    })
    await shop.open('/a')
    await shop.names(1)
    await shop.leave("_df.track('Clicked')")
    t.same(await shop.names(2), ['page /a', 'track Clicked'])
  }
  for (
    const key of ['dk_live_abc12', `dk_live_${'x'.repeat(129)}`, 'dk_prod_abc123', 'dk_live_abc 123', 'dk_live_abc.123',
      'DK_LIVE_abc123']
  ) {
    const shop = await collectorShop(t, browser, {
      tags: (origin) => `<script src="${origin}/d.js" data-pipeline-key="${key}"></script>`
    })
    await shop.open('/a')
    t.match(shop.complaints, [/is not a pipeline key: no events are sent/], key)
  }
})

t.test('the script in a page with a strict content security policy takes its key from the URL', async (t) => {
  const shop = await collectorShop(t, browser, {
    headers: (origin) => ({
      'content-security-policy':
        `default-src 'none'; img-src data:; script-src ${origin}; connect-src ${origin}; require-trusted-types-for 'script'; trusted-types 'none'`
    }),
    tags: (origin, key) => `<script type="module" src="${origin}/d.js?key=${key}"></script>`
  })
  await shop.open('/a')
  t.same(await shop.names(1), ['page /a'])
  await shop.open('/plain')
  t.same(shop.complaints, [])
})
