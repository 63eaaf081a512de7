import { keepToken } from '../../browser/browser.js'
import { attackFromElsewhere, fetchWidgetToken } from './embeds.ts'
import type { Stage } from './embeds.ts'
import { post, Refused, traced } from './page.ts'

interface Widget {
  addStateListener (listener: (state: object) => void): void
}

declare global {
  interface Window {
    newSimpleChartWidget (options: object): Widget
  }
}

/** Shows dxFeed's widget, and creates it again with each new token and the previous state. */
export async function showDxFeed (stage: Stage): Promise<void> {
  const { element, page, attack, signal, onLoaded, onRefused } = stage
  const { dxfeed } = page
  if (dxfeed?.mockOrigin == null || dxfeed.paths === null) return
  const { feedPath, ipfPath, schedulePath } = dxfeed.paths
  await loadScript(`${dxfeed.mockOrigin}/simple-chart-widget.js`)
  if (attack === 'foreign-origin') await attackFromElsewhere(attack)
  const place = document.createElement('div')
  place.className = 'widget'
  element.replaceChildren(place)
  let state: object | undefined

  if (attack === 'expired-token') {
    const { token } = await post('/demo/attack', { attack }) as { token: string }
    return initializeWidget(token)
  }
  keepToken({
    signal,
    fetch: (signal) => fetchWidgetToken(page, signal),
    onToken: initializeWidget,
    onError: async (error, retryIn) => {
      if (retryIn === Infinity) onRefused(await reasonOf(error))
    }
  })

  function initializeWidget (token: string): void {
    const widget = window.newSimpleChartWidget({
      element: place,
      providers: {
        feedPath: traced(feedPath, page),
        feedAuthHeader: token,
        ipfPath: traced(ipfPath, page),
        ipfAuthHeader: `Bearer ${token}`,
        schedulePath: traced(schedulePath, page)
      },
      state
    })
    widget.addStateListener((newState) => {
      state = newState
      onLoaded()
    })
    const observer = new MutationObserver(() => {
      if (place.dataset['state'] !== 'refused') return
      observer.disconnect()
      onRefused(new Error(place.textContent ?? ''))
    })
    observer.observe(place, { attributes: true, attributeFilter: ['data-state'] })
  }
}

const scripts = new Map<string, Promise<void>>()

function loadScript (src: string): Promise<void> {
  const known = scripts.get(src)
  if (known !== undefined) return known
  const loading = new Promise<void>((resolve, reject) => {
    const script = document.createElement('script')
    script.src = src
    script.onload = () => resolve()
    script.onerror = () => reject(new Error('The widget cannot be loaded.'))
    document.head.append(script)
  })
  scripts.set(src, loading)
  return loading
}

async function reasonOf (error: Error & { response?: Response }): Promise<Error> {
  const body = await error.response?.json().catch(() => null) as { error?: { code: string, message: string } } | null
  if (body?.error === undefined) return error
  return new Refused(body.error.message, error.response?.status ?? 0, body.error.code)
}
