/* global document, fetch, location, addEventListener, window */
import { embeds, readJson, throughProxy } from './embeds.js'
import { showWidget } from './widget.js'

const page = await readJson(await fetch('/demo/page.json'))

showUsers()
for (const name of ['databrain', 'boldbi', 'dxfeed']) load(name)
if (page.databrain?.proxy) showProxied()
if (page.pipelineKey !== null) offerEvents()

function showUsers () {
  const select = document.querySelector('#user')
  const users = page.users.length > 0 ? page.users : [page.user ?? 'nobody']
  select.replaceChildren(...users.map((user) => new window.Option(user, user, false, user === page.user)))
  select.disabled = page.users.length === 0
  select.addEventListener('change', async () => {
    const response = await fetch('/demo/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: select.value })
    })
    // Reads the whole response, because the reload would cancel the request.
    await response.text()
    location.reload()
  })
}

async function showProxied () {
  const line = document.querySelector('#proxied')
  const result = await throughProxy(page).catch((error) => error.message)
  line.append(' Response: ', Object.assign(document.createElement('b'), { textContent: result }))
}

async function load (name) {
  const product = page[name]
  if (product === null) return note(name, 'off', 'This product is disabled.')
  if (product.mockOrigin === null) {
    return note(name, 'live', 'The real product is configured. Embed it in your own page.')
  }
  if (page.user === null) return note(name, 'nobody', 'Set EMBED_USER to see it here.')
  try {
    if (name === 'dxfeed') await startWidget()
    else show(name, await embeds[name](page), product.mockOrigin)
  } catch (error) {
    note(name, 'refused', error.message, 'bad')
  }
}

function startWidget () {
  return showWidget(document.querySelector('#dxfeed .frame'), page, {
    onState: () => state('dxfeed', 'loaded', 'good'),
    onRefused: (error) => note('dxfeed', 'refused', error.message, 'bad')
  })
}

/** Shows a mock product's page, which posts a message when it has loaded with a valid token. */
function show (name, url, origin) {
  const frame = document.createElement('iframe')
  frame.title = `${name} embed`
  addEventListener('message', ({ source, origin: from, data }) => {
    if (from === origin && source === frame.contentWindow && data === 'gatehouse:loaded') state(name, 'loaded', 'good')
  })
  frame.src = url
  document.querySelector(`#${name} .frame`).replaceChildren(frame)
}

function note (name, label, text, tone) {
  const line = document.createElement('p')
  line.textContent = text
  document.querySelector(`#${name} .frame`).replaceChildren(line)
  state(name, label, tone)
}

function state (name, label, tone = '') {
  const badge = document.querySelector(`#${name} .state`)
  badge.textContent = label
  badge.className = `state ${tone}`
}

function offerEvents () {
  const button = document.querySelector('#send')
  const output = document.querySelector('#response')
  let count = 0
  button.disabled = false
  button.addEventListener('click', async () => {
    const event = { event: 'Button Clicked', userId: page.user ?? undefined, properties: { count: ++count } }
    const response = await fetch('/v1/t', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${page.pipelineKey}` },
      body: JSON.stringify(event)
    })
    output.textContent = `${JSON.stringify(event, null, 2)}\n\n${response.status} ${JSON.stringify(await response.json())}`
    output.className = response.ok ? 'good' : 'bad'
  })
}
