import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

t.test('the collector works under a strict content security policy with trusted types, without a console message', async (t) => {
  const shop = await collectorShop(t, browser, {
    headers: (origin) => ({
      'content-security-policy':
        `default-src 'none'; img-src data:; script-src ${origin}; connect-src ${origin}; require-trusted-types-for 'script'; trusted-types 'none'`
    })
  })
  // The policy forbids an evaluation in the page.
  await shop.open('/a')
  t.same(await shop.names(1), ['page /a'])
  await shop.open('/plain')
  t.same(shop.complaints, [])
})

t.test('a cross-origin isolated page can load the collector, with an integrity check', async (t) => {
  const script = await readFile(new URL('../../../web/collector/d.js', import.meta.url))
  const integrity = `sha384-${createHash('sha384').update(script).digest('base64')}`
  const shop = await collectorShop(t, browser, {
    headers: () => ({ 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-opener-policy': 'same-origin' }),
    tags: (origin, key) =>
      `<script src="${origin}/d.js" data-pipeline-key="${key}"></script>
      <script crossorigin="anonymous" integrity="${integrity}" src="${origin}/d.js" data-pipeline-key="${key}" data-global="checked"></script>`
  })
  await shop.open('/a')
  t.equal(await shop.run('crossOriginIsolated'), true)
  await shop.names(2)
  t.same(shop.complaints, [])
})

t.test('events of a page without TLS, which has no randomUUID, have ids', async (t) => {
  const shop = await collectorShop(t, browser, { head: '<script>delete Crypto.prototype.randomUUID</script>' })
  await shop.open('/a')
  const [view] = await shop.stored(1)
  for (const id of ['messageId', 'anonymousId']) {
    t.match(view?.[id], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})

t.test('a module script, which has no document.currentScript, finds its key', async (t) => {
  const shop = await collectorShop(t, browser, {
    tags: (origin, key) => `<script type="module" src="${origin}/d.js" data-pipeline-key="${key}"></script>`
  })
  await shop.open('/a')
  t.same(await shop.names(1), ['page /a'])
})

t.test('with data-gpc="respect" and Global Privacy Control no event is sent or stored, and stored data is ' +
  'removed', async (t) => {
  const gpc =
    '<script>Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => location.pathname !== ' +
      '"/off" })</script>'
  const shop = await collectorShop(t, browser, { head: gpc, attributes: 'data-gpc="respect"' })
  await shop.open('/off')
  t.same(await shop.names(1), ['page /off'])
  t.ok(await shop.run('localStorage.length') as number > 0)
  await shop.run("localStorage.setItem('mine', '1')")
  await shop.open('/on')
  await shop.run("_df.track('e'), _df.identify('ann'), history.pushState(null, '', '/next')")
  t.same(await shop.run('Object.keys(localStorage)'), ['mine'])
  await shop.open('/plain')
  t.same(await shop.names(1), ['page /off'])

  const other = await collectorShop(t, browser, { head: gpc })
  await other.open('/on')
  t.same(await other.names(1), ['page /on'], 'the signal has no effect without data-gpc')
})

t.test('the collector needs only scripts, storage and requests to its own origin', async (t) => {
  const shop = await collectorShop(t, browser)
  const urls: string[] = []
  shop.page.on('request', (request) => urls.push(request.url()))
  await shop.open('/a')
  await shop.names(1)
  t.same(
    new Set(
      urls.filter((url) => !url.startsWith(shop.origin) && !url.startsWith('data:')).map((url) =>
        new URL(url).origin
      )
    ),
    new Set([shop.server.origin])
  )
  t.equal(await shop.run('document.cookie'), '')
  t.match(await shop.run('Object.keys(localStorage)'), [new RegExp(`^_df\\.${shop.server.key}\\.`)])
})
