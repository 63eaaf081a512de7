import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'
import { until } from '../../helpers/until.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

const quoted = (html: string) => html.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
const script = (origin: string, key: string) =>
  `<script async src="${origin}/d.js" data-pipeline-key="${key}"></script>`
const calls = "<script>window._df = [['identify', 'ann'], ['track', 'In the frame']]</script>"

const shown = (origin: string, key: string) =>
  `<iframe sandbox="allow-scripts allow-forms" srcdoc="${quoted(calls + script(origin, key))}"></iframe>`

const frames: Record<string, (origin: string, key: string) => string> = {
  'with srcdoc': shown,
  'with srcdoc, not shown': (origin, key) =>
    `<iframe style="display: none" sandbox="allow-scripts" srcdoc="${quoted(calls + script(origin, key))}"></iframe>`,
  'with srcdoc and a module': (origin, key) =>
    `<iframe sandbox="allow-scripts" srcdoc="${
      quoted(`${calls}<script type="module" src="${origin}/d.js?key=${key}"></script>`)
    }"></iframe>`,
  'of a URL': (origin, key) =>
    `<iframe sandbox="allow-scripts" src="data:text/html,${encodeURIComponent(calls + script(origin, key))}"></iframe>`
}

for (const [which, tags] of Object.entries(frames)) {
  t.test(`the events of a sandboxed frame ${which} are stored if the source allows the origin null`, async (t) => {
    const shop = await collectorShop(t, browser, { tags, gateway: { source: { allowNullOrigin: true } } })
    await shop.open('/a?q=1')
    const events = await shop.stored(3)
    t.same(events.map(({ type, event }) => event ?? type), ['identify', 'In the frame', 'page'])
    t.equal(new Set(events.map(({ anonymousId }) => anonymousId)).size, 1)
    t.same(new Set(events.map(({ userId }) => userId)), new Set(['ann']))
    if (which !== 'of a URL') {
      t.match(
        events[2]?.context['page'],
        { url: `${shop.origin}/a?q=1`, path: '/a', search: '?q=1' },
        'the page that contains the frame'
      )
    }
    t.same(shop.complaints, [])
  })
}

t.test('events of a sandboxed frame are sent when its page is left', async (t) => {
  const shop = await collectorShop(t, browser, { tags: shown, gateway: { source: { allowNullOrigin: true } } })
  await shop.open('/a')
  await shop.stored(3)
  const [, frame] = shop.page.frames()
  await frame?.evaluate("_df.track('Last')")
  await shop.open('/plain')
  t.equal((await shop.stored(4))[3]?.['event'], 'Last')
})

t.test('without allowNullOrigin a sandboxed frame is refused with 403 and no event is stored', async (t) => {
  const shop = await collectorShop(t, browser, { tags: shown })
  await shop.open('/a')
  await until('the preflight is refused', () => shop.server.answers.includes('OPTIONS /v1/batch 403'))
  await shop.open('/plain')
  await until('the request of the leaving page is refused', () =>
    shop.server.answers.some((answer) => /^POST \/v1\/batch\?wk=\S+ 403$/.test(answer)))
  t.same(await shop.names(0), [])
})
