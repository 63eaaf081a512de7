import t from 'tap'

import { pageConfig } from '../../../../routes/databrain/proxy/index.js'

const PROXY = { proxyUrl: 'https://app.example.com/api/databrain/proxy', proxyKey: 'key' }

t.test('pageConfig for the proxy returns the proxy as base URL and no user', async (t) => {
  t.same(pageConfig(PROXY), { baseUrl: 'https://app.example.com/api/databrain/proxy', proxyAuthKey: 'key' })
  t.equal(pageConfig({ ...PROXY, proxyUrl: 'https://app.example.com/' }).baseUrl, 'https://app.example.com')
})

t.test('pageConfig for the guest-token route returns a proxyAuthUrl with the reference of the user', async (t) => {
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
    'only a path': { ...PROXY, proxyUrl: '/proxy' },
    'another scheme': { ...PROXY, proxyUrl: 'javascript:alert(1)' },
    'a query': { ...PROXY, proxyUrl: `${PROXY.proxyUrl}?a` },
    'no key': { ...PROXY, proxyKey: '' }
  })
) {
  t.test(`pageConfig refuses a proxy URL or key with ${name}`, async (t) => {
    t.throws(() => pageConfig(options), TypeError)
  })
}
