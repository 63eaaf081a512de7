import { createRequire } from 'node:module'

import { WebSocket } from 'undici'
import t from 'tap'
import type { Test } from 'tap'

import type { WidgetTokenOptions } from '../../routes/widget-token/index.js'
import { signWidgetToken } from '../../signing/dxfeed/widget-token.js'
import { keepToken } from '../../web/browser/browser.js'
import { DXLINK_PATH, dxlinkServer } from '../../server/mock-products/dxlink.js'
import type { DxLinkOptions } from '../../server/mock-products/dxlink.js'
import { PATH, SECRET, widgetTokenApp } from '../helpers/widget-token.js'

// The package declares its ES module as CommonJS, so that Node 20 cannot import it; `require` gets the same code.
const { DXLinkWebSocketClient } = createRequire(import.meta.url)(
  '@dxfeed/dxlink-api'
) as typeof import('@dxfeed/dxlink-api')
// Node 20 has no global WebSocket.
Object.assign(globalThis, { WebSocket })

/** The route, a feed that accepts its tokens, and a client of the feed. */
async function feed (t: Test, route: Partial<WidgetTokenOptions> = {}, options: Partial<DxLinkOptions> = {}) {
  const { app } = await widgetTokenApp(t, { filters: ['NYSE', 'NASDAQ'], ...route })
  const server = dxlinkServer(app.server, {
    secret: SECRET,
    issuer: 'acme',
    session: 'web',
    maxTtl: 20 * 60_000,
    ...options
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = new DXLinkWebSocketClient()
  t.teardown(() => client.close())
  client.addErrorListener(() => {})
  const states: string[] = []
  client.addAuthStateChangeListener((state) => states.push(state))

  /** Resolves with the state after the given number of tokens. */
  async function decided (tokens: number): Promise<string | undefined> {
    return await new Promise((resolve) => {
      const look = () => {
        const answers = states.filter((state) => state !== 'AUTHORIZING')
        // The first state is the state of the connection, before any token.
        if (answers.length > tokens) resolve(answers[tokens])
      }
      client.addAuthStateChangeListener(look)
      look()
    })
  }

  return {
    client,
    server,
    decided,
    tokens: origin + PATH,
    connect: () => client.connect(origin.replace('http', 'ws') + DXLINK_PATH)
  }
}

for (const timeUnit of ['ms', 's'] as const) {
  t.test(`the unmodified client is authorized by a token of the route in ${timeUnit}, and gets a quote`, async (t) => {
    const { client, connect, decided, server, tokens } = await feed(t, { timeUnit }, { timeUnit })
    const keeper = keepToken({ url: tokens, onToken: (token) => client.setAuthToken(token) })
    t.teardown(() => keeper.stop())
    await keeper.token()
    connect()
    t.equal(await decided(1), 'AUTHORIZED')
    t.same(server.verdicts, ['authorized ann'])
    const channel = client.openChannel('FEED', { contract: 'AUTO' })
    const quote = await new Promise((resolve) => {
      channel.addMessageListener(resolve)
      channel.addStateChangeListener((state) => {
        if (state === 'OPENED') channel.send({ type: 'FEED_SUBSCRIPTION', add: [{ type: 'Quote', symbol: 'AAPL' }] })
      })
    })
    t.match(quote, { type: 'FEED_DATA', data: [{ eventSymbol: 'AAPL', bidPrice: 228.1 }] })
  })
}

t.test('the helper authorizes the client again over the same connection', async (t) => {
  const { client, connect, decided, server, tokens } = await feed(t)
  const shown: string[] = []
  const keeper = keepToken({
    url: tokens,
    onToken: (token) => {
      shown.push(token)
      client.setAuthToken(token)
    }
  })
  t.teardown(() => keeper.stop())
  await keeper.token()
  connect()
  t.equal(await decided(1), 'AUTHORIZED')
  await keeper.refresh()
  t.equal(await decided(2), 'AUTHORIZED')
  t.equal(new Set(shown).size, 2)
  t.same(server.verdicts, ['authorized ann', 'authorized ann'])
  t.equal(server.connections, 1)
})

const now = Date.now()
const payload = { issuer: 'acme', session: 'web', issuedAt: now, expiration: now + 900_000, message: 'ann' }
const good = signWidgetToken(payload, SECRET)
const refused: Array<[what: string, token: string, verdict: string]> = [
  ['has expired', signWidgetToken({ ...payload, issuedAt: now - 900_000, expiration: now - 1 }, SECRET), 'expired'],
  ['was altered', `${good.slice(0, 20)}${good[20] === 'A' ? 'B' : 'A'}${good.slice(21)}`, 'bad_signature'],
  ['has another signature', good.slice(0, -43) + signWidgetToken(payload, 'other').slice(-43), 'bad_signature'],
  ['is in seconds',
    signWidgetToken(
      { ...payload, issuedAt: Math.floor(now / 1_000), expiration: Math.floor(now / 1_000) + 900 },
      SECRET
    ), 'wrong_time_unit'],
  ['is valid for a day', signWidgetToken({ ...payload, expiration: now + 86_400_000 }, SECRET), 'lifetime_too_long'],
  ['is of another session', signWidgetToken({ ...payload, session: 'other' }, SECRET), 'wrong_session']
]
for (const [what, token, verdict] of refused) {
  t.test(`the client is refused with a token that ${what}`, async (t) => {
    const { client, connect, decided, server } = await feed(t)
    client.setAuthToken(token)
    connect()
    t.equal(await decided(1), 'UNAUTHORIZED')
    t.same(server.verdicts, [verdict])
  })
}
