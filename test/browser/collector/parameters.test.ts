import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

const quiet = 'data-auto-page="false"'
const NOBODY = ['undefined', 'null', 'NaN', 'Infinity', "''", "'  '", "'undefined'", "'null'", "'NaN'",
  "'[object Object]'", '[]', "['u1']", 'true', '() => 1', "Symbol('u')", 'new Date()', '2 ** 60']

t.test('an invalid id is neither sent nor stored, and the console shows a warning', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open('/a')
  const calls = NOBODY.map((id) =>
    `_df.identify(${id}, { plan: 'pro' }), _df.group(${id}, { seats: 1 }), _df.push(['identify', ${id}], ['group', ${id}])`
  )
  await shop.run(`${calls.join(', ')}, _df.identify(), _df.group(), _df.group({ seats: 1 }), _df.track('After')`)
  const [event, ...others] = await shop.stored(1)
  t.same(others, [])
  t.match(event, { type: 'track', event: 'After', userId: undefined })
  t.equal(event?.context['groupId'], undefined)
  t.same(await shop.run(`Object.keys(JSON.parse(localStorage.getItem('_df.${shop.server.key}.id')))`), ['anonymousId'])
  t.match(shop.complaints, [/userId must be a non-empty string or a number/,
    /groupId must be a non-empty string or a number/])
  t.equal(shop.complaints.length, 2, 'once each')
})

t.test('the user and the group stay unchanged when a later id is invalid', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open('/a')
  await shop.run("_df.identify('ann', { plan: 'pro' }), _df.group('g1')")
  await shop.run(
    "_df.identify(undefined, { email: 'bob@example.com' }), _df.group(null, { seats: 9 }), _df.identify('bob', " +
      "'pro'), _df.group('g2', 7)"
  )
  await shop.run("_df.track('After'), _df.identify({ age: 5 })")
  const events = await shop.stored(4)
  t.match(events[2], { event: 'After', userId: 'ann', context: { groupId: 'g1' } })
  t.same(events[3]?.['traits'], { plan: 'pro', age: 5 })
})

t.test('a numeric id is sent as its decimal string', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open('/a')
  await shop.run(
    '_df.identify(42), _df.group(0), _df.identify(-1.5), _df.identify(2 ** 53 - 1), _df.identify(2n ** 60n)'
  )
  const events = await shop.stored(5)
  t.same(events.map(({ userId, groupId }) => groupId ?? userId), ['42', '0', '-1.5', '9007199254740991',
    '1152921504606846976'])
  t.same(shop.complaints, [])
})

t.test('null counts as missing for properties, traits, options and their members', async (t) => {
  const shop = await collectorShop(t, browser, {
    attributes: quiet,
    head: "<script>window._df = [['track', 'No properties', null], ['group', 'g1', null]]</script>"
  })
  await shop.open('/a')
  await shop.page.waitForFunction('!Array.isArray(_df)')
  await shop.run(`{
    _df.track('A', null, null)
    _df.track('B', [], { messageId: null, timestamp: null, context: null })
    _df.page(null, null, null)
    _df.identify('ann', null, null)
    _df.identify({ plan: 'pro' }, null)
    _df.consent(null)
    _df.track('C', undefined, { timestamp: new Date(NaN) })
  }`)
  const events = await shop.stored(8)
  t.same(events.map(({ type, event, name }) => event ?? name ?? type), ['No properties', 'group', 'A', 'B', 'page',
    'identify', 'identify', 'C'])
  for (const { properties, type } of events) t.same(properties ?? {}, {}, String(type))
  t.same([events[1], events[5], events[6]].map((event) => event?.['traits'] ?? null), [null, {}, { plan: 'pro' }])
  t.same(shop.complaints, [])
})

t.test('properties, traits, options and choices that are not objects are not sent', async (t) => {
  const shop = await collectorShop(t, browser, { attributes: quiet })
  await shop.open('/a')
  await shop.run(`{
    for (const wrong of ['text', 5, true, [1], () => 1, new Date(), new Map([[1, 2]])]) {
      _df.track('T', wrong)
      _df.track('T', {}, wrong)
      _df.track('T', {}, { context: wrong })
      _df.page('P', wrong)
      _df.identify('u', wrong)
      _df.group('g', wrong)
      _df.consent(wrong)
    }
    class Properties { constructor () { this.plan = 'pro' } }
    _df.track('Good', new Properties())
  }`)
  t.match(await shop.stored(1), [{
    event: 'Good',
    properties: { plan: 'pro' },
    userId: undefined,
    context: { consent: undefined, groupId: undefined }
  }])
  t.equal(shop.complaints.length, 5, shop.complaints.join('\n'))
})
