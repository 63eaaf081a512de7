import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'
import { makeSource } from '../../helpers/source.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

const SECOND = 'dk_live_second-source'
const attributes = (key: string, global: string) => `data-pipeline-key="${key}" data-global="${global}"`

for (
  const [what, tags] of [
    ['scripts', (origin: string, key: string) =>
      `<script src="${origin}/d.js" ${attributes(key, 'one')}></script><script async src="${origin}/d.js" ${
        attributes(SECOND, 'two')
      }></script>`],
    // A browser runs a module once, even if several tags have its URL.
    ['modules with one URL', (origin: string, key: string) =>
      `<script type="module" src="${origin}/d.js" ${attributes(key, 'one')}></script>
    <script type="module" src="${origin}/d.js" ${attributes(SECOND, 'two')}></script>`],
    ['modules with different URLs', (origin: string, key: string) =>
      `<script type="module" src="${origin}/d.js?key=${key}&global=one"></script>
    <script type="module" src="${origin}/d.js?key=${SECOND}&global=two"></script>`],
    ['a module and a script', (origin: string, key: string) =>
      `<script type="module" src="${origin}/d.js" ${attributes(key, 'one')}></script>
    <script src="${origin}/d.js" ${attributes(SECOND, 'two')}></script>`],
    ['scripts with their keys from lists of calls', (origin: string, key: string) =>
      `<script>one = [['init', '${key}']]; two = [['init', '${SECOND}']]</script>
    <script async src="${origin}/d.js?global=one"></script><script async src="${origin}/d.js?global=two"></script>`]
  ] as const
) {
  t.test(`two collectors on a page (${what}) send to separate sources`, async (t) => {
    const shop = await collectorShop(t, browser, { tags })
    const second = await makeSource(shop.server.store, { pipelineKey: SECOND, domains: [shop.origin] })
    await shop.open('/a')
    await shop.page.waitForFunction("typeof one?.track === 'function' && typeof two?.track === 'function'")
    await shop.run("one.track('One'), two.track('Two')")
    const events = await shop.stored(4)
    const of = (id: string) => events.filter(({ sourceId }) => sourceId === id).map(({ type, event }) => event ?? type)
    t.same(of(shop.server.source.id), ['page', 'One'])
    t.same(of(second.source.id), ['page', 'Two'])
    t.equal(new Set(events.map(({ anonymousId }) => anonymousId)).size, 2)
    t.same(shop.complaints, [])
  })
}

for (
  const [what, head] of [
    ['an image', '<img name="currentScript" alt=""><img name="title" alt=""><img name="referrer" alt="">'],
    ['a form', '<form name="currentScript" data-pipeline-key="dk_live_of-the-form"></form><form name="title"></form>'],
    ['two elements', '<img name="currentScript" alt=""><img name="currentScript" alt="">']
  ] as const
) {
  t.test(`${what} that is named like a property of the document does not affect the collector`, async (t) => {
    const shop = await collectorShop(t, browser, {
      head,
      tags: (origin, key) =>
        `<script src="${origin}/d.js" ${attributes(key, '_df')}></script><script async src="${origin}/d.js" ${
          attributes(SECOND, 'two')
        }></script>`
    })
    const second = await makeSource(shop.server.store, { pipelineKey: SECOND, domains: [shop.origin] })
    await shop.open('/a')
    const events = await shop.stored(2)
    t.same(new Set(events.map(({ sourceId }) => sourceId)), new Set([shop.server.source.id, second.source.id]))
    for (const { context } of events) t.match(context['page'], { title: '/a', referrer: '' })
  })
}

t.test("a script loader that sets document.currentScript itself determines the script's tag", async (t) => {
  const shop = await collectorShop(t, browser, {
    tags: (origin, key) =>
      `<script type="text/later" src="${origin}/d.js" ${attributes(key, '_df')}></script><script>{
      const real = document.querySelector('script[type="text/later"]')
      Object.defineProperty(document, 'currentScript', { get: () => real })
      document.head.append(Object.assign(document.createElement('script'), { src: real.src }))
    }</script>`
  })
  await shop.open('/a')
  t.same(await shop.names(1), ['page /a'])
})
