/* global customElements, document, HTMLElement, URLSearchParams, window */
// A mock of `@databrainhq/plugin`: `<dbn-dashboard dashboard-id="…">`, and `Databrain` for pages that render with
// functions. Like the product's component, both read `window.dbn` each time they request a guest token.
const { origin } = new URL(import.meta.url)

class Dashboard extends HTMLElement {
  connectedCallback () {
    if (!this.hasAttribute('dashboard-id')) throw new Error('dbn-dashboard: "dashboard-id" is required')
    this.refresh()
  }

  /** Requests a guest token, as the component does at first and after its token has expired. */
  refresh () {
    const frame = document.createElement('iframe')
    frame.title = 'DataBrain dashboard'
    frame.src = `${origin}/component#${new URLSearchParams(window.dbn ?? {})}`
    this.replaceChildren(frame)
  }
}

customElements.define('dbn-dashboard', Dashboard)

export function Databrain ({ dashboardId }) {
  const dashboard = document.createElement('dbn-dashboard')
  dashboard.setAttribute('dashboard-id', dashboardId)
  return dashboard
}
