import crypto from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import url from 'node:url'
import { runInNewContext } from 'node:vm'

import express from 'express'
import t from 'tap'
import type { Test } from 'tap'

import { demoApp } from '../helpers/server-app.js'
import { pageSnippet } from '../helpers/page-snippet.js'

const json = { 'content-type': 'application/json' }

interface Granted {
  ApiStatus: boolean
  Status: boolean
  Data: { access_token: string, expires_in: number, DashboardUrl: string }
}

/** Runs the page's Express sample unchanged, with the variables that it expects; returns its origin. */
async function expressSample (t: Test, embedSecret: string, userEmail: string): Promise<string> {
  const app = express()
  app.use(express.json())
  // The sample assigns undeclared variables, so it runs as a script in a separate context, not as a module.
  runInNewContext(await pageSnippet('boldbi-express'), {
    app,
    url,
    http,
    https,
    crypto,
    Buffer,
    embedSecret,
    userEmail
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() =>
    new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test("the mock product accepts the Express sample of Bold BI's page, with any characters in " +
  'its signature', async (t) => {
  const { products: { boldbi } } = await demoApp(t)
  const origin = await expressSample(t, boldbi?.embedSecret ?? '', 'ann@example.com')
  const query = (await pageSnippet('boldbi-query')).trim()
  for (let round = 0; round < 30; round++) {
    const embedQuerString = query.replace(/embed_nonce=[^&]+/, `embed_nonce=${crypto.randomUUID()}`)
    const body = JSON.stringify({ embedQuerString, dashboardServerApiUrl: boldbi?.apiUrl })
    const answer = await (await fetch(`${origin}/authorize`, { method: 'POST', headers: json, body })).json() as Granted
    t.match(answer, { ApiStatus: true, Status: true, Data: { access_token: String, expires_in: 86_400 } })
    t.match(await (await fetch(`${boldbi?.mockOrigin}${answer.Data.DashboardUrl}`)).text(), 'ann@example.com')
  }
})

t.test('the mock product refuses the Express sample with another secret', async (t) => {
  const { products: { boldbi } } = await demoApp(t)
  const origin = await expressSample(t, '8apLLNabQisvriG2W1nOI7XWkl2CsYY', 'ann@example.com')
  const body = JSON.stringify({
    embedQuerString: (await pageSnippet('boldbi-query')).trim(),
    dashboardServerApiUrl: boldbi?.apiUrl
  })
  t.match(await (await fetch(`${origin}/authorize`, { method: 'POST', headers: json, body })).json(), {
    ApiStatus: false,
    Status: false
  })
})

t.test("the built-in server authorises the query of Bold BI's page, with its old embed_timestamp", async (t) => {
  const { app, products: { boldbi } } = await demoApp(t)
  const embedQuerString = (await pageSnippet('boldbi-query')).trim()
  t.match(embedQuerString, '&embed_timestamp=1756891690&embed_expirationtime=86400')
  const response = await app.inject({
    method: 'POST',
    url: '/authorize',
    headers: json,
    payload: { embedQuerString, dashboardServerApiUrl: boldbi?.apiUrl }
  })
  t.equal(response.statusCode, 200)
  const { Data, ...rest } = response.json<Granted>()
  t.match(rest, { ApiStatus: true, Status: true })
  t.equal(Data.expires_in, 86_400)
  t.match(await (await fetch(`${boldbi?.mockOrigin}${Data.DashboardUrl}`)).text(), 'viewer@example.com')
})
