/* global crypto, fetch */

/** Each returns the URL of the frame, or throws an Error whose message may be shown. */
export const embeds = {
  // As the product's component does: its own servers fetch the guest token.
  async databrain ({ databrain: { standIn, page } }) {
    return `${standIn}/component#${new URLSearchParams(page)}`
  },

  // As the product's SDK does: one POST to the authorization server, then the frame.
  async boldbi ({ boldbi: { standIn, apiUrl } }) {
    const query = [
      ['embed_nonce', uuid()],
      ['embed_dashboard_id', 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff'],
      ['embed_mode', 'view'],
      ['embed_timestamp', Math.floor(Date.now() / 1000)],
      ['embed_expirationtime', 86_400]
    ].map((pair) => pair.join('=')).join('&')
    const answer = await readJson(await fetch('/authorize', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ embedQuerString: query, dashboardServerApiUrl: apiUrl })
    }))
    if (answer.ApiStatus !== true) throw new Error(answer.Message)
    return standIn + answer.Data.DashboardUrl
  },

  // As the product's widgets do: the page fetches a token and hands it over.
  async dxfeed ({ dxfeed: { standIn } }) {
    const { token } = await readJson(await fetch('/api/generate-token'))
    return `${standIn}/widget?token=${encodeURIComponent(token)}`
  }
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
