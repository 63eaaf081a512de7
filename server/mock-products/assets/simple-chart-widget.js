/* global document, Element, fetch, WebSocket, setInterval, clearInterval, window */
// A mock of dxFeed's SimpleChart widget. It accepts only the properties that dxFeed's documentation on token-based
// authentication shows. The state is the selected symbol.
{
  const PROVIDERS = ['feedPath', 'feedAuthHeader', 'ipfPath', 'ipfAuthHeader', 'schedulePath']
  const TOKEN = /^[A-Za-z0-9+/]+\.[A-Za-z0-9_-]{43}$/
  const SVG = 'http://www.w3.org/2000/svg'
  const PERIOD = '{=5s}'
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

  function shape (name, attributes, text) {
    const element = document.createElementNS(SVG, name)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
    if (text !== undefined) element.textContent = text
    return element
  }

  /** Shows the widget and returns the function that ends it. */
  function open (element, { feedPath, feedAuthHeader, ipfPath, ipfAuthHeader, schedulePath }, state, notify) {
    let ended = false
    let timer
    let subscribe = () => {}
    const rows = new Map()
    /** The candles of the selected symbol, oldest first. */
    let candles = []
    const caption = document.createElement('p')
    const table = document.createElement('table')
    const chart = document.createElementNS(SVG, 'svg')
    chart.setAttribute('role', 'img')
    element.replaceChildren(caption, chart, table)
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
      if (message.type === 'FEED_DATA') showData(message.data)
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
      subscribe = () =>
        send({
          type: 'FEED_SUBSCRIPTION',
          channel: 1,
          add: [
            ...instruments.map(({ symbol }) => ({ type: 'Quote', symbol })),
            { type: 'Candle', symbol: `${state.symbol}${PERIOD}` }
          ]
        })
      send({ type: 'CHANNEL_REQUEST', channel: 1, service: 'FEED', parameters: { contract: 'AUTO' } })
      select(state.symbol ?? instruments[0].symbol)
      subscribe()
      timer = setInterval(subscribe, 2_000)
      element.dataset.state = 'loaded'
      notify({ ...state })
    }

    function addRow (symbol) {
      const line = table.insertRow()
      // A button, so that the keyboard selects a symbol too.
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = symbol
      line.insertCell().append(button)
      line.insertCell()
      line.addEventListener('click', () => {
        select(symbol)
        notify({ ...state })
        subscribe()
      })
      rows.set(symbol, line)
    }

    function select (symbol) {
      state = { symbol }
      for (const [name, line] of rows) line.className = name === symbol ? 'selected' : ''
      candles = []
    }

    function showData (data) {
      data.filter(({ eventType }) => eventType !== 'Candle').forEach(show)
      const received = data.filter(({ eventSymbol }) => eventSymbol === `${state.symbol}${PERIOD}`)
      if (received.length === 0) return
      candles = received
      draw()
    }

    function draw () {
      const box = { width: 480, height: 200, right: 48, bottom: 18 }
      chart.setAttribute('viewBox', `0 0 ${box.width} ${box.height}`)
      chart.setAttribute('aria-label', `Prices of ${state.symbol} in the last minutes, candles of 5 seconds`)
      const [low, high] = [Math.min(...candles.map(({ low }) => low)), Math.max(...candles.map(({ high }) => high))]
      const y = (price) => 8 + (high - price) / (high - low || 1) * (box.height - box.bottom - 16)
      const slot = (box.width - box.right) / candles.length
      const parts = []
      for (const part of [0, 0.25, 0.5, 0.75, 1]) {
        const price = low + (high - low) * part
        parts.push(shape('line', { class: 'grid', x1: 0, x2: box.width - box.right, y1: y(price), y2: y(price) }))
        parts.push(shape('text', { x: box.width - box.right + 6, y: y(price) + 3 }, price.toFixed(2)))
      }
      candles.forEach(({ time, open, high, low, close }, at) => {
        const [middle, tone] = [slot * (at + 0.5), close < open ? 'down' : 'up']
        const [top, height] = [Math.min(y(open), y(close)), Math.max(Math.abs(y(open) - y(close)), 1)]
        parts.push(shape('line', { class: tone, x1: middle, x2: middle, y1: y(high), y2: y(low) }))
        parts.push(shape('rect', { class: tone, x: middle - slot * 0.32, y: top, width: slot * 0.64, height }))
        if (at % 12 === 6) {
          const clock = new Date(time).toTimeString().slice(0, 8)
          parts.push(shape('text', { x: middle, y: box.height - 4, 'text-anchor': 'middle' }, clock))
        }
      })
      chart.replaceChildren(...parts)
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
