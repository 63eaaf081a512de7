import t from 'tap'

import { ANN, attempt, discover, redeem } from '../helpers/oidc-client.js'
import { openBrowser } from '../helpers/browser.js'
import { stubUpstream } from '../helpers/stub-upstream.js'
import { startOidcProvider } from '../../server/mock-products/oidc/index.js'

for (const javaScriptEnabled of [true, false]) {
  t.test(`Chromium ${javaScriptEnabled ? 'with' : 'without'} scripts signs in, cancels and signs out everywhere`, async (t) => {
    const browser = await openBrowser(t)
    if (browser === null) return
    const app = await stubUpstream(t, (_call, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<link rel="icon" href="data:,"><h1>The app</h1>')
    })
    const callback = `${app.origin}/callback`
    const provider = await startOidcProvider({
      redirectUris: [callback],
      backchannelLogoutUrl: `${app.origin}/logout`
    })
    t.teardown(() => provider.close())
    const configuration = await discover(provider)
    const context = await browser.newContext({ javaScriptEnabled })
    const page = await context.newPage()
    const violations: string[] = []
    page.on('console', (message) => { if (message.type() === 'error') violations.push(message.text()) })

    await page.goto((await attempt(configuration, { redirect_uri: callback })).url)
    await page.click('text=Cancel')
    await page.waitForURL(/\/callback\?error=access_denied/)

    const tried = await attempt(configuration, { redirect_uri: callback })
    await page.goto(tried.url)
    await page.click('text=Ann Archer')
    await page.waitForURL(/\/callback\?code=/)
    const tokens = await redeem(configuration, { location: page.url() }, tried)
    t.equal(tokens.claims()?.sub, ANN)

    await page.goto(provider.origin)
    await page.click('text=Sign out everywhere')
    await page.waitForSelector('text=The app has been notified.')
    t.equal(app.calls.filter(({ url }) => url === '/logout').length, 1)
    t.same(violations, [])
  })
}
