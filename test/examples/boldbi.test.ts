import t from 'tap'
import type { Test } from 'tap'

import { startBoldBi } from '../../server/mock-products/boldbi.js'
import { generateSecret } from '../../signing/index.js'
import { sdkBody, sdkQueries } from '../helpers/boldbi-sdk.js'
import { cookieOf, DEMO_PASSWORD, scriptsOf } from '../helpers/example-login.js'
import { exampleApp, startError, startExample } from '../helpers/example.js'

const COOKIE_SECRET = generateSecret()
const envOf = (BOLDBI_URL: string, BOLDBI_EMBED_SECRET: string) => ({
  BOLDBI_URL, BOLDBI_EMBED_SECRET, COOKIE_SECRET, DEMO_PASSWORD
})

/** The example with the mock Bold BI, and what the SDK on its page posts. */
async function start (t: Test) {
  const bold = await startBoldBi({ embedders: [] })
  t.teardown(() => bold.close())
  const app = await exampleApp(t, 'boldbi', envOf(bold.origin, bold.embedSecret))
  const post = (dashboardId: string, cookie: string, apiUrl = bold.apiUrl) => app.inject({
    method: 'POST',
    url: '/authorize',
    headers: cookie === '' ? {} : { cookie },
    payload: { ...sdkBody(sdkQueries.render({ dashboardId }), apiUrl) }
  })
  return { app, bold, post }
}

/** What the page of a user tells the SDK. */
async function pageOf (app: Awaited<ReturnType<typeof exampleApp>>, cookie: string) {
  const { statusCode, body } = await app.inject({ url: '/', headers: { cookie } })
  const [, serverUrl, dashboardId = ''] = /data-server-url="([^"]+)" data-dashboard-id="([^"]+)"/.exec(body) ?? []
  return { statusCode, body, serverUrl, dashboardId }
}

t.test('the page of a user embeds a dashboard, which shows the rows of the user\'s region', async (t) => {
  const { app, bold, post } = await start(t)
  for (const [user, region] of [['ann', 'EU'], ['bob', 'US']] as const) {
    const cookie = await cookieOf(app, user)
    const { serverUrl, dashboardId } = await pageOf(app, cookie)
    t.equal(serverUrl, `${bold.origin}/bi/site/site1`)
    const granted = await post(dashboardId, cookie)
    t.equal(granted.statusCode, 200)
    t.match(granted.json(), { Status: true, Data: { access_token: String, DashboardId: dashboardId } })
    const dashboard = await (await fetch(bold.origin + granted.json().Data.DashboardUrl)).text()
    t.match(dashboard, `${user}@example.com`)
    t.match(dashboard, `Region = &quot;${region}&quot;`)
  }
})

t.test('the dashboard of another user is refused', async (t) => {
  const { app, post } = await start(t)
  const [ann, bob] = [await cookieOf(app, 'ann'), await cookieOf(app, 'bob')]
  const { dashboardId } = await pageOf(app, bob)
  const refused = await post(dashboardId, ann)
  t.equal(refused.statusCode, 200, 'as the SDK shows the message of no other status')
  t.match(refused.json(), { Status: false, Message: 'This dashboard is not yours' })
  t.notHas(refused.json(), { Data: {} })
})

t.test('a query without a user, with an altered cookie, or for another server is refused', async (t) => {
  const { app, post } = await start(t)
  const cookie = await cookieOf(app, 'ann')
  const { dashboardId } = await pageOf(app, cookie)
  for (const altered of ['', cookie.replace('ann', 'bob'), 'user=ann']) {
    const { statusCode, json } = await post(dashboardId, altered)
    t.strictSame([statusCode, json().error.code], [401, 'UNAUTHORIZED'], altered)
  }
  const { statusCode, json } = await post(dashboardId, cookie, 'https://evil.example/bi/api/site/site1')
  t.strictSame([statusCode, json().error.code], [403, 'FORBIDDEN'])
})

t.test('a cookie is valid for 12 hours', async (t) => {
  const { app } = await start(t)
  const at = (time: number) => `user=${encodeURIComponent(app.signCookie(`ann.${time}`))}`
  const hours = 60 * 60 * 1000
  t.equal((await pageOf(app, at(Date.now() - 11 * hours))).statusCode, 200)
  t.equal((await pageOf(app, at(Date.now() - 13 * hours))).statusCode, 302)
})

t.test('the script of the page is served', async (t) => {
  const { app } = await start(t)
  const { body } = await pageOf(app, await cookieOf(app, 'ann'))
  t.strictSame(scriptsOf(body), ['/dashboard.js'])
  const { statusCode, headers } = await app.inject('/dashboard.js')
  t.strictSame([statusCode, headers['content-type']], [200, 'text/javascript'])
})

t.test('the example starts with its environment, and does not start without a secret', async (t) => {
  const env = envOf('https://bi.example.com', generateSecret())
  const { origin } = await startExample(t, 'boldbi', env)
  t.equal((await fetch(`${origin}/login`)).status, 200)
  for (const name of ['BOLDBI_EMBED_SECRET', 'COOKIE_SECRET', 'DEMO_PASSWORD']) {
    const message = name === 'BOLDBI_EMBED_SECRET' ? '.embedSecret"' : name
    t.match(await startError(t, 'boldbi', { ...env, [name]: '' }), message, name)
  }
})
