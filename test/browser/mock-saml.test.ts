import t from 'tap'

import { ANN, appKeys, ENTITY, samlClient } from '../helpers/saml-client.js'
import { openBrowser } from '../helpers/browser.js'
import { stubUpstream } from '../helpers/stub-upstream.js'
import { startSamlProvider } from '../../server/mock-products/saml/index.js'
import type { SamlProvider } from '../../server/mock-products/saml/index.js'

for (const javaScriptEnabled of [true, false]) {
  t.test(`Chromium ${javaScriptEnabled ? 'with' : 'without'} scripts signs in by SAML and signs out everywhere`, async (t) => {
    const browser = await openBrowser(t)
    if (browser === null) return
    const app = await stubUpstream(t, async ({ url }, response) => {
      if (url.startsWith('/slo')) {
        const query = new URL(url, app.origin)
        const { profile } = await client.validateRedirectAsync(
          Object.fromEntries(query.searchParams),
          query.search.slice(1)
        )
        if (profile === null) throw new Error('no logout request')
        response.writeHead(302, { location: await client.getLogoutResponseUrlAsync(profile, '', {}, true) as string })
      } else {
        response.writeHead(200, { 'content-type': 'text/html' })
      }
      response.end('<link rel="icon" href="data:,"><h1>The app</h1>')
    })
    const acsUrl = `${app.origin}/acs`
    const provider: SamlProvider = await startSamlProvider({
      sp: { entityId: ENTITY, acsUrl, sloUrl: `${app.origin}/slo`, certificate: appKeys.certificate }
    })
    t.teardown(() => provider.close())
    const client = samlClient(provider, { callbackUrl: acsUrl })
    const context = await browser.newContext({ javaScriptEnabled })
    const page = await context.newPage()
    const violations: string[] = []
    page.on('console', (message) => { if (message.type() === 'error') violations.push(message.text()) })

    await page.goto(await client.getAuthorizeUrlAsync('relay', undefined, {}))
    await page.click(`button[value="${ANN}"]`)
    if (!javaScriptEnabled) await page.click('text=Continue')
    await page.waitForURL(acsUrl)
    const call = app.calls.find(({ url }) => url === '/acs')
    t.equal(call?.headers.origin, provider.origin, 'the page says where the response comes from')
    const form = Object.fromEntries(new URLSearchParams(call?.body.toString()))
    t.equal(form['RelayState'], 'relay')
    const { profile } = await client.validatePostResponseAsync(form)
    t.match(profile, { attributes: { email: 'ann@example.com' } })

    await page.goto(provider.origin)
    await page.click('text=Sign out everywhere')
    await page.waitForSelector('text=The app has ended its session too.')
    t.same(violations, [])
  })
}
