import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'
import { makeSource } from '../../helpers/source.js'
import { until } from '../../helpers/until.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

const KEPT = "Object.keys(localStorage).filter((name) => name.includes('.e.')).length"
const trackMany = (count: number) => `for (let n = 0; n < ${count}; n++) _df.track('Event ' + n)`
const eventNames = (count: number) => Array.from({ length: count }, (_, n) => `track Event ${n}`)
// Shortens the waits of the collector, except the time limit of a response, and notes its last warning.
const IMPATIENT = `<script>{
  const { setTimeout } = window
  window.setTimeout = (act, delay) => setTimeout(act, delay === 20_000 ? delay : Math.min(delay, 20))
  const { warn } = console
  console.warn = (text) => { warn(text); if (text.includes('no response')) window.resting = true }
}</script>`
const quiet = 'data-auto-page="false"'

for (const failure of ['refused', 'unconfirmed'] as const) {
  t.test(`events that the server does not confirm (${failure}) are sent again and stored once`, async (t) => {
    const shop = await collectorShop(t, browser, { attributes: quiet, head: IMPATIENT })
    await shop.open()
    shop.server.sink.fail(failure)
    await shop.run(trackMany(12))
    await shop.server.sink.failed(2)
    t.equal(await shop.run(KEPT), 12)
    shop.server.sink.heal()
    await shop.page.waitForFunction(`${KEPT} === 0`)
    t.same(await shop.names(12), eventNames(12))
    t.ok(shop.server.answers.includes('POST /v1/batch 503'))
  })
}

t.test('events wait while the browser is offline and are sent when it is online again', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet, head: IMPATIENT })
  await shop.open()
  await shop.context.setOffline(true)
  await shop.run(trackMany(15))
  await shop.page.waitForFunction(
    'performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/v1/batch")).length > 1'
  )
  t.equal((await shop.server.stored()).length, 0)
  await shop.context.setOffline(false)
  t.same(await shop.names(15), eventNames(15))
})

t.test('no request is sent before the time of a Retry-After', async (t) => {
  const shop = await collectorShop(t, browser, {
    attributes: quiet,
    gateway: { ingestion: { rateLimit: { max: 3, timeWindow: 5_000 } } }
  })
  await shop.open()
  // The three requests are the script, the preflight and the first batch.
  await shop.run(trackMany(30))
  t.same(await shop.names(30), eventNames(30))
  const posts = () => shop.server.answers.filter((answer) => answer.startsWith('POST'))
  await until('all requests are answered', () => posts().length >= 4)
  t.same(posts(), [200, 429, 200, 200].map((status) => `POST /v1/batch ${status}`))
})

t.test('events of an origin that the source does not allow are not stored, and the collector stops', async (t) => {
  const shop = await collectorShop(t, browser, { allowed: false, head: IMPATIENT })
  await shop.open()
  const asked = () => shop.server.answers.filter((answer) => answer.endsWith('/v1/batch 403')).length
  await shop.page.waitForFunction('window.resting === true')
  await until('ten attempts are answered', () => asked() >= 10)
  await shop.run(trackMany(12))
  // Longer than any wait of the collector here.
  await shop.run('new Promise((resolve) => setTimeout(resolve, 20))')
  t.equal((await shop.server.stored()).length, 0)
  t.ok(shop.complaints.some((text) => text.includes('no response')), 'the console shows a warning')
  t.equal(shop.server.answers.some((answer) => answer.startsWith('POST')), false, 'only preflights are sent')
  // The request without a preflight is refused too.
  await shop.open('/plain')
  await until('it is answered', () => shop.server.answers.some((answer) => answer.startsWith('POST')))
  t.equal(asked(), 10, 'later events cause no more attempts')
  t.match(shop.server.answers.filter((answer) => answer.startsWith('POST')), [/\?wk=\S+ 403$/])
  t.equal((await shop.server.stored()).length, 0)
})

t.test('a refused key is not used again', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open()
  // Another source allows the origin, so that the page can still read the response.
  await makeSource(shop.server.store, { domains: [shop.origin] })
  await shop.server.store.sources.delete('acme', shop.server.source.id)
  await shop.run(trackMany(3))
  await shop.page.waitForFunction(`${KEPT} === 0`)
  t.same(await shop.answered(2), ['OPTIONS /v1/batch 204', 'POST /v1/batch 401'])
  t.ok(shop.complaints.some((text) => text.includes('INVALID_PIPELINE_KEY')))
})

t.test('events that wait during an outage are sent by the next page and stored once', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet, head: IMPATIENT })
  await shop.open()
  shop.server.sink.fail('refused')
  await shop.run(trackMany(12))
  await shop.server.sink.failed(1)
  await shop.open('/plain')
  t.equal((await shop.server.stored()).length, 0)
  t.equal(await shop.run(KEPT), 12)
  shop.server.sink.heal()
  await shop.open('/next')
  t.same(await shop.names(12), eventNames(12))
  await shop.page.waitForFunction(`${KEPT} === 0`)
})

t.test('the oldest of more than 500 waiting events are dropped', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open()
  await shop.context.setOffline(true)
  await shop.run(trackMany(520))
  t.equal(await shop.run(KEPT), 500)
  await shop.run("for (let n = 0; n < 15; n++) _df.track('Large', { text: 'x'.repeat(50_000) })")
  t.equal(await shop.run(KEPT), 10, '512 KB in total')
  await shop.context.setOffline(false)
  t.same(await shop.names(10), Array(10).fill('track Large'))
})

t.test("two tabs neither lose nor duplicate each other's stored events", async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet, head: IMPATIENT })
  await shop.open()
  shop.server.sink.fail('refused')
  await shop.run("for (let n = 0; n < 5; n++) _df.track('First')")
  const second = await shop.context.newPage()
  await second.goto(`${shop.origin}/second`)
  await second.evaluate("for (let n = 0; n < 5; n++) _df.track('Second')")
  await shop.server.sink.failed(4)
  t.equal(await second.evaluate(KEPT), 10)
  shop.server.sink.heal()
  await second.waitForFunction(`${KEPT} === 0`)
  t.same((await shop.names(10)).sort(), [...Array(5).fill('track First'), ...Array(5).fill('track Second')])
  t.equal((await shop.stored(10)).reduce((ids, { messageId }) => ids.add(messageId), new Set()).size, 10)
})

for (
  const [what, script] of [
    ['is full',
      "try { for (let n = 0; ; n++) localStorage.setItem('other' + n, 'x'.repeat(100_000)) } catch {} try { for " +
        "(let n = 0; ; n++) localStorage.setItem('o' + n, '') } catch {}"],
    ['is forbidden',
      "Object.defineProperty(window, 'localStorage', { get () { throw new DOMException('no', 'SecurityError') } })"]
  ] as const
) {
  t.test(`if storage ${what}, events are sent from memory`, async (t) => {
    const shop = await collectorShop(t, browser, { attributes: quiet, head: `${IMPATIENT}<script>${script}</script>` })
    await shop.open()
    shop.server.sink.fail('refused')
    await shop.run(`_df.identify('ann'); ${trackMany(12)}`)
    await shop.server.sink.failed(2)
    shop.server.sink.heal()
    const events = await shop.stored(13)
    t.same(new Set(events.map(({ userId }) => userId)), new Set(['ann']))
    t.equal(new Set(events.map(({ anonymousId }) => anonymousId)).size, 1)
    t.same(shop.complaints.filter((text) => !text.includes('503')), [])
  })
}
