import t from 'tap'
import type { Test } from 'tap'

import { botCheck } from '../../../routes/ingestion/bots.js'
import { gateway } from '../../helpers/gateway.js'
import type { Gateway, GatewayOptions } from '../../helpers/gateway.js'
import { SHOP } from '../../helpers/source.js'
import { BOTS, BROWSERS, SERVERS } from '../../helpers/user-agents.js'
import { webhookGateway } from '../../helpers/webhook-gateway.js'

const isBotAgent = botCheck()
const EVENT = { event: 'e', userId: 'u' }
const page = (userAgent: string) => ({ origin: SHOP, 'user-agent': userAgent })
const naming = (userAgent: unknown, more: object = {}) => ({ ...EVENT, context: { userAgent, ...more } })

async function contexts ({ stored }: Gateway): Promise<unknown[]> {
  return (await stored()).map(({ context }) => context)
}

function counts ({ app, source }: Gateway): unknown {
  return new Map(app.eventFeed.counts('acme')).get(source.id)
}

async function over (t: Test, bots: 'tag' | 'drop' | 'ignore', options: GatewayOptions = {}): Promise<Gateway> {
  return await gateway(t, { ...options, source: { bots } })
}

t.test('by default an event from a page is marked if its user agent is a bot, and unchanged otherwise', async (t) => {
  const gate = await gateway(t)
  for (const [name, userAgent] of Object.entries(BOTS)) {
    t.equal((await gate.post('/v1/t', EVENT, page(userAgent))).statusCode, 200, name)
  }
  t.same(await contexts(gate), Object.keys(BOTS).map(() => ({ bot: true })))
  for (const userAgent of Object.values(BROWSERS)) await gate.post('/v1/t', EVENT, page(userAgent))
  const marked = (await gate.accepted()).filter(({ additions }) => additions.includes('context'))
  t.equal(marked.length, Object.keys(BOTS).length)
  t.same(counts(gate), {
    accepted: Object.keys({ ...BOTS, ...BROWSERS }).length,
    refused: {},
    bots: { tagged: Object.keys(BOTS).length, dropped: 0 }
  })
})

t.test('an event of a bot keeps the rest of its context, and its context.bot is true, also if it sends ' +
  'false', async (t) => {
  const gate = await gateway(t)
  const context = {
    page: { url: 'https://shop.example.com/?gclid=g1', title: 'T' },
    locale: 'de',
    bot: false,
    big: 12345678901234567890n
  }
  const text = `{"event":"e","userId":"u","context":${
    JSON.stringify({ ...context, big: 0 }).replace('"big":0', '"big":12345678901234567890')
  }}`
  await gate.post('/v1/t', text, page(BOTS.googlebot))
  t.match((await contexts(gate))[0], { page: context.page, locale: 'de', clickIds: { gclid: 'g1' }, bot: true })
  t.match((await gate.accepted())[0], { additions: /"big":12345678901234567890/, payload: text })
})

t.test('context.bot of the client is kept if the server detects no bot', async (t) => {
  const gate = await gateway(t)
  for (const bot of [true, false, 'maybe']) {
    await gate.post('/v1/t', { ...EVENT, context: { bot } }, page(BROWSERS.chrome))
  }
  t.same(await contexts(gate), [{ bot: true }, { bot: false }, { bot: 'maybe' }])
  t.same(counts(gate), { accepted: 3, refused: {} })
})

t.test('context.userAgent of an event is checked before the user agent of the request', async (t) => {
  const gate = await gateway(t)
  await gate.post('/v1/t', naming(BOTS.gptbot), { 'user-agent': SERVERS.segment })
  await gate.signed('/v1/events', { type: 'track', ...naming(BOTS.headlessChrome) })
  await gate.post('/v1/t', naming(BROWSERS.firefox), page(BOTS.googlebot))
  t.match(await contexts(gate), [
    { userAgent: BOTS.gptbot, bot: true },
    { userAgent: BOTS.headlessChrome, bot: true },
    { userAgent: BROWSERS.firefox, bot: undefined }
  ])
  for (const nothing of ['', null, 7, ['Googlebot'], { a: 1 }]) {
    await gate.post('/v1/t', naming(nothing), page(BOTS.googlebot))
  }
  t.same((await contexts(gate)).slice(3).map((context) => (context as { bot?: unknown }).bot), [true, true, true, true,
    true], 'the user agent of the request is checked')
})

t.test('events of server SDKs are not bots', async (t) => {
  const gate = await over(t, 'drop')
  for (const [name, userAgent] of Object.entries(SERVERS)) {
    t.equal(isBotAgent(userAgent), true, `${name} alone looks like a bot`)
    await gate.post('/v1/t', { ...EVENT, anonymousId: 'a' }, { 'user-agent': userAgent })
    await gate.post('/v1/batch', { batch: [{ type: 'page', userId: 'u' }] }, { 'user-agent': userAgent })
    await gate.signed('/v1/t', { ...EVENT, messageId: name }, { 'user-agent': userAgent, origin: SHOP })
  }
  t.equal((await gate.stored()).length, Object.keys(SERVERS).length * 3)
  t.same(counts(gate), { accepted: Object.keys(SERVERS).length * 3, refused: {} })
})

t.test('a request counts as sent by a browser with an Origin, as a beacon or with our cookie', async (t) => {
  const gate = await gateway(t)
  const from = async (headers: Record<string, string>) => {
    await gate.post('/v1/t', EVENT, { 'user-agent': BOTS.googlebot, ...headers })
    return ((await contexts(gate)).at(-1) as { bot?: unknown } | undefined)?.bot ?? false
  }
  t.equal(await from({ origin: SHOP }), true)
  t.equal(await from({ 'content-type': 'text/plain;charset=UTF-8' }), true)
  t.equal(await from({ cookie: 'a=b; _dfid=0b6dd4d2-4c0b-4b5a-9d3e-3a1f0e6f1c11' }), true)
  t.equal(await from({ cookie: '_dfid=1' }), false)
  t.equal(await from({}), false)
})

t.test('the user agent of a pixel request is checked, and the user agent of a webhook is not', async (t) => {
  const pixel = await gateway(t)
  for (const userAgent of [BOTS.bingbot, BROWSERS.edge]) {
    await pixel.app.inject({ url: `/v1/pixel/page?wk=${pixel.key}`, headers: { 'user-agent': userAgent } })
  }
  t.same(await contexts(pixel), [{ bot: true }, undefined])

  const { deliver, stored } = await webhookGateway(t, 'custom', { source: { bots: 'drop' } })
  const userAgent = 'Stripe/1.0 (+https://stripe.com/docs/webhooks)'
  t.equal(isBotAgent(userAgent), true)
  t.equal((await deliver({ event: 'Paid', userId: 'u' }, { 'user-agent': userAgent })).statusCode, 200)
  t.equal((await stored()).length, 1)
})

t.test('image proxies of mail clients are not bots on the pixel, and are bots on other inputs', async (t) => {
  const made = await gateway(t, { source: { bots: 'drop' } })
  const openers = [
    'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
    'YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html',
    'Mozilla/5.0 (compatible; YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html)',
    'Mozilla/5.0',
    'Mozilla/4.0',
    'YahooCacheSystem; YahooWebServiceClient',
    'Outlook-Android/2.0',
    'Microsoft Office Outlook',
    'SamsungEmail/6.1'
  ]
  for (const [index, userAgent] of openers.entries()) {
    t.equal(isBotAgent(userAgent), true, `${userAgent} is a bot for isbot`)
    const { statusCode } = await made.app.inject({
      url: `/v1/pixel/track?wk=${made.key}&e=Opened&mid=m${index}`,
      headers: { 'user-agent': userAgent }
    })
    t.equal(statusCode, 200)
  }
  t.same(
    (await made.stored()).map(({ userAgent, context }) => [userAgent, context]),
    openers.map((userAgent) => [userAgent, undefined])
  )

  for (const userAgent of [BOTS.googlebot, BOTS.headlessChrome, SERVERS.curl, `Mozilla/5.0 ${BOTS.ahrefs}`]) {
    await made.app.inject({ url: `/v1/pixel/track?wk=${made.key}&e=Opened`, headers: { 'user-agent': userAgent } })
  }
  for (const userAgent of openers) await made.post('/v1/t', EVENT, page(userAgent))
  t.equal((await made.stored()).length, openers.length)
  t.same(counts(made), { accepted: openers.length, refused: {}, bots: { tagged: 0, dropped: 4 + openers.length } })
})

t.test('bots.except applies to every input', async (t) => {
  const made = await gateway(t, { ingestion: { bots: { except: ['headlesschrome'] } } })
  await made.post('/v1/t', EVENT, page(BOTS.headlessChrome))
  await made.post('/v1/batch', { batch: [{ type: 'track', ...naming(BOTS.headlessChrome) }] })
  await made.signed('/v1/events', { type: 'track', ...naming(BOTS.headlessChrome) })
  await made.app.inject({ url: `/v1/pixel/page?wk=${made.key}`, headers: { 'user-agent': BOTS.headlessChrome } })
  await made.post('/v1/t', EVENT, page(BOTS.googlebot))
  t.same(counts(made), { accepted: 5, refused: {}, bots: { tagged: 1, dropped: 0 } })
})

t.test('dropped events are acknowledged, counted and not stored, alone and in a batch', async (t) => {
  const gate = await over(t, 'drop')
  const single = await gate.post('/v1/t', EVENT, page(BOTS.googlebot))
  t.equal(single.statusCode, 200)
  t.equal(single.body, '{"success":true}')
  const batch = [naming(BOTS.gptbot), naming(BROWSERS.safari), { event: 7 }, EVENT, naming(BOTS.ahrefs)].map((
    event
  ) => ({ type: 'track', ...event }))
  const mixed = await gate.post('/v1/batch', { batch })
  t.equal(mixed.statusCode, 200)
  t.match(mixed.json(), { success: false, accepted: 4, rejected: 1, errors: [{ index: 2, code: 'INVALID_REQUEST' }] })
  t.same(await contexts(gate), [{ userAgent: BROWSERS.safari }, undefined])
  t.match(counts(gate), { accepted: 2, bots: { tagged: 0, dropped: 3 } })
})

t.test('context.userAgent of a batch applies to its events without their own user agent', async (t) => {
  const gate = await gateway(t)
  const batch = [{ type: 'page' }, { type: 'page', context: { userAgent: BROWSERS.chrome } }, {
    type: 'page',
    context: { locale: 'de' }
  }]
  await gate.post('/v1/batch', { context: { userAgent: BOTS.googlebot, app: { name: 'shop' } }, batch }, {
    'user-agent': BROWSERS.chrome
  })
  t.match(await contexts(gate), [
    { userAgent: BOTS.googlebot, app: { name: 'shop' }, bot: true },
    { userAgent: BROWSERS.chrome, bot: undefined },
    { userAgent: BOTS.googlebot, locale: 'de', bot: true }
  ])
  t.match(counts(gate), { accepted: 3, bots: { tagged: 2, dropped: 0 } })
})

t.test('a source with bots: "ignore" stores events unchanged', async (t) => {
  const gate = await over(t, 'ignore')
  await gate.post('/v1/t', EVENT, page(BOTS.googlebot))
  await gate.post('/v1/t', naming(BOTS.googlebot))
  t.same(await contexts(gate), [undefined, { userAgent: BOTS.googlebot }])
  t.same(counts(gate), { accepted: 2, refused: {} })
})

t.test('a change of the bots setting applies to the next event', async (t) => {
  const gate = await gateway(t)
  for (const bots of ['drop', 'ignore', 'tag'] as const) {
    await gate.store.sources.update('acme', gate.source.id, { bots })
    await gate.post('/v1/t', EVENT, page(BOTS.googlebot))
  }
  t.same(await contexts(gate), [undefined, { bot: true }])
})

t.test('dropped events count against the event rate of their source', async (t) => {
  const gate = await over(t, 'drop', { ingestion: { eventRate: { max: 2, now: () => 0 } } })
  const send = async () => (await gate.post('/v1/t', EVENT, page(BOTS.googlebot))).statusCode
  t.same([await send(), await send(), await send()], [200, 200, 429])
})
