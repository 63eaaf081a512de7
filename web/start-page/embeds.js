/* global crypto, fetch, window */
import { solveCaptcha } from './captcha.js'
import { renewProxyAuthUrl } from './databrain.js'

/** Each function returns the URL of the frame, or throws an Error whose message is safe to show. */
export const embeds = {
  // Like the product's component: the product's servers fetch the guest token.
  async databrain ({ databrain: { mockOrigin, page: dbn, renewal }, ...page }) {
    window.dbn = dbn
    const url = `${mockOrigin}/component#${new URLSearchParams(window.dbn)}`
    renewProxyAuthUrl(renewal, () => csrfOf(page))
    return url
  },

  // Like the product's SDK: one POST to the authorization server, then the frame.
  async boldbi ({ boldbi: { mockOrigin, apiUrl }, ...page }) {
    const query = [
      ['embed_nonce', uuid()],
      ['embed_dashboard_id', 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff'],
      ['embed_mode', 'view'],
      ['embed_timestamp', Math.floor(Date.now() / 1000)],
      ['embed_expirationtime', 86_400]
    ].map((pair) => pair.join('=')).join('&')
    const response = await readJson(
      await fetch('/authorize', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...await csrfOf(page) },
        body: JSON.stringify({ embedQuerString: query, dashboardServerApiUrl: apiUrl })
      })
    )
    if (response.ApiStatus !== true) throw new Error(response.Message)
    return mockOrigin + response.Data.DashboardUrl
  }
}

/** Requests a widget token, with a CSRF token and a solved captcha if the server requires them. */
export async function fetchWidgetToken (page, signal) {
  const headers = { ...await csrfOf(page), ...await captchaOf(page) }
  return fetch('/api/generate-token', { cache: 'no-store', headers, signal })
}

let csrfToken = null

/**
 * Returns the header with a CSRF token. All requests share one token, because its first request sets the related
 * cookie.
 */
async function csrfOf ({ csrf }) {
  if (!csrf) return {}
  csrfToken ??= fetch('/csrf/token').then(readJson).catch((error) => {
    // The next embed requests a token again.
    csrfToken = null
    throw error
  })
  return { 'x-csrf-token': (await csrfToken).token }
}

/** Returns the header with a solved captcha, which is valid once. */
async function captchaOf ({ captcha }) {
  if (captcha === null) return {}
  if (captcha !== 'altcha') throw new Error(`The widget token requires ${captcha}, which only your own page can show.`)
  return { 'x-captcha-token': await solveCaptcha('/captcha/challenge?action=widget') }
}

/** Like the product's newer component: calls the product through this server's proxy. Returns what to show. */
export async function throughProxy ({ databrain: { proxy } }) {
  const response = await readJson(
    await fetch(`${proxy.url}/api/v2/dashboard?dashboardId=revenue`, { headers: { 'x-proxy-auth-key': proxy.key } })
  )
  return `${response.data.externalDashboard.name} of ${response.data.clientId}`
}

export async function readJson (response) {
  const body = await response.json()
  if (!response.ok) throw new Error(body.error?.message ?? `${response.status}`)
  return body
}

/**
 * Returns a random UUID; `crypto.randomUUID` is missing on a page that was loaded by plain http from another machine.
 */
function uuid () {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    ''
  )
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
