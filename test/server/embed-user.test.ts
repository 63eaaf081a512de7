import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import { readConfig } from '../../server/config/index.js'
import { verifyWidgetToken } from '../../signing/dxfeed/widget-token.js'
import { demoApp } from '../helpers/server-app.js'

const json = { 'content-type': 'application/json' }
const REAL_DXFEED = { DXFEED_SECRET: 's3cr3t', DXFEED_ISSUER: 'acme', DXFEED_SESSION: 'web' }

/**
 * The built-in server, and a function that returns the user of a request on all three embedding routes, or the
 * status of a refusal.
 */
async function server (t: Test, variables: Record<string, string>) {
  const { app, products: { databrain, boldbi, dxfeed }, secrets } = await demoApp(t, variables, { listen: true })
  const usersOf = async (headers: Record<string, string> = {}): Promise<unknown[]> => {
    const guest = await app.inject({
      url: '/api/databrain/guest-token',
      headers: { authorization: `Bearer ${secrets.DATABRAIN_PROXY_KEY[0]}`, ...headers }
    })
    const query = `embed_nonce=${randomUUID()}&embed_dashboard_id=d1&embed_mode=view`
    const embed = await app.inject({
      method: 'POST',
      url: '/authorize',
      headers: { ...json, ...headers },
      payload: { embedQuerString: query, dashboardServerApiUrl: boldbi?.apiUrl }
    })
    const widget = await app.inject({ url: '/api/generate-token', headers })
    const shown = async (url: string) => /<b>([^<]+)</.exec(await (await fetch(url)).text())?.[1]
    const verdict = widget.statusCode === 200
      ? verifyWidgetToken(widget.json().token, { secret: dxfeed?.secret ?? '' })
      : null
    return [
      guest.statusCode === 200
        ? await shown(`${databrain?.mockOrigin}/embed?token=${guest.json().token}`)
        : guest.statusCode,
      embed.statusCode === 200
        ? await shown(`${boldbi?.mockOrigin}${embed.json().Data.DashboardUrl}`)
        : embed.statusCode,
      verdict?.valid === true ? verdict.payload.user : widget.statusCode
    ]
  }
  return { app, usersOf }
}

t.test('the end user comes from the reference, else the session, else EMBED_USER, on all ' +
  'three embedding routes', async (t) => {
  const { app, usersOf } = await server(t, { EMBED_USER: 'fallback@example.com' })
  const chosen = await app.inject({ method: 'POST', url: '/demo/session', payload: { user: 'ann@example.com' } })
  const cookie = String(chosen.headers['set-cookie']).split(';')[0] ?? ''
  const reference = { 'x-user-reference': app.userReference.sign({ sub: 'bob@example.com' }) }
  t.same(await usersOf(), Array(3).fill('fallback@example.com'))
  t.same(await usersOf({ cookie }), Array(3).fill('ann@example.com'))
  t.same(await usersOf({ cookie, ...reference }), Array(3).fill('bob@example.com'))
  t.same(await usersOf({ cookie: `${cookie}x` }), Array(3).fill('fallback@example.com'), 'a forged session')
  t.same(await usersOf({ cookie, 'x-user-reference': 'forged' }), [401, 401, 401], 'a forged reference is refused')
})

t.test('with only mock products the default end user is viewer@example.com', async (t) => {
  const { usersOf } = await server(t, {})
  t.same(await usersOf(), Array(3).fill('viewer@example.com'))
})

t.test('with a real product there is no default end user, but a reference and EMBED_USER still count', async (t) => {
  const bare = await server(t, REAL_DXFEED)
  t.same(await bare.usersOf(), [401, 401, 401])
  t.same(
    await bare.usersOf({ 'x-user-reference': bare.app.userReference.sign({ sub: 'bob@example.com' }) }),
    Array(3).fill('bob@example.com')
  )
  const set = await server(t, { ...REAL_DXFEED, EMBED_USER: 'fallback@example.com' })
  t.same(await set.usersOf(), Array(3).fill('fallback@example.com'))
})

t.test('DXFEED_USER is the user id of every widget token, and a token still requires an end user', async (t) => {
  const mock = await server(t, { DXFEED_USER: 'dx-user-7' })
  t.same(await mock.usersOf(), ['viewer@example.com', 'viewer@example.com', 'dx-user-7'])
  const real = await server(t, { ...REAL_DXFEED, DXFEED_USER: 'dx-user-7' })
  t.same(await real.usersOf(), [401, 401, 401])
})

t.test('EMBED_USER is refused in production', async (t) => {
  t.throws(() => readConfig({ NODE_ENV: 'production', EMBED_USER: 'ann@example.com' }), { message: /EMBED_USER/ })
})
