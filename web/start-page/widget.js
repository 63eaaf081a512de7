/* global document */
import { keepToken } from './browser.js'
import { fetchWidgetToken } from './embeds.js'

/**
 * Shows dxFeed's widget, and creates it again with each new token and the previous state. `onState` is called when the
 * widget has loaded, `onRefused` with an Error whose message is safe to show.
 */
export async function showWidget (element, page, { onState, onRefused }) {
  const { mockOrigin, paths } = page.dxfeed
  await loadScript(`${mockOrigin}/simple-chart-widget.js`)
  let state

  keepToken({
    fetch: (signal) => fetchWidgetToken(page, signal),
    onToken: initializeWidget,
    onError: async (error, retryIn) => {
      if (retryIn === Infinity) onRefused(await reasonOf(error))
    }
  })

  function initializeWidget (token) {
    const widget = globalThis.newSimpleChartWidget({
      element,
      providers: {
        feedPath: paths.feedPath,
        feedAuthHeader: token,
        ipfPath: paths.ipfPath,
        ipfAuthHeader: `Bearer ${token}`,
        schedulePath: paths.schedulePath
      },
      state
    })
    widget.addStateListener((newState) => {
      state = newState
      onState()
    })
  }
}

function loadScript (src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = src
    script.onload = resolve
    script.onerror = () => reject(new Error('The widget cannot be loaded.'))
    document.head.append(script)
  })
}

async function reasonOf (error) {
  const body = await error.response?.json().catch(() => null)
  return new Error(body?.error?.message ?? error.message)
}
