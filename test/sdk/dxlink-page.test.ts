import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'
import t from 'tap'
import type { Browser } from 'playwright-core'
import type { Test } from 'tap'

import widgetToken from '../../routes/widget-token/index.js'
import { openBrowser } from '../helpers/browser.js'
import { DXLINK_PATH, dxlinkServer } from '../../server/mock-products/dxlink.js'
import type { DxLinkServer } from '../../server/mock-products/dxlink.js'
import { tokenPage } from '../helpers/token-page.js'
import { SECRET } from '../helpers/widget-token.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

// Bundles the client as the build of a page does.
const { outputFiles: [bundle] } = await build({
  stdin: {
    contents: "export { DXLinkWebSocketClient } from '@dxfeed/dxlink-api'",
    resolveDir: fileURLToPath(new URL('.', import.meta.url))
  },
  bundle: true,
  format: 'esm',
  write: false
})

/** A page with a client of a feed, which accepts the route's tokens and has the same clock. */
async function feedPage (t: Test, browser: Browser) {
  let server: DxLinkServer | undefined
  const page = await tokenPage(t, browser, async (app, now) => {
    server = dxlinkServer(app.server, { secret: SECRET, issuer: 'acme', session: 'web', now, maxTtl: 20 * 60_000 })
    app.get('/dxlink.js', (_request, reply) => reply.type('text/javascript').send(bundle?.text))
    await app.register(widgetToken, {
      secret: SECRET,
      issuer: 'acme',
      session: 'web',
      now,
      authorize: () => 'ann',
      rateLimit: false,
      userRateLimit: false
    })
  })
  if (server === undefined) throw new Error('there is no feed')
  await page.run(`import('/dxlink.js').then(({ DXLinkWebSocketClient }) => {
    window.client = new DXLinkWebSocketClient()
    window.states = []
    client.addErrorListener(() => {})
    client.addAuthStateChangeListener((state) => states.push(state))
  })`)
  return {
    server,
    ...page,
    connect: () => page.run(`client.connect('${page.origin.replace('http', 'ws')}${DXLINK_PATH}')`)
  }
}

t.test('the unmodified client stays authorized for an hour, with each new token before the ' +
  'previous token ends', async (t) => {
  const { connect, keep, pass, run, server, until } = await feedPage(t, browser)
  await keep('url: "/api/generate-token", onToken: (token) => { tokens.push(token); client.setAuthToken(token) }')
  await until('tokens.length === 1')
  await connect()
  await until('states.at(-1) === "AUTHORIZED"')
  const before = await run<number>('states.length')
  for (let minutes = 0; minutes < 60; minutes++) {
    await pass(60_000)
    await until('states.at(-1) !== "AUTHORIZING"')
    server.endExpired()
  }
  t.same([...new Set(await run<string[]>(`states.slice(${before})`))].sort(), ['AUTHORIZED', 'AUTHORIZING'])
  t.ok(server.verdicts.length >= 4, `${server.verdicts.length} tokens`)
  t.ok(server.verdicts.every((verdict) => verdict === 'authorized ann'))
  t.equal(server.connections, 1)
  t.same(await run('errors'), [])
})

t.test('without the helper the authorization ends with the token', async (t) => {
  const { connect, pass, run, server, until } = await feedPage(t, browser)
  await run(
    'fetch("/api/generate-token").then((response) => response.json()).then(({ token }) => client.setAuthToken(token))'
  )
  await connect()
  await until('states.at(-1) === "AUTHORIZED"')
  await pass(20 * 60_000)
  server.endExpired()
  await until('states.at(-1) === "UNAUTHORIZED"')
  t.same(server.verdicts, ['authorized ann'])
})
