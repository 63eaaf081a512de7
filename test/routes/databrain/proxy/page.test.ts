import t from 'tap'

import { pageConfig } from '../../../../routes/databrain/proxy/index.js'

const PROXY = { proxyUrl: 'https://app.example.com/api/databrain/proxy', proxyKey: 'key' }

t.test('window.dbn of a page that calls through the proxy names the proxy as its backend, and no user', async (t) => {
  t.same(pageConfig(PROXY), { baseUrl: 'https://app.example.com/api/databrain/proxy', proxyAuthKey: 'key' })
  t.equal(pageConfig({ ...PROXY, proxyUrl: 'https://app.example.com/' }).baseUrl, 'https://app.example.com')
})

t.test('window.dbn of a page with a guest-token route names the user by a reference', async (t) => {
  t.same(
    pageConfig({
      url: 'https://app.example.com/t?a=b',
      proxyKey: 'key',
      reference: 'v1.a.b',
      baseUrl: 'https://db.example.com'
    }),
    {
      baseUrl: 'https://db.example.com',
      proxyAuthUrl: 'https://app.example.com/t?a=b&ref=v1.a.b',
      proxyAuthKey: 'key',
      isEnableProxyAuth: true
    }
  )
})

for (
  const [name, options] of Object.entries({
    'a path alone': { ...PROXY, proxyUrl: '/proxy' },
    'another scheme': { ...PROXY, proxyUrl: 'javascript:alert(1)' },
    'a query, behind which no path can go': { ...PROXY, proxyUrl: `${PROXY.proxyUrl}?a` },
    'no key': { ...PROXY, proxyKey: '' }
  })
) {
  t.test(`pageConfig takes no proxy with ${name}`, async (t) => {
    t.throws(() => pageConfig(options), TypeError)
  })
}
