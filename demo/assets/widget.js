/* global document, location, fetch, parent, setInterval */
const token = new URLSearchParams(location.search).get('token')
const rows = document.querySelector('#quotes')

async function refresh () {
  const answer = await fetch('/quotes', { headers: { authorization: token } })
  if (!answer.ok) return false
  const { quotes } = await answer.json()
  rows.replaceChildren(...quotes.map(({ symbol, price, change }) => row([
    [symbol, ''], [price.toFixed(2), ''], [`${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(2)}%`, change < 0 ? 'down' : 'up']
  ])))
  return true
}

function row (cells) {
  const line = document.createElement('tr')
  for (const [text, tone] of cells) {
    const cell = line.insertCell()
    cell.textContent = text
    cell.className = tone
  }
  return line
}

const instruments = await fetch('/instruments', { headers: { authorization: `Bearer ${token}` } })
document.querySelector('#user').textContent = instruments.ok ? `Subscribed as ${(await instruments.json()).user}` : 'Refused'
if (await refresh()) {
  parent.postMessage('gatehouse:loaded', '*')
  setInterval(refresh, 2_000)
}
