import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { runInNewContext } from 'node:vm'

import CryptoJS from 'crypto-js'
import t from 'tap'

import { signWidgetToken, verifyWidgetToken, widgetMessage } from '../../signing/dxfeed/widget-token.js'
import { openBrowser } from '../helpers/browser.js'
import { demoApp } from '../helpers/server-app.js'
import { pageSnippet } from '../helpers/page-snippet.js'
import { until } from '../helpers/until.js'
import { widgetPage } from '../helpers/widget-page.js'
import { widgetTokenApp } from '../helpers/widget-token.js'

type CreateAuthToken = (secret: string, issuer: string, session: string, message: string, minutes: number) => string

const ALPHABET = [...'abcXYZ019 -_.~!*()\'"#$%&+/:=?@[]{}|\\^`<>äöüßéñ€£жщשלعם日本語🙂🚀']
const randomText = (length: number): string =>
  Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

let now = 1_788_000_000_000

/** The function of dxFeed's page, unchanged, with `crypto-js` and a clock that stands at `now`. */
const createAuthToken = runInNewContext(`${await pageSnippet('dxfeed-create-auth-token')}\ncreateAuthToken`, {
  require: () => CryptoJS,
  Buffer,
  encodeURI,
  Date: class extends Date {
    constructor () {
      super(now)
    }

    static override now (): number {
      return now
    }
  }
}) as CreateAuthToken

t.test("500 random inputs produce the token of dxFeed's createAuthToken, byte for byte", async (t) => {
  const lengths = new Set<number>()
  for (let round = 0; round < 500; round++) {
    now = randomInt(2 ** 41)
    const filters = Array.from({ length: round % 4 }, () => randomText(1 + randomInt(12)))
    const message = widgetMessage(randomText(1 + round % 20), filters)
    const [secret, issuer, session, minutes] = [randomText(1 + randomInt(80)), randomText(round % 7),
      randomText(round % 5), 5 + round % 16]
    const token = createAuthToken(secret, issuer, session, message, minutes)
    const payload = { issuer, session, issuedAt: now, expiration: now + minutes * 60_000, message }
    if (signWidgetToken(payload, secret) !== token) t.fail('differs', { payload, secret })
    lengths.add(token.indexOf('.') % 4)
  }
  t.same([...lengths].sort(), [0, 2, 3], 'with every length of padding')
})

t.test("the route returns the token of dxFeed's createAuthToken for the same user, filters and time", async (t) => {
  now = 1_788_000_000_123
  for (
    const [user, authorized, filters, message] of [
      [undefined, 'test', [], 'test'],
      [undefined, 'stub', ['filter'], 'stub,filter'],
      ['user_id', 'ann', ['filter1', 'filter2'], 'user_id,filter1;filter2']
    ] as const
  ) {
    const secret = 'pässword € 100%'
    const { ask } = await widgetTokenApp(t, {
      secret,
      issuer: 'a b',
      session: 's',
      user,
      filters,
      authorize: () => authorized,
      now: () => now
    })
    t.equal((await ask()).json().token, createAuthToken(secret, 'a b', 's', message, 20), message)
  }
})

t.test("dxFeed's page runs against the built-in server, and renews its token before it expires", async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const demo = await demoApp(t, {}, { listen: true })
  const { dxfeed } = demo.products
  const snippet = await pageSnippet('dxfeed-page')
  // The page reads the promise of the body as the body.
  const code = snippet.replace(
    '(response) => {\nconst { token } = response.json()',
    'async (response) => {\nconst { token } = await response.json()'
  )
  t.not(code, snippet)
  const { page, complaints, feedTokens } = await widgetPage(t, browser, demo, { code, isModule: false })
  await page.locator('#widget[data-state=loaded]').waitFor()
  t.equal(await page.locator('#widget p').textContent(), 'Subscribed as viewer@example.com')
  await page.locator('#widget tr', { hasText: 'NVDA' }).click()

  await page.clock.fastForward(900_000)
  // The previous widget stays on the page until the new widget has subscribed.
  await until('the widget has a new token', () => feedTokens.length >= 2)
  await page.waitForFunction('document.querySelector("#widget .selected")?.textContent.startsWith("NVDA")')
  await page.locator('#widget[data-state=loaded]').waitFor()
  await page.locator('#widget .selected', { hasText: 'NVDA' }).waitFor()
  t.equal(new Set(feedTokens).size, 2, 'the widget was created again with a new token')
  for (const token of feedTokens) {
    const verdict = verifyWidgetToken(token, { secret: dxfeed?.secret ?? '' })
    if (!verdict.valid) throw new Error(`the token is ${verdict.reason}`)
    t.equal(verdict.payload.expiration - verdict.payload.issuedAt, 1_200_000, 'the lifetime exceeds the 15 minutes')
  }
  t.same(complaints, [])
})

for (const file of ['docs/widget-token.md']) {
  t.test(`the page of ${file} renews the widget's token and keeps its state`, async (t) => {
    const browser = await openBrowser(t)
    if (browser === null) return
    const demo = await demoApp(t, {}, { listen: true })
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')
    const block = text.split('```js\n').find((part) => part.includes('newSimpleChartWidget'))?.split('```')[0] ?? ''
    const code = block.replace('fastify-gatehouse/browser', '/demo/browser.js')
    const { page, complaints, feedTokens } = await widgetPage(t, browser, demo, { code, isModule: true })
    await page.locator('#widget[data-state=loaded]').waitFor()
    await page.locator('#widget tr', { hasText: 'SAP' }).click()
    t.equal(feedTokens.length, 1)
    // The next token is requested after 16 minutes, and at the latest one minute later.
    await page.clock.runFor(17 * 60_000 + 1_000)
    await until('the widget has a new token', () => feedTokens.length >= 2)
    t.equal(new Set(feedTokens).size, 2)
    await page.locator('#widget .selected', { hasText: 'SAP' }).waitFor()
    t.same(complaints, [])
  })
}

t.test('the mock widget refuses missing, unknown and wrong properties, and shows a refused token', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const demo = await demoApp(t, {}, { listen: true })
  const { page } = await widgetPage(t, browser, demo, { code: '', isModule: false })
  const expired = signWidgetToken({
    issuer: 'demo',
    session: 'web',
    issuedAt: Date.now() - 1_260_000,
    expiration: Date.now() - 60_000,
    message: 'ann'
  }, demo.products.dxfeed?.secret ?? '')
  const create = (change: string): Promise<string> =>
    page.evaluate(`(() => {
    const token = ${JSON.stringify(expired)}
    const providers = {
      feedPath: 'wss://client.dxfeed.com/dxlink-ws', feedAuthHeader: token,
      ipfPath: 'https://client.dxfeed.com/ipf', ipfAuthHeader: 'Bearer ' + token, schedulePath: 'https://client.dxfeed.com/schedule'
    }
    const options = { element: document.getElementById('widget'), providers, state: undefined }
    ${change}
    try { newSimpleChartWidget(options); return 'created' } catch (error) { return error.name }
  })()`)
  for (
    const change of [
      ...['feedPath', 'feedAuthHeader', 'ipfPath', 'ipfAuthHeader', 'schedulePath'].map((name) =>
        `delete providers.${name}`
      ),
      'delete options.element',
      'delete options.providers',
      'providers.feed = { token }',
      'options.token = token',
      'providers.feedAuthHeader = "Bearer " + token',
      'providers.ipfAuthHeader = token',
      'providers.feedPath = providers.ipfPath',
      'options.state = "NVDA"'
    ]
  ) t.equal(await create(change), 'TypeError', change)
  t.equal(await create(''), 'created')
  await page.locator('#widget[data-state=refused]').waitFor()
  t.equal(await page.locator('#widget p').textContent(), 'The feed refused the token')
})
