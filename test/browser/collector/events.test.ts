import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

t.test("a page view is stored when the page loads, with the page's and the browser's properties", async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/shoes?utm_source=mail#red')
  const [view] = await shop.stored(1)
  t.equal(
    view?.context['page']?.['url'],
    `${shop.origin}/shoes?utm_source=mail`,
    'the URL has no fragment without data-hash'
  )
  t.match(view, {
    type: 'page',
    messageId: UUID,
    anonymousId: UUID,
    authMethod: 'key',
    timestamp: /^\d{4}-.*\.\d{3}Z$/,
    context: {
      page: {
        url: `${shop.origin}/shoes?utm_source=mail`,
        path: '/shoes',
        search: '?utm_source=mail',
        title: '/shoes',
        referrer: ''
      },
      campaign: { source: 'mail' },
      locale: 'en-US',
      timezone: /\w/,
      screen: { width: Number, height: Number },
      userAgent: /Chrome/,
      library: { name: 'd.js', version: /^\d+\.\d+\.\d+/ }
    }
  })
  t.same(shop.complaints, [])
})

t.test('each call of the collector is stored as an event of its type', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: 'data-auto-page="false"' })
  await shop.open()
  await shop.run(`{
    _df.track('Signed Up', { plan: 'pro' })
    _df.page('Pricing', { tab: 2 })
    _df.page({ tab: 3 })
    _df.identify(42, { email: 'ann@example.com' })
    _df.identify({ company: 'Acme' })
    _df.group('g1', { seats: 5 })
    _df.consent({ ads: false })
    _df.track('Paid', undefined, { messageId: 'order-1', timestamp: new Date(0), context: { ip: null, screen: 'none' } })
  }`)
  const events = await shop.stored(7)
  t.match(events, [
    {
      type: 'track',
      event: 'Signed Up',
      properties: { plan: 'pro' },
      userId: undefined,
      context: { consent: undefined }
    },
    { type: 'page', name: 'Pricing', properties: { tab: 2 } },
    { type: 'page', name: undefined, properties: { tab: 3 } },
    { type: 'identify', userId: '42', traits: { email: 'ann@example.com' } },
    { type: 'identify', userId: '42', traits: { email: 'ann@example.com', company: 'Acme' } },
    { type: 'group', groupId: 'g1', traits: { seats: 5 }, userId: '42' },
    {
      type: 'track',
      event: 'Paid',
      messageId: 'order-1',
      userId: '42',
      timestamp: '1970-01-01T00:00:00.000Z',
      context: { groupId: 'g1', consent: { ads: false }, screen: 'none', library: { name: 'd.js' } }
    }
  ])
  t.equal(new Set(events.map(({ anonymousId }) => anonymousId)).size, 1)
  t.same(await shop.sent(7), [7], 'in one batch')
})

t.test('ten events are sent immediately, fewer events after a second', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: 'data-auto-page="false"' })
  await shop.open()
  await shop.run('for (let n = 0; n < 23; n++) _df.track("Event " + n)')
  t.same(await shop.names(23), Array.from({ length: 23 }, (_, n) => `track Event ${n}`))
  t.same(await shop.sent(23), [10, 10, 3])
})

t.test('calls that are pushed before the script loads are sent first and apply to the page view', async (t) => {
  const shop = await collectorShop(t, browser, {
    head:
      "<script>window._df = window._df || []; _df.push(['identify', 'ann'], ['consent', { ads: true }]); " +
        "_df.push(['track', 'Early', { n: 1 }])</script>"
  })
  await shop.open('/start')
  await shop.page.waitForFunction('!Array.isArray(_df)')
  await shop.run("_df.push(['track', 'Late'])")
  t.same(await shop.names(4), ['identify /start', 'track Early', 'page /start', 'track Late'])
  t.match((await shop.stored(4))[2], { userId: 'ann', context: { consent: { ads: true } } })
})

t.test('the identity persists across pages until reset', async (t) => {
  const shop = await collectorShop(t, browser)
  await shop.open('/a')
  await shop.run("_df.identify('ann', { plan: 'pro' }), _df.group('g1')")
  await shop.open('/b')
  const first = await shop.stored(4)
  t.match(first[3], { type: 'page', userId: 'ann', context: { groupId: 'g1' } })
  t.equal(first[3]?.['anonymousId'], first[0]?.['anonymousId'])
  await shop.run('_df.reset()')
  await shop.open('/c')
  const last = (await shop.stored(5))[4]
  t.equal(last?.['userId'], undefined)
  t.equal(last?.context['groupId'], undefined)
  t.match(last?.['anonymousId'], UUID)
  t.not(last?.['anonymousId'], first[0]?.['anonymousId'])
})

t.test('identify with another user clears the traits and the group of the previous user', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: 'data-auto-page="false"' })
  await shop.open()
  await shop.run(
    "_df.identify('ann', { plan: 'pro' }), _df.group('g1'), _df.identify('bob', { age: 5 }), _df.track('e')"
  )
  const events = await shop.stored(4)
  t.same(events[2]?.['traits'], { age: 5 })
  t.match(events[3], { userId: 'bob' })
  t.equal(events[3]?.context['groupId'], undefined)
})

t.test('data-identity="cookie" leaves the anonymousId to the server\'s cookie, one for all pages', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: 'data-identity="cookie"' })
  await shop.open('/a')
  await shop.stored(1)
  await shop.open('/b')
  const [a, b] = await shop.stored(2)
  const cookie = (await shop.context.cookies(shop.server.origin)).find(({ name }) => name === '_dfid')
  t.match(cookie, { value: UUID, httpOnly: true })
  t.equal(a?.['anonymousId'], cookie?.value)
  t.equal(b?.['anonymousId'], cookie?.value)
})

t.test('two collectors on a page have separate events and visitors', async (t) => {
  const other = await collectorShop(t, browser)
  const shop = await collectorShop(t, browser, {
    tags: (origin, key) =>
      `<script src="${origin}/d.js" data-pipeline-key="${key}"></script>
      <script src="${other.server.origin}/d.js" data-pipeline-key="${other.server.key}" data-global="second"></script>`
  })
  // The source of the second server also allows the first shop.
  await other.server.store.sources.update('acme', other.server.source.id, { domains: [shop.origin] })
  await shop.open('/start')
  await shop.run("_df.identify('ann'), second.track('Second')")
  await shop.run("history.pushState(null, '', '/next')")
  t.same(await shop.names(3), ['page /start', 'identify /start', 'page /next'])
  t.same(await other.names(3), ['page /start', 'track Second', 'page /next'])
  const [[mine], theirs] = [await shop.stored(3), await other.stored(3)]
  t.equal(theirs.some(({ userId }) => userId !== undefined), false)
  t.not(mine?.['anonymousId'], theirs[0]?.['anonymousId'])
})

t.test('an invalid call does not break later calls, and refused events are dropped with one warning', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: 'data-auto-page="false"' })
  await shop.open()
  await shop.run(`{
    const loop = {}
    loop.loop = loop
    _df.track('Loop', loop)
    _df.push(['constructor'], ['nothing'], 5)
    _df.track('Large', { text: 'x'.repeat(70000) })
    _df.track('')
    _df.track('')
    _df.track('Good')
  }`)
  t.same(await shop.names(1), ['track Good'])
  t.same(await shop.sent(3), [3])
  await shop.page.waitForFunction("!Object.keys(localStorage).some((name) => name.includes('.e.'))")
  t.match(shop.complaints, [/circular/, /no constructor\(\)/, /no nothing\(\)/, /not iterable/, /64 KB/,
    /refused and dropped: INVALID_REQUEST \/event/], shop.complaints.join('\n'))
})

t.test('without a valid key no event is sent or stored, and the calls exist', async (t) => {
  for (const attribute of ['', 'data-pipeline-key=""', 'data-pipeline-key="dk_live_short"']) {
    const shop = await collectorShop(t, browser, {
      tags: (origin) => `<script src="${origin}/d.js" ${attribute}></script>`
    })
    await shop.open()
    await shop.run(
      "_df.track('e'), _df.page(), _df.identify('u'), _df.group('g'), _df.consent({}), _df.push(['track', 'e']), " +
        '_df.reset()'
    )
    await shop.open('/plain')
    t.match(shop.complaints, [/data-pipeline-key/])
    t.equal(shop.complaints.length, 1)
    t.equal(await shop.run('localStorage.length'), 0)
    t.same(shop.batches, [])
  }
})

t.test('a script under a path prefix sends to that prefix, and a script that is loaded twice runs once', async (t) => {
  const shop = await collectorShop(t, browser, {
    gateway: { ingestion: { prefix: '/x' } },
    tags: (origin, key) => `<script src="${origin}/x/d.js" data-pipeline-key="${key}"></script>`.repeat(2)
  })
  await shop.open('/start')
  t.same(await shop.names(1), ['page /start'])
  t.same(await shop.answered(2), ['OPTIONS /x/v1/batch 204', 'POST /x/v1/batch 200'])
  t.match(shop.complaints, [/window\._df is taken/])
})
