import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'
import { until } from '../../helpers/until.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

const KEPT = "Object.keys(localStorage).filter((name) => name.includes('.e.')).length"
const quiet = 'data-auto-page="false"'

t.test('events that are tracked just before the page ends are sent without a preflight', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/a')
  await shop.leave("_df.track('Clicked')")
  t.same(await shop.names(2), ['page /a', 'track Clicked'])
  t.same(await shop.answered(1), [`POST /v1/batch?wk=${shop.server.key} 200`])
})

t.test('events from pagehide handlers and before a navigation in the same turn are sent', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/a')
  await shop.names(1)
  await shop.run("addEventListener('pagehide', () => { _df.track('One'), _df.track('Two') })")
  await shop.leave("history.pushState(null, '', '/b')")
  t.same(await shop.names(4), ['page /a', 'page /b', 'track One', 'track Two'])
})

t.test('events of a tab that is closed are sent', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/a')
  await shop.run("_df.track('Clicked')")
  await shop.page.close()
  t.same(await shop.names(2), ['page /a', 'track Clicked'])
})

t.test('events sent on leaving are sent again by the next page, and stored once', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open('/a')
  await shop.leave("_df.track('Clicked')")
  await shop.names(1)
  t.equal(await shop.run(KEPT), 1)
  await shop.open('/b')
  await shop.page.waitForFunction(`${KEPT} === 0`)
  t.same(await shop.names(1), ['track Clicked'])
  const posts = () => shop.server.answers.filter((answer) => /^POST .* 200$/.test(answer))
  await until('both requests are answered', () => posts().length >= 2)
  t.equal(posts().length, 2)
})

t.test('events sent on leaving are not sent again after a day, because the server would store ' +
  'them twice', async (t) => {
  const shop = await collectorShop(t, browser)
  const dayOld = (age: number) =>
    `localStorage.setItem('_df.${shop.server.key}.e.' + ${age}, Date.now() - ${age} * 3_600_000 + JSON.stringify({
    type: 'track', event: '${age} hours', messageId: '${age}', context: {}
  }))`
  await shop.open('/plain')
  await shop.run(`${dayOld(22)}, ${dayOld(24)}`)
  await shop.open('/a')
  t.same((await shop.names(2)).sort(), ['page /a', 'track 22 hours'])
  await shop.page.waitForFunction(`${KEPT} === 0`)
})

t.test("events beyond the browser's limit for keepalive requests are split, and the excess waits for the next " +
  'page', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open('/a')
  // Each event has 18 000 characters and 54 000 bytes.
  await shop.run("for (let n = 0; n < 9; n++) _df.track('Large', { text: '…'.repeat(18_000) })")
  t.equal(await shop.run(KEPT), 9)
  await until('a part is stored', async () => (await shop.server.stored()).length > 0)
  await shop.open('/b')
  t.same(await shop.names(9), Array(9).fill('track Large'))
})

t.test('a hidden page sends its waiting events and those it tracks while hidden, and continues when it is ' +
  'shown again', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open('/a')
  await shop.page.evaluate(`{
    let state = 'visible'
    Object.defineProperty(document, 'visibilityState', { get: () => state })
    window.turn = (to) => { state = to; document.dispatchEvent(new Event('visibilitychange')) }
  }`)
  await shop.run("_df.track('Seen'), turn('hidden')")
  await shop.run("_df.track('Hidden 1'), _df.track('Hidden 2')")
  t.same(await shop.names(3), ['track Seen', 'track Hidden 1', 'track Hidden 2'])
  await shop.page.waitForFunction(`${KEPT} === 0`)
  t.same(await shop.sent(3), [1, 2])
  await shop.run("turn('visible'), _df.track('Back')")
  t.same((await shop.names(4)).at(-1), 'track Back')
  await until('it is sent as usual', () => shop.server.answers.at(-1) === 'POST /v1/batch 200')
})

t.test('a hidden page sends failed events again', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open('/a')
  shop.server.sink.fail('refused')
  await shop.run("Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' }), _df.track('Hidden')")
  await shop.server.sink.failed(1)
  shop.server.sink.heal()
  t.same(await shop.names(1), ['track Hidden'])
  await shop.page.waitForFunction(`${KEPT} === 0`)
})

t.test('without fetch keepalive the events are sent by a beacon', async (t) => {
  const shop = await collectorShop(t, browser, {
    attributes: quiet,
    head: '<script>delete Request.prototype.keepalive</script>'
  })
  await shop.open('/a')
  await shop.run("addEventListener('pagehide', () => { window.fetch = () => { throw new Error('gone') } }, true)")
  await shop.leave("_df.track('Clicked')")
  t.same(await shop.names(1), ['track Clicked'])
  t.same(await shop.answered(1), [`POST /v1/batch?wk=${shop.server.key} 200`])
})
