import t from 'tap'

import { signWidgetToken } from '../../signing/widget-token.js'
import { startDxFeed } from '../../demo/stand-ins/dxfeed.js'
import type { DxFeed, DxFeedOptions } from '../../demo/stand-ins/dxfeed.js'

async function standIn (test: Pick<typeof t, 'teardown'>, options: Partial<DxFeedOptions> = {}): Promise<DxFeed> {
  const started = await startDxFeed({ embedders: [], issuer: 'demo', session: 'web', timeUnit: 'ms', ...options })
  test.teardown(() => started.close())
  return started
}

function token (secret: string, { issuer = 'demo', issuedAt = Date.now(), minutes = 15 } = {}): string {
  return signWidgetToken({ issuer, session: 'web', issuedAt, expiration: issuedAt + minutes * 60_000, message: 'ann,NYSE' }, secret)
}

function ask (url: string, authorization: string): Promise<Response> {
  return fetch(url, { headers: { authorization } })
}

t.test('the feed takes the raw token, the rest takes it as a Bearer token', async (t) => {
  const { origin, secret } = await standIn(t)
  const good = token(secret)
  const quotes = await ask(`${origin}/quotes`, good)
  t.equal(quotes.status, 200)
  t.match(await quotes.json(), { quotes: [{ symbol: 'AAPL', price: Number, change: Number }] })
  t.equal((await ask(`${origin}/quotes`, `Bearer ${good}`)).status, 401)

  const instruments = await ask(`${origin}/instruments`, `Bearer ${good}`)
  t.equal(instruments.status, 200)
  t.match(await instruments.json(), { user: 'ann', filters: ['NYSE'] })
  t.equal((await ask(`${origin}/instruments`, good)).status, 401)
  t.equal((await fetch(`${origin}/widget?token=${encodeURIComponent(good)}`)).status, 200)
})

t.test('a token that is absent, altered, foreign, expired or too long-lived is refused everywhere', async (t) => {
  const { origin, secret } = await standIn(t)
  const good = token(secret)
  const cases: Record<string, string> = {
    absent: '',
    altered: good.slice(0, -2) + (good.endsWith('AA') ? 'BB' : 'AA'),
    'of another secret': token('foreign'),
    'of another issuer': token(secret, { issuer: 'other' }),
    expired: token(secret, { issuedAt: Date.now() - 16 * 60_000 }),
    'for an hour': token(secret, { minutes: 60 })
  }
  for (const [name, bad] of Object.entries(cases)) {
    t.equal((await ask(`${origin}/quotes`, bad)).status, 401, `${name}: quotes`)
    t.equal((await ask(`${origin}/instruments`, `Bearer ${bad}`)).status, 401, `${name}: instruments`)
    t.equal((await fetch(`${origin}/widget?token=${encodeURIComponent(bad)}`)).status, 401, `${name}: widget`)
  }
})

t.test('a stand-in of the other time unit reads seconds', async (t) => {
  const { origin, secret } = await standIn(t, { timeUnit: 's' })
  const issuedAt = Math.floor(Date.now() / 1000)
  const seconds = signWidgetToken({ issuer: 'demo', session: 'web', issuedAt, expiration: issuedAt + 900, message: 'test' }, secret)
  t.equal((await ask(`${origin}/quotes`, seconds)).status, 200)
  t.equal((await ask(`${origin}/quotes`, token(secret))).status, 401)
})
