/* global crypto, fetch, window */
import { solveCaptcha } from './captcha.js'
import { renewProxyAuthUrl } from './databrain.js'

/** Each returns the URL of the frame, or throws an Error whose message may be shown. */
export const embeds = {
  // As the product's component does: its own servers fetch the guest token.
  async databrain ({ databrain: { mockOrigin, page: dbn, renewal }, ...page }) {
    window.dbn = dbn
    const url = `${mockOrigin}/component#${new URLSearchParams(window.dbn)}`
    renewProxyAuthUrl(renewal, () => csrfOf(page))
    return url
  },

  // As the product's SDK does: one POST to the authorization server, then the frame.
  async boldbi ({ boldbi: { mockOrigin, apiUrl }, ...page }) {
    const query = [
      ['embed_nonce', uuid()],
      ['embed_dashboard_id', 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff'],
      ['embed_mode', 'view'],
      ['embed_timestamp', Math.floor(Date.now() / 1000)],
      ['embed_expirationtime', 86_400]
    ].map((pair) => pair.join('=')).join('&')
    const answer = await readJson(await fetch('/authorize', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...await csrfOf(page) },
      body: JSON.stringify({ embedQuerString: query, dashboardServerApiUrl: apiUrl })
    }))
    if (answer.ApiStatus !== true) throw new Error(answer.Message)
    return mockOrigin + answer.Data.DashboardUrl
  }
}

/** Gets a widget token. A CSRF token and a solved captcha go with each request, if the server asks for them. */
export async function fetchWidgetToken (page, signal) {
  const headers = { ...await csrfOf(page), ...await captchaOf(page) }
  return fetch('/api/generate-token', { cache: 'no-store', headers, signal })
}

let csrfToken = null

/** The header that proves that this page made the request. One token for all: the first one to be made sets the cookie that goes with it. */
async function csrfOf ({ csrf }) {
  if (!csrf) return {}
  csrfToken ??= fetch('/csrf/token').then(readJson).catch((error) => {
    // The next embed asks again.
    csrfToken = null
    throw error
  })
  return { 'x-csrf-token': (await csrfToken).token }
}

/** The header with a solved captcha, which counts once. */
async function captchaOf ({ captcha }) {
  if (captcha === null) return {}
  if (captcha !== 'altcha') throw new Error(`The token asks for ${captcha}, which your own page shows.`)
  return { 'x-captcha-token': await solveCaptcha('/captcha/challenge?action=widget') }
}

/** What the product's newer component does: it calls the product through our proxy. Returns what to show of the answer. */
export async function throughProxy ({ databrain: { proxy } }) {
  const answer = await readJson(await fetch(`${proxy.url}/api/v2/dashboard?dashboardId=revenue`, { headers: { 'x-proxy-auth-key': proxy.key } }))
  return `${answer.data.externalDashboard.name} of ${answer.data.clientId}`
}

export async function readJson (answer) {
  const body = await answer.json()
  if (!answer.ok) throw new Error(body.error?.message ?? `${answer.status}`)
  return body
}

/** A random UUID; `crypto.randomUUID` is missing where the page came by plain http from another machine. */
function uuid () {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
