/* global document, location, fetch */
// The page passes the two values behind the hash, which stays in the browser, as it does with the product's `window.dbn`.
const { proxyAuthUrl, proxyAuthKey } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))

const answer = await fetch('/component/session', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ proxyAuthUrl, proxyAuthKey })
})
const { token, error } = await answer.json()
if (token === undefined) document.querySelector('main').textContent = error?.message ?? 'No guest token'
else location.replace(`/embed?token=${encodeURIComponent(token)}`)
