// @databrainhq/plugin 0.12.9 calls an address that is built into it. These lines send its calls to the proxy.
const BUILT_IN = 'https://edetnvlrqissubqlrwbtvwx2ia0tqykw.lambda-url.us-east-1.on.aws/'
const { fetch: send } = window

window.fetch = (input, init = {}) => {
  const url = String(input)
  if (!url.startsWith(BUILT_IN)) return send(input, init)
  const headers = new Headers(init.headers)
  headers.set('X-Proxy-Auth-Key', window.dbn.proxyAuthKey)
  return send(`${window.dbn.baseUrl}/${url.slice(BUILT_IN.length)}`, { ...init, headers })
}
