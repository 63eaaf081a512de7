import t from 'tap'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

import embedAuthorize from '../../routes/embed-authorize/index.js'
import guestToken from '../../routes/databrain/guest-token/index.js'
import widgetToken from '../../routes/widget-token/index.js'
import { verifyWidgetToken } from '../../signing/dxfeed/widget-token.js'
import { openBrowser } from '../helpers/browser.js'
import { DASHBOARD, SECRET as EMBED_SECRET } from '../helpers/embed.js'
import { API_KEY, PROXY_KEY, tokenOf, mint } from '../helpers/guest-token.js'
import { reply, stubUpstream } from '../helpers/stub-upstream.js'
import { START, tokenPage } from '../helpers/token-page.js'
import type { TokenPage } from '../helpers/token-page.js'
import { SECRET } from '../helpers/widget-token.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

/** Asserts that the first refresh is after `early` and at the latest at `late`, in milliseconds. */
async function refreshesBetween (t: Test, { pass, run }: TokenPage, early: number, late: number): Promise<void> {
  await pass(early)
  t.equal(await run('calls.length'), 1, `one request in ${early} ms`)
  await pass(late - early)
  t.equal(await run('calls.length'), 2, `a second request within ${late} ms`)
}

t.test('widget token: a page under a strict policy always has a valid token', async (t) => {
  const serve = async (app: FastifyInstance, now: () => number) =>
    await app.register(widgetToken, {
      secret: SECRET,
      issuer: 'acme',
      session: 'web',
      now,
      authorize: () => 'ann',
      cors: { origins: [] }
    })
  const page = await tokenPage(t, browser, serve)
  await page.keep('url: "/api/generate-token"')
  await page.until('tokens.length === 1')
  await refreshesBetween(t, page, 959_000, 1_021_000)
  for (let minutes = 0; minutes < 60; minutes++) {
    await page.pass(60_000)
    const verdict = verifyWidgetToken(await page.run('keeper.token()'), { secret: SECRET, now: page.now() })
    if (!verdict.valid) t.fail(`the token of minute ${minutes} is ${verdict.reason}`)
  }
  const tokens = await page.run<string[]>('tokens')
  t.equal(new Set(tokens).size, tokens.length)
  t.ok(tokens.length >= 5 && tokens.length <= 6, `${tokens.length} tokens in 77 minutes`)
  t.same(await page.run('errors'), [])
  await page.run('keeper.stop()')
})

t.test('widget token: onError receives the status of a refusal', async (t) => {
  let user: string | null = null
  const page = await tokenPage(t, browser, (app, now) =>
    app.register(widgetToken, {
      secret: SECRET,
      issuer: 'acme',
      session: 'web',
      now,
      authorize: () => user,
      userRateLimit: { max: 1 }
    }))
  await page.keep('url: "/api/generate-token"')
  await page.until('errors.length === 1')
  t.match(await page.run('errors'), [{ status: 401, retryIn: Infinity }])
  user = 'ann'
  await page.run('keeper.refresh()')
  await page.run('keeper.refresh(), 0')
  await page.until('errors.length === 2')
  t.match(await page.run('errors[1]'), { status: 429 })
  const wait = await page.run<number>('errors[1].retryIn')
  // The minute of the limit is measured by the real clock, which runs on while the machine is busy.
  t.ok(wait > 1_000 && wait <= 61_000, `the limit's own Retry-After: ${wait} ms`)
})

t.test('guest token: an endpoint that returns only { token } is requested again according to the ttl option', async (t) => {
  const databrain = await stubUpstream(t, mint)
  const page = await tokenPage(t, browser, async (app) => {
    await app.register(guestToken, {
      proxyKeys: [PROXY_KEY],
      apiKey: API_KEY,
      apiUrl: databrain.origin,
      dataAppName: 'sales',
      authorize: () => ({ clientId: 'acme' })
    })
    app.get('/my-token', async (_request, reply) => {
      const answer = await app.inject({
        url: '/api/databrain/guest-token',
        headers: { authorization: `Bearer ${PROXY_KEY}` }
      })
      return reply.code(answer.statusCode).send(answer.json())
    })
  })
  await page.keep('url: "/my-token", ttl: 360_000')
  await page.until('tokens.length === 1')
  t.same(await page.run('tokens'), [tokenOf('acme')])
  await refreshesBetween(t, page, 287_000, 307_000)
  t.same(await page.run('tokens.length'), 1, 'the same token of the route is not reported again')
})

t.test('embed: a function can send a POST and return the token and its lifetime', async (t) => {
  let granted = 0
  const answer = () => ({
    ApiStatus: true,
    Status: true,
    Message: '',
    Data: { access_token: `granted ${++granted}`, expires_in: 600 }
  })
  const bi = await stubUpstream(t, (call, response) => reply(answer())(call, response))
  const page = await tokenPage(t, browser, (app) =>
    app.register(embedAuthorize, {
      servers: [{ apiUrl: `${bi.origin}/bi/api/site/site1`, embedSecret: EMBED_SECRET }],
      authorize: () => ({ email: 'ann@example.com' })
    }))
  await page.keep(`fetch: async (signal) => {
    const query = 'embed_nonce=' + crypto.randomUUID() + '&embed_dashboard_id=${DASHBOARD}&embed_mode=view&embed_timestamp=${
    START / 1_000
  }&embed_expirationtime=600'
    const response = await fetch('/authorize', {
      method: 'POST', signal, headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ embedQuerString: query, dashboardServerApiUrl: '${bi.origin}/bi/api/site/site1' })
    })
    if (!response.ok) return response
    const { Status, Message, Data } = await response.json()
    if (!Status) throw new Error(Message)
    return { token: Data.access_token, ttl: Data.expires_in * 1000 }
  }`)
  await page.until('tokens.length + errors.length === 1')
  t.same(await page.run('[tokens, errors]'), [['granted 1'], []])
  await refreshesBetween(t, page, 479_000, 511_000)
  t.same(await page.run('tokens'), ['granted 1', 'granted 2'])
  await bi.close()
  await page.pass(600_000)
  t.ok(await page.run('errors.length > 3'), 'failures of the route are retried')
})
