/* global document, location, fetch, parent */
// The page passes its `window.dbn` in the URL's hash, which browsers do not send to servers.
const dbn = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))

const answer = await fetch(`/component/session${location.search}`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ ...dbn, isEnableProxyAuth: dbn.isEnableProxyAuth === 'true' })
})
const { token, error } = await answer.json()
if (token === undefined) {
  document.querySelector('main').textContent = error?.message ?? 'No guest token'
  parent.postMessage('gatehouse:refused', '*')
} else {
  location.replace(`/embed?token=${encodeURIComponent(token)}${location.search.replace('?', '&')}`)
}
