/* global document, Element, fetch, WebSocket, setInterval, clearInterval, window */
// A mock of dxFeed's SimpleChart widget. It accepts only the properties that dxFeed's documentation on token-based
// authentication shows. The state is the selected symbol.
{
  const PROVIDERS = ['feedPath', 'feedAuthHeader', 'ipfPath', 'ipfAuthHeader', 'schedulePath']
  const TOKEN = /^[A-Za-z0-9+/]+\.[A-Za-z0-9_-]{43}$/
  const shown = new WeakMap()

  window.newSimpleChartWidget = function newSimpleChartWidget (options) {
    check(options)
    const { element, providers, state = {} } = options
    const listeners = new Set()
    // A new widget replaces the previous widget of the element.
    shown.get(element)?.()
    const view = open(
      element,
      providers,
      { ...state },
      (newState) => listeners.forEach((listener) => listener(newState))
    )
    shown.set(element, view)
    return {
      addStateListener (listener) {
        if (typeof listener !== 'function') throw new TypeError('addStateListener: the listener must be a function')
        listeners.add(listener)
      }
    }
  }

  function check (options) {
    const { element, providers, state, ...others } = options ?? {}
    if (!(element instanceof Element)) throw new TypeError('element must be an element of the page')
    demandOnly('option', others, [])
    if (typeof providers !== 'object' || providers === null) throw new TypeError('providers must be an object')
    demandOnly('provider', providers, PROVIDERS)
    const { feedPath, feedAuthHeader, ipfPath, ipfAuthHeader, schedulePath } = providers
    if (!/^wss?:\/\//.test(feedPath)) throw new TypeError('feedPath must be a ws or wss URL')
    for (const path of [ipfPath, schedulePath]) {
      if (!/^https?:\/\//.test(path)) throw new TypeError('ipfPath and schedulePath must be http or https URLs')
    }
    if (!TOKEN.test(feedAuthHeader)) throw new TypeError('feedAuthHeader must be the token')
    if (!/^Bearer /.test(ipfAuthHeader)) throw new TypeError('ipfAuthHeader must be "Bearer " and the token')
    if (state !== undefined && (typeof state !== 'object' || state === null)) {
      throw new TypeError('state must be what a state listener received')
    }
  }

  function demandOnly (kind, options, known) {
    const unknown = Object.keys(options).find((name) => !known.includes(name))
    if (unknown !== undefined) throw new TypeError(`${unknown} is not a known ${kind}`)
  }

  /** Shows the widget and returns the function that ends it. */
  function open (element, { feedPath, feedAuthHeader, ipfPath, ipfAuthHeader, schedulePath }, state, notify) {
    let ended = false
    let timer
    const rows = new Map()
    const caption = document.createElement('p')
    const table = document.createElement('table')
    element.replaceChildren(caption, table)
    element.dataset.state = 'loading'

    const socket = new WebSocket(feedPath)
    const send = (message) => socket.readyState === 1 && socket.send(JSON.stringify(message))
    socket.addEventListener('open', () => {
      send({ type: 'SETUP', channel: 0, version: '0.1-mock', keepaliveTimeout: 60, acceptKeepaliveTimeout: 60 })
      send({ type: 'AUTH', channel: 0, token: feedAuthHeader })
    })
    let states = 0
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data)
      if (message.type === 'FEED_DATA') message.data.forEach(show)
      if (message.type !== 'AUTH_STATE') return
      // The feed sends the first state before it has read the token.
      if (message.state === 'AUTHORIZED') load().catch(fail)
      else if (states > 0) fail(new Error('The feed refused the token'))
      states++
    })
    socket.addEventListener('error', () => fail(new Error('The feed cannot be reached')))

    async function load () {
      const [ipf, schedule] = await Promise.all([fetch(ipfPath, { headers: { authorization: ipfAuthHeader } }),
        fetch(schedulePath)])
      if (!ipf.ok) throw new Error('The instruments refused the token')
      if (!schedule.ok) throw new Error('The schedule cannot be loaded')
      const [{ user, instruments }] = await Promise.all([ipf.json(), schedule.json()])
      if (ended) return
      caption.textContent = `Subscribed as ${user}`
      for (const { symbol } of instruments) addRow(symbol)
      send({ type: 'CHANNEL_REQUEST', channel: 1, service: 'FEED', parameters: { contract: 'AUTO' } })
      const subscribe = () =>
        send({
          type: 'FEED_SUBSCRIPTION',
          channel: 1,
          add: instruments.map(({ symbol }) => ({ type: 'Quote', symbol }))
        })
      subscribe()
      timer = setInterval(subscribe, 2_000)
      element.dataset.state = 'loaded'
      select(state.symbol ?? instruments[0].symbol)
    }

    function addRow (symbol) {
      const line = table.insertRow()
      line.insertCell().textContent = symbol
      line.insertCell()
      line.addEventListener('click', () => select(symbol))
      rows.set(symbol, line)
    }

    function select (symbol) {
      state = { symbol }
      for (const [name, line] of rows) line.className = name === symbol ? 'selected' : ''
      notify({ ...state })
    }

    function show ({ eventSymbol, bidPrice }) {
      const line = rows.get(eventSymbol)
      if (line !== undefined) line.cells[1].textContent = bidPrice.toFixed(2)
    }

    function fail (error) {
      if (ended) return
      caption.textContent = error.message
      element.dataset.state = 'refused'
      end()
    }

    function end () {
      ended = true
      clearInterval(timer)
      socket.close()
    }

    return end
  }
}
