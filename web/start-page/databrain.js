/* global fetch, window */
import { keepToken } from './browser.js'

/** Keeps `window.dbn.proxyAuthUrl` valid while the page is open. `headersOf` returns the headers of a request. */
export function renewProxyAuthUrl (url, headersOf) {
  return keepToken({
    async fetch (signal) {
      const response = await fetch(url, { cache: 'no-store', headers: await headersOf(), signal })
      if (!response.ok) return response
      const { proxyAuthUrl, ...times } = await response.json()
      return { token: proxyAuthUrl, ...times }
    },
    onToken (proxyAuthUrl) {
      window.dbn.proxyAuthUrl = proxyAuthUrl
    }
  })
}
