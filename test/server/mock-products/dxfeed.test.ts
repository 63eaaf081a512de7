import t from 'tap'

import { startDxFeed } from '../../../server/mock-products/dxfeed.js'
import type { DxFeed, DxFeedOptions } from '../../../server/mock-products/dxfeed.js'
import { signWidgetToken } from '../../../signing/dxfeed/widget-token.js'
import { feedState } from '../../helpers/feed-state.js'

async function mock (test: Pick<typeof t, 'teardown'>, options: Partial<DxFeedOptions> = {}): Promise<DxFeed> {
  const started = await startDxFeed({ embedders: [], issuer: 'demo', session: 'web', timeUnit: 'ms', ...options })
  test.teardown(() => started.close())
  return started
}

function token (secret: string, { issuer = 'demo', issuedAt = Date.now(), minutes = 15 } = {}): string {
  return signWidgetToken({
    issuer,
    session: 'web',
    issuedAt,
    expiration: issuedAt + minutes * 60_000,
    message: 'ann,NYSE'
  }, secret)
}

function instruments ({ paths }: DxFeed, authorization: string): Promise<Response> {
  return fetch(paths.ipfPath, { headers: { authorization } })
}

t.test('the feed accepts the raw token, the instruments accept a Bearer token, and the schedule ' +
  'is public', async (t) => {
  const dxFeed = await mock(t)
  const good = token(dxFeed.secret)
  t.equal(await feedState(dxFeed.paths.feedPath, good), 'AUTHORIZED')
  t.equal(await feedState(dxFeed.paths.feedPath, `Bearer ${good}`), 'UNAUTHORIZED')
  const answer = await instruments(dxFeed, `Bearer ${good}`)
  t.equal(answer.status, 200)
  t.match(await answer.json(), { user: 'ann', filters: ['NYSE'], instruments: [{ symbol: 'AAPL' }] })
  t.equal((await instruments(dxFeed, good)).status, 401)
  t.match(await (await fetch(dxFeed.paths.schedulePath)).json(), { open: '09:30' })
})

t.test('a token that is absent, altered, foreign, expired or too long-lived is refused everywhere', async (t) => {
  const dxFeed = await mock(t)
  const { secret } = dxFeed
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
    t.equal(await feedState(dxFeed.paths.feedPath, bad), 'UNAUTHORIZED', `${name}: feed`)
    t.equal((await instruments(dxFeed, `Bearer ${bad}`)).status, 401, `${name}: instruments`)
  }
})

t.test('with an issued user id a token with another user id is refused everywhere', async (t) => {
  const dxFeed = await mock(t, { user: 'ann' })
  t.equal(await feedState(dxFeed.paths.feedPath, token(dxFeed.secret)), 'AUTHORIZED')
  const strict = await mock(t, { user: 'dx-user-7' })
  t.equal(await feedState(strict.paths.feedPath, token(strict.secret)), 'UNAUTHORIZED')
  t.equal((await instruments(strict, `Bearer ${token(strict.secret)}`)).status, 401)
})

t.test('only pages that embed the widget can send requests from another origin', async (t) => {
  const { paths } = await mock(t, { embedders: ['https://shop.example.com'] })
  for (
    const [origin, allowed] of [['https://shop.example.com', 'https://shop.example.com'], ['https://evil.test',
      null]] as const
  ) {
    const preflight = await fetch(paths.ipfPath, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' }
    })
    t.equal(preflight.status, 204)
    t.equal(preflight.headers.get('access-control-allow-origin'), allowed)
  }
})

t.test('a mock product with the time unit "s" reads seconds', async (t) => {
  const dxFeed = await mock(t, { timeUnit: 's' })
  const issuedAt = Math.floor(Date.now() / 1000)
  const seconds = signWidgetToken({
    issuer: 'demo',
    session: 'web',
    issuedAt,
    expiration: issuedAt + 900,
    message: 'test'
  }, dxFeed.secret)
  t.equal(await feedState(dxFeed.paths.feedPath, seconds), 'AUTHORIZED')
  t.equal(await feedState(dxFeed.paths.feedPath, token(dxFeed.secret)), 'UNAUTHORIZED')
})
