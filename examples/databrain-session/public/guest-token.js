// Renews the user reference in `proxyAuthUrl`, so that the page can stay open for longer than 12 hours.
import { keepToken } from 'fastify-gatehouse/browser'

keepToken({
  async fetch (signal) {
    const response = await fetch('/api/databrain/proxy-auth-url', { cache: 'no-store', signal })
    if (!response.ok) return response
    const { proxyAuthUrl, ...times } = await response.json()
    return { token: proxyAuthUrl, ...times }
  },
  onToken (proxyAuthUrl) {
    window.dbn.proxyAuthUrl = proxyAuthUrl
  },
  onError (_error, retryIn) {
    if (retryIn === Infinity) window.location.assign('/login')
  }
})
