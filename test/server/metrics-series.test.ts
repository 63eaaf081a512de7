import { METHODS } from 'node:http'

import type { HTTPMethods } from 'fastify'
import t from 'tap'

import { scraped } from '../helpers/metrics.js'
import type { Samples } from '../helpers/metrics.js'
import { rawRequest } from '../helpers/raw-socket.js'
import { demoApp } from '../helpers/server-app.js'

t.test('random providers, users, groups, filters and methods on single sign-on and SCIM add no series', async (t) => {
  const { app } = await demoApp(t, { NOT_FOUND_RATE_MAX: '0' }, { listen: true })
  const methods = METHODS.filter((method) => method !== 'CONNECT')
  const sso = '/v1/admin/auth/sso'

  /** Sends one request of each kind, from another address each time, which is below every limit. */
  async function send (at: number): Promise<void> {
    const name = `n${at}`
    const remoteAddress = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`
    const headers = { authorization: `Bearer ${name}`, origin: `https://${name}.example`, 'user-agent': name }
    const method = methods[at % methods.length] as HTTPMethods
    for (
      const request of [
        { url: `${sso}?email=${name}@${name}.example` },
        { url: `${sso}/oidc/${name}/start?login_hint=${name}` },
        { method: 'POST' as const, url: `${sso}/saml/${name}/acs`, payload: { SAMLResponse: name } },
        { method: 'POST' as const, url: `${sso}/token`, payload: { code: name } },
        { url: `/scim/v2/Users?filter=${encodeURIComponent(`userName eq "${name}"`)}` },
        { method: 'PATCH' as const, url: `/scim/v2/Groups/${name}`, payload: { Operations: [] } },
        { url: `/scim/v2/${name}/${name}` },
        { method, url: `/scim/v2/Users/${name}` }
      ]
    ) await app.inject({ ...request, headers, remoteAddress })
  }

  for (let at = 0; at < methods.length; at++) await send(at)
  const unknownMethod = (at: number) => rawRequest(app.listeningOrigin, [`X${at} / HTTP/1.1`, 'Host: a'])
  await unknownMethod(0)
  await scraped(app)
  const before = await scraped(app)
  for (let at = methods.length; at < methods.length * 5; at++) await send(at)
  for (let at = 1; at < 10; at++) t.equal((await unknownMethod(at)).statusCode, 400)
  const after = await scraped(app)
  const requests = (samples: Samples) => samples.sum('gatehouse_http_requests_total')
  t.equal(after.series, before.series)
  t.equal(requests(after) - requests(before), methods.length * 4 * 8 + 10, 'with the scrape before')
  t.ok(before.values('gatehouse_http_requests_total', 'route').includes('/scim/v2/Users/:id'))
})
