// Initialises the widget with each new token, because a widget cannot exchange its token. The state is passed on.
import { keepToken } from 'fastify-gatehouse/browser'

/* global newSimpleChartWidget */
/** @type {unknown} */
let state

keepToken({
  url: '/api/generate-token',
  onToken: initializeWidget,
  onError (_error, retryIn) {
    if (retryIn === Infinity) window.location.assign('/login')
  }
})

/** @param {string} token */
function initializeWidget (token) {
  const widget = newSimpleChartWidget({
    element: document.getElementById('widget'),
    providers: {
      feedPath: 'wss://client.dxfeed.com/dxlink-ws',
      feedAuthHeader: token,
      ipfPath: 'https://client.dxfeed.com/ipf',
      ipfAuthHeader: `Bearer ${token}`,
      schedulePath: 'https://client.dxfeed.com/schedule'
    },
    state
  })
  widget.addStateListener((newState) => { state = newState })
}
