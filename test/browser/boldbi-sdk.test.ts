import Fastify from 'fastify'
import type { FastifyReply } from 'fastify'
import t from 'tap'

import { FORBIDDEN } from '../../lib/errors.js'
import embedAuthorize from '../../routes/embed-authorize/index.js'
import { SDK_SCRIPT, sdkBody, sdkQueries } from '../helpers/boldbi-sdk.js'
import { boldbiServer } from '../helpers/boldbi-server.js'
import { openBrowser } from '../helpers/browser.js'
import { DASHBOARD, SECRET } from '../helpers/embed.js'
import { servePage } from '../helpers/sdk-page.js'
import { cut, reply } from '../helpers/stub-upstream.js'

const ATTACK = '<img src="data:," onerror="window.ran = true">it is "down" & <b>out</b>'
const RAN = '"ran" in window'

t.test('a page of another origin gets a token and reads refusals by the SDK’s calls, and no script in ' +
  'a Message runs', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const bi = await boldbiServer(t)
  const origin = await servePage(t, () => SDK_SCRIPT)
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  const servers = [{ apiUrl: bi.apiUrl, embedSecret: SECRET }]
  const cors = { origins: [origin] }
  const authorize = (_request: unknown, { dashboardId }: { dashboardId: string | null }) => {
    if (dashboardId === 'forbidden') throw new FORBIDDEN({ message: 'Not <your> dashboard' })
    return dashboardId === 'nobody' ? null : { email: 'viewer@example.com' }
  }
  await app.register(embedAuthorize, { servers, cors, authorize, retries: 0, pinboard: true })
  await app.register(embedAuthorize, { servers, cors, authorize, retries: 0, errors: 'http', prefix: '/http' })
  // An authorization server without escaping.
  app.post(
    '/bare',
    async (_request, reply: FastifyReply) =>
      reply.header('access-control-allow-origin', origin).send({ Status: false, Message: ATTACK })
  )
  app.options(
    '/bare',
    async (_request, reply: FastifyReply) =>
      reply.headers({
        'access-control-allow-origin': origin,
        'access-control-allow-headers': 'content-type, x-user-reference'
      }).send()
  )
  await app.listen({ port: 0, host: '127.0.0.1' })

  const page = await browser.newPage()
  await page.goto(origin)
  const show = (path: string, query: string) =>
    page.evaluate(
      `sdkShow(${
        JSON.stringify({
          url: app.listeningOrigin + path,
          body: sdkBody(query, bi.apiUrl),
          headers: { 'X-User-Reference': 'none' }
        })
      })`
    )
  const dashboard = (dashboardId = DASHBOARD) => sdkQueries.render({ dashboardId })

  t.equal(await show('/authorize', dashboard()), 'token granted')
  t.equal(await show('/authorize', sdkQueries.changeLayout('h1', 2)), 'token granted')
  t.equal(await show('/authorize', dashboard('forbidden')), 'BoldBI Embedded:Not <your> dashboard')
  t.equal(
    await show('/http/authorize', dashboard('forbidden')),
    'BoldBI Embedded:Forbidden',
    'the SDK shows only the name of a status'
  )
  t.equal(await show('/authorize', dashboard('nobody')), 'BoldBI Embedded:Unauthorized')
  bi.answer = cut
  t.equal(await show('/authorize', dashboard()), 'BoldBI Embedded:The upstream service returned no usable response')

  for (
    const answer of [{ ApiStatus: false, Status: false, Message: ATTACK }, {
      Status: false,
      Message: ATTACK,
      Data: null
    }]
  ) {
    bi.answer = reply(answer)
    t.equal(await show('/authorize', dashboard()), `BoldBI Embedded:${ATTACK}`, 'the message is shown unchanged')
    t.equal(await page.evaluate(RAN), false)
    t.equal(await page.locator('img, b').count(), 0)
  }
  t.equal(await page.evaluate(RAN), false)
  t.match(await show('/bare', dashboard()), 'it is "down"')
  await page.waitForFunction(RAN)
  t.pass('the script runs without the escaping')

  await page.goto(await servePage(t, () => SDK_SCRIPT))
  t.equal(
    await show('/authorize', dashboard()),
    'BoldBI Embedded:',
    'the page of an unlisted origin gets no response'
  )
})
